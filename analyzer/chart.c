/* chart.c - see chart.h. */
#include "analyzer/chart.h"

#include <math.h>

enum { EIGHTHS = 8, LEVELS = 8, COLUMNS_MAX = 512 };

/* U+2588 to U+258F: full, then 7 eighths down to 1. */
static const char *const lying[EIGHTHS + 1] = {"",  "▏", "▎", "▍", "▌",
                                               "▋", "▊", "▉", "█"};
static const char *const standing[LEVELS] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
static const char *const ascii_levels[LEVELS] = {"_", ".", "-", "~",
                                                 "=", "+", "*", "#"};

static size_t put_blocks(struct buf *into, size_t eighths)
{
    size_t whole = eighths / EIGHTHS;
    size_t rest = eighths % EIGHTHS;

    for (size_t i = 0; i < whole; i++)
        (void)buf_add_text(into, lying[EIGHTHS]);
    (void)buf_add_text(into, lying[rest]);
    return whole + (rest > 0);
}

static size_t put_hashes(struct buf *into, size_t columns)
{
    for (size_t i = 0; i < columns; i++)
        (void)buf_add_char(into, '#');
    return columns;
}

void chart_bar(struct buf *into, double value, double max, size_t width, bool ascii)
{
    size_t steps = ascii ? 1 : EIGHTHS;
    size_t drawn = 0;
    size_t used;

    if (isfinite(value) && isfinite(max) && value > 0 && max > 0) {
        double share = value > max ? 1 : value / max;

        drawn = (size_t)lround(share * (double)(width * steps));
        drawn = drawn == 0 ? 1 : drawn;
    }
    used = ascii ? put_hashes(into, drawn) : put_blocks(into, drawn);
    (void)buf_printf(into, "%*s", (int)(width - used), "");
}

/* The mean of the known values that column `column` of `width` stands for. */
static double column_value(const double *values, size_t count, size_t column,
                           size_t width)
{
    size_t from = column * count / width;
    size_t to = (column + 1) * count / width;
    double sum = 0;
    size_t known = 0;

    if (to <= from)
        to = from + 1;
    for (size_t i = from; i < to; i++) {
        if (!isfinite(values[i]))
            continue;
        sum += values[i];
        known++;
    }
    return known == 0 ? (double)NAN : sum / (double)known;
}

static const char *level_text(double value, double max, bool ascii)
{
    size_t level;

    if (isnan(value))
        return " ";
    level = max > 0 && value > 0 ? (size_t)lround(value / max * (LEVELS - 1)) : 0;
    return ascii ? ascii_levels[level] : standing[level];
}

double chart_spark(struct buf *into, const double *values, size_t count, size_t width,
                   bool ascii)
{
    double columns[COLUMNS_MAX];
    double max = (double)NAN;

    width = width > COLUMNS_MAX ? COLUMNS_MAX : width;
    for (size_t i = 0; i < width; i++) {
        columns[i] = count == 0 ? (double)NAN : column_value(values, count, i, width);
        max = fmax(max, columns[i]); /* the one that is a number wins over NAN */
    }
    for (size_t i = 0; i < width; i++)
        (void)buf_add_text(into, level_text(columns[i], max, ascii));
    return max;
}

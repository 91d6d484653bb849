/* picture_turns.c - the pictures of single turns: who spoke when, and how fast.
 *
 * Times are seconds from the start of the first turn that is shown.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "analyzer/gnuplot.h"
#include "analyzer/picks.h"
#include "analyzer/picture_parts.h"
#include "analyzer/report.h"

enum { LABEL_COLUMNS = 20, ID_COLUMNS = 14 };

/* ---- timeline ---- */

enum stretch {
    STRETCH_WAIT,
    STRETCH_PREFILL,
    STRETCH_DECODE,
    STRETCH_WHOLE,
    STRETCHES
};

struct stretch_row {
    const char *title;
    const char *color;
};
static const struct stretch_row stretches[STRETCHES] = {
    [STRETCH_WAIT] = {"waiting", "#9aa3ad"},
    [STRETCH_PREFILL] = {"to first token", "#e0912f"},
    [STRETCH_DECODE] = {"to last token", "#3b82c4"},
    [STRETCH_WHOLE] = {"no first token told", "#8a7fc0"},
};

static double known_ms(double value)
{
    return isfinite(value) ? value : 0;
}

static double start_us(const struct pick *pick)
{
    return (double)pick->end_us
           - (known_ms(pick->generation_ms) + known_ms(pick->wait_ms)) * 1000;
}

static double first_start_us(const struct picks *picks)
{
    double first = INFINITY;

    for (size_t i = 0; i < picks->early_count; i++)
        first = fmin(first, start_us(&picks->early[i]));
    return first;
}

/* From and to in ms, counted from the turn's start. False: the turn has none. */
static bool stretch_of(const struct pick *pick, enum stretch stretch, double *ret_from,
                       double *ret_to)
{
    double wait = known_ms(pick->wait_ms);
    double first = pick->first_token_ms;
    double end = wait + known_ms(pick->generation_ms);
    double from[STRETCHES] = {0, wait, wait + first, wait};
    double to[STRETCHES] = {wait, fmin(wait + first, end), end, end};

    if (isnan(first) != (stretch == STRETCH_WHOLE) && stretch != STRETCH_WAIT)
        return false;
    *ret_from = from[stretch];
    *ret_to = to[stretch];
    return *ret_to > *ret_from;
}

/* Rows of a conversation stand together, in the order in which they were met. */
struct place {
    size_t conversation; /* the row at which it was met first */
    int64_t seat;
    size_t row;
};

static int by_place(const void *a, const void *b)
{
    const struct place *left = a;
    const struct place *right = b;

    if (left->conversation != right->conversation)
        return left->conversation < right->conversation ? -1 : 1;
    return left->seat < right->seat ? -1 : left->seat > right->seat;
}

static void place_rows(const struct picks *picks, struct place places[PICKS_ROWS],
                       unsigned heights[PICKS_ROWS])
{
    for (size_t i = 0; i < picks->row_count; i++) {
        size_t first = 0;

        while (!str_is(str_of(picks->rows[first].conversation),
                       picks->rows[i].conversation))
            first++;
        places[i] = (struct place){first, picks->rows[i].seat, i};
    }
    qsort(places, picks->row_count, sizeof *places, by_place);
    for (unsigned i = 0; i < picks->row_count; i++)
        heights[places[i].row] = i;
}

/* Returns whether any turn has such a stretch. */
static bool put_stretches(struct buf *data, const struct picks *picks,
                          enum stretch stretch, const unsigned heights[PICKS_ROWS])
{
    double zero_us = first_start_us(picks);
    bool any = false;

    (void)buf_printf(data, "$stretch%d << END\n", (int)stretch);
    for (size_t i = 0; i < picks->early_count; i++) {
        const struct pick *pick = &picks->early[i];
        double start_s = (start_us(pick) - zero_us) / 1e6;
        double from;
        double to;

        if (!stretch_of(pick, stretch, &from, &to))
            continue;
        (void)buf_printf(data, "%.4f %.4f %u\n", start_s + from / 1000,
                         start_s + to / 1000, heights[pick->row]);
        any = true;
    }
    (void)buf_add_text(data, "END\n");
    return any;
}

static void put_labels(struct buf *drawing, const struct picks *picks,
                       const struct place *places)
{
    bool many = picks_conversations(picks) > 1;

    (void)buf_add_text(drawing, "set ytics (");
    for (size_t i = 0; i < picks->row_count; i++) {
        const struct pick_row *row = &picks->rows[places[i].row];
        const char *name = row->name == NULL ? "-" : row->name;

        (void)buf_add_text(drawing, i == 0 ? "" : ", ");
        if (many) {
            gnuplot_text(drawing, row->conversation, ID_COLUMNS);
            (void)buf_add_text(drawing, ".'  '.");
        }
        gnuplot_text(drawing, name, LABEL_COLUMNS);
        (void)buf_printf(drawing, " %zu", i);
    }
    (void)buf_add_text(drawing, ")\n");
}

unsigned picture_timeline_rows(const struct report *report)
{
    return (unsigned)report->picks->row_count;
}

bool picture_timeline(const struct report *report, struct buf *data,
                      struct buf *drawing)
{
    const struct picks *picks = report->picks;
    struct place places[PICKS_ROWS];
    unsigned heights[PICKS_ROWS];
    bool any = false;

    if (picks->early_count == 0)
        return false;
    place_rows(picks, places, heights);
    put_labels(drawing, picks, places);
    (void)buf_printf(drawing,
                     "set yrange [%zu.6:-0.6]\nset xrange [0:*]\n"
                     "set xlabel 'seconds since the first turn was asked for'\n"
                     "plot ",
                     picks->row_count - 1);
    for (enum stretch s = 0; s < STRETCHES; s++) {
        if (!put_stretches(data, picks, s, heights))
            continue;
        (void)buf_printf(drawing,
                         "%s$stretch%d using 1:3:1:2:($3-0.36):($3+0.36) with "
                         "boxxyerror lc rgb '%s' title '%s'",
                         any ? ", \\\n  " : "", (int)s, stretches[s].color,
                         stretches[s].title);
        any = true;
    }
    (void)buf_add_char(drawing, '\n');
    return any;
}

/* ---- dots over time ---- */

static double first_end_us(const struct picks *picks)
{
    double first = INFINITY;

    for (size_t i = 0; i < picks->even_count; i++)
        if (picks->even[i].end_us >= 0)
            first = fmin(first, (double)picks->even[i].end_us);
    return first;
}

static bool put_dots(struct buf *data, const struct picks *picks, bool rate)
{
    double zero_us = first_end_us(picks);
    bool any = false;

    (void)buf_printf(data, "$%s << END\n", rate ? "rate" : "first");
    for (size_t i = 0; i < picks->even_count; i++) {
        const struct pick *pick = &picks->even[i];
        double value = rate ? pick->tokens_per_second : pick->first_token_ms;

        if (!isfinite(value) || pick->end_us < 0)
            continue;
        (void)buf_printf(data, "%.3f %.6g\n", ((double)pick->end_us - zero_us) / 1e6,
                         value);
        any = true;
    }
    (void)buf_add_text(data, "END\n");
    return any;
}

static void put_panel(struct buf *drawing, const char *block, const char *label,
                      const char *color)
{
    (void)buf_printf(drawing,
                     "set ylabel '%s'\nplot $%s using 1:2 with points pt 7 ps 0.4 "
                     "lc rgb '%s' notitle\n",
                     label, block, color);
}

bool picture_over_time(const struct report *report, struct buf *data,
                       struct buf *drawing)
{
    bool first = put_dots(data, report->picks, false);
    bool rate = put_dots(data, report->picks, true);

    if (!first && !rate)
        return false;
    (void)buf_printf(drawing, "set yrange [0:*]\nset lmargin 12\n%s",
                     first && rate ? "set multiplot layout 2,1\n" : "");
    if (first)
        put_panel(drawing, "first", "time to first token, ms", "#e0912f");
    (void)buf_add_text(drawing, "set xlabel 'seconds since the first turn ended'\n");
    if (rate)
        put_panel(drawing, "rate", "tokens/s of a turn", "#3b82c4");
    if (first && rate)
        (void)buf_add_text(drawing, "unset multiplot\n");
    (void)buf_add_text(drawing, "unset xlabel\n"); /* the next format's first panel */
    return true;
}

/* picture_sums.c - the pictures of all turns together: by turn index, distribution,
 * throughput.
 */
#include <math.h>
#include <stdint.h>

#include "analyzer/activity.h"
#include "analyzer/histogram.h"
#include "analyzer/picture_parts.h"
#include "analyzer/report.h"
#include "analyzer/tally.h"

/* A number in a data block: what is unknown leaves a gap. */
static void put_value(struct buf *data, double value)
{
    if (isfinite(value))
        (void)buf_printf(data, " %.6g", value);
    else
        (void)buf_add_text(data, " ?");
}

/* ---- by turn index ---- */

static void put_index_row(struct buf *data, struct group *group)
{
    static const enum metric shown[] = {METRIC_TIME_TO_FIRST_TOKEN,
                                        METRIC_GENERATION_TIME};

    (void)buf_printf(data, "%g",
                     ((double)group->first_turn + (double)group->last_turn) / 2);
    for (size_t i = 0; i < sizeof shown / sizeof *shown; i++) {
        struct spread *spread = &group->metrics[shown[i]];

        put_value(data, spread_percentile(spread, 5));
        put_value(data, spread_percentile(spread, 50));
        put_value(data, spread_percentile(spread, 95));
    }
    (void)buf_add_char(data, '\n');
}

static void put_band(struct buf *drawing, int column, const char *color,
                     const char *title)
{
    (void)buf_printf(drawing,
                     "  $index using 1:%d:%d with filledcurves fs transparent solid "
                     "0.2 lc rgb '%s' notitle, \\\n"
                     "  $index using 1:%d with linespoints pt 7 ps 0.5 lw 2 lc rgb "
                     "'%s' title '%s'",
                     column, column + 2, color, column + 1, color, title);
}

bool picture_turn_index(const struct report *report, struct buf *data,
                        struct buf *drawing)
{
    struct tally *tally = report->tally;
    bool first = tally->total.metrics[METRIC_TIME_TO_FIRST_TOKEN].count > 0;
    bool whole = tally->total.metrics[METRIC_GENERATION_TIME].count > 0;
    size_t rows = 0;

    (void)buf_add_text(data, "$index << END\n");
    for (size_t i = 0; i < TURN_CLASSES; i++) {
        if (tally->turn_indexes[i] == NULL)
            continue;
        put_index_row(data, tally->turn_indexes[i]);
        rows++;
    }
    (void)buf_add_text(data, "END\n");
    if (rows < 2 || (!first && !whole))
        return false;
    (void)buf_add_text(
        drawing, "set xlabel 'turn of the conversation'\n"
                 "set ylabel 'ms'\nset yrange [0:*]\nset xrange [0.5:*]\nplot \\\n");
    if (first)
        put_band(drawing, 2, "#e0912f", "time to first token");
    (void)buf_add_text(drawing, first && whole ? ", \\\n" : "");
    if (whole)
        put_band(drawing, 5, "#3b82c4", "generation time");
    (void)buf_add_char(drawing, '\n');
    return true;
}

/* ---- distribution ---- */

static void put_mark(struct buf *drawing, struct spread *spread, int percent)
{
    double at = spread_percentile(spread, percent);

    (void)buf_printf(drawing,
                     "set arrow from %.6g, graph 0 to %.6g, graph 1 nohead lc rgb "
                     "'#c0392b' lw 1 front\n"
                     "set label 'p%d' at %.6g, graph 0.96 offset 0.4,0 front\n",
                     at, at, percent, at);
}

bool picture_distribution(const struct report *report, struct buf *data,
                          struct buf *drawing)
{
    struct spread *spread = &report->tally->total.metrics[METRIC_TIME_TO_FIRST_TOKEN];
    struct bin bins[HISTOGRAM_BINS_MAX];
    size_t count = histogram_make(spread, HISTOGRAM_BINS_MAX - 4, bins);
    double width;

    if (count == 0)
        return false;
    width = bins[0].to - bins[0].from;
    (void)buf_add_text(data, "$bins << END\n");
    for (size_t i = 0; i < count; i++)
        (void)buf_printf(data, "%.9g %.9g %lld\n", bins[i].from, bins[i].from + width,
                         (long long)bins[i].count);
    (void)buf_add_text(data, "END\n");
    put_mark(drawing, spread, 50);
    put_mark(drawing, spread, 95);
    (void)buf_add_text(drawing,
                       "set xlabel 'time to first token, ms'\nset ylabel 'turns'\n"
                       "set yrange [0:*]\nset offsets 0, 0, graph 0.12, 0\n"
                       "plot $bins using 1:(0):1:2:(0):3 with boxxyerror fs solid 0.85 "
                       "noborder lc rgb '#3b82c4' notitle\n"
                       "unset arrow\nunset label\nunset offsets\n");
    return true;
}

/* ---- throughput ---- */

/* A panel of the column, where the points know anything of it. */
static void put_steps(struct buf *drawing, int column, const char *label,
                      const char *color)
{
    (void)buf_printf(drawing,
                     "set ylabel '%s'\n"
                     "plot $points using 1:%d with fillsteps fs transparent solid 0.35 "
                     "lc rgb '%s' notitle, $points using 1:%d with steps lw 1.5 lc rgb "
                     "'%s' notitle\n",
                     label, column, color, column, color);
}

bool picture_throughput(const struct report *report, struct buf *data,
                        struct buf *drawing)
{
    struct activity_point points[ACTIVITY_POINTS_MAX];
    int64_t width_us = 0;
    size_t count = activity_points(report->tally->activity, points, &width_us);
    bool tokens = false;
    bool calls = false;

    (void)buf_add_text(data, "$points << END\n");
    for (size_t i = 0; i < count; i++) {
        tokens = tokens || isfinite(points[i].tokens_per_second);
        calls = calls || isfinite(points[i].concurrency);
        (void)buf_printf(data, "%.6g",
                         (double)(points[i].at_us - points[0].at_us) / 1e6);
        put_value(data, points[i].tokens_per_second);
        put_value(data, points[i].concurrency);
        (void)buf_add_char(data, '\n');
    }
    (void)buf_add_text(data, "END\n");
    if (count < 2 || (!tokens && !calls))
        return false;
    (void)buf_printf(drawing, "set yrange [0:*]\nset lmargin 12\n%s",
                     tokens && calls ? "set multiplot layout 2,1\n" : "");
    if (tokens)
        put_steps(drawing, 2, "tokens/s", "#3b82c4");
    (void)buf_add_text(drawing, "set xlabel 'seconds since the first call'\n");
    if (calls)
        put_steps(drawing, 3, "calls at once", "#2f9e6e");
    if (tokens && calls)
        (void)buf_add_text(drawing, "unset multiplot\n");
    (void)buf_add_text(drawing, "unset xlabel\n"); /* the next format's first panel */
    return true;
}

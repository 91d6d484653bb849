/* pictures.c - see pictures.h.
 *
 * Flow: data and drawing of a picture (picture_parts.h) -> data, then for each format
 *       terminal, output, drawing
 */
#include "analyzer/pictures.h"

#include <assert.h>

#include "analyzer/page.h"
#include "analyzer/picks.h"
#include "analyzer/picture_parts.h"
#include "analyzer/report.h"

enum { PART_MAX_BYTES = 8 << 20, WIDTH = 960, ROW_HEIGHT = 26, TIMELINE_FRAME = 120 };

struct picture_row {
    const char *name;
    const char *title;
    unsigned height;
    picture_part *part;
};
static const struct picture_row rows[PICTURE_COUNT] = {
    [PICTURE_TIMELINE] = {"timeline", "Timeline of turns", 0, picture_timeline},
    [PICTURE_OVER_TIME] = {"over_time", "First token and rate over time", 520,
                           picture_over_time},
    [PICTURE_TURN_INDEX] = {"turn_index", "Latency by turn index", 360,
                            picture_turn_index},
    [PICTURE_DISTRIBUTION] = {"distribution", "Distribution of the time to first token",
                              340, picture_distribution},
    [PICTURE_THROUGHPUT] = {"throughput", "Throughput and concurrency", 520,
                            picture_throughput},
};

static const struct picture_row *row_of(enum picture picture)
{
    assert((unsigned)picture < PICTURE_COUNT);
    return &rows[picture];
}

const char *picture_name(enum picture picture)
{
    return row_of(picture)->name;
}

const char *picture_title(enum picture picture)
{
    return row_of(picture)->title;
}

static void timeline_caption(const struct picks *picks, struct buf *into)
{
    (void)buf_printf(into, "Each bar is a turn: waiting (grey), until the first token "
                           "(orange), until the last (blue). ");
    if (picks->early_count < picks->seen)
        (void)buf_printf(
            into,
            "Shown are the first %s turns of the first %zu speakers; there "
            "are %s turns in all.",
            page_count((int64_t)picks->early_count), picks->row_count,
            page_count((int64_t)picks->seen));
}

static void over_time_caption(const struct picks *picks, struct buf *into)
{
    (void)buf_add_text(into, "Each dot is a turn, at the time at which it ended. ");
    if (picks->every > 1)
        (void)buf_printf(into, "Of %s turns each %zuth is shown.",
                         page_count((int64_t)picks->seen), picks->every);
}

void picture_caption(enum picture picture, const struct report *report,
                     struct buf *into)
{
    if (picture == PICTURE_TIMELINE)
        timeline_caption(report->picks, into);
    else if (picture == PICTURE_OVER_TIME)
        over_time_caption(report->picks, into);
    else if (picture == PICTURE_TURN_INDEX)
        (void)buf_add_text(into, "Lines: the median of all turns with that number in "
                                 "their conversation; areas: from p5 to p95.");
    else if (picture == PICTURE_DISTRIBUTION)
        (void)buf_add_text(into, "How many turns had their first token after so long; "
                                 "beyond the 99th percentile in one bar.");
    else
        (void)buf_add_text(into,
                           "Tokens a second, spread over the time in which they were "
                           "generated, and model calls running at the same time.");
}

static unsigned height_of(enum picture picture, const struct report *report)
{
    if (picture != PICTURE_TIMELINE)
        return row_of(picture)->height;
    return TIMELINE_FRAME + ROW_HEIGHT * picture_timeline_rows(report);
}

static void put_format(struct buf *into, const char *terminal, const char *file,
                       const char *ending, const struct buf *drawing)
{
    (void)buf_printf(into, "%s\nset output '%s.%s'\n", terminal, file, ending);
    (void)buf_add_str(into, buf_str(drawing));
    (void)buf_add_text(into, "set output\n");
}

static void put_formats(struct buf *into, enum picture picture, unsigned height,
                        const struct buf *drawing)
{
    const char *name = picture_name(picture);
    char svg[160];
    char png[160];

    fmt_into(svg, sizeof svg,
             "set terminal svg size %d,%u dynamic noenhanced font 'sans-serif,13' "
             "name '%s' background '#ffffff'",
             WIDTH, height, name);
    put_format(into, svg, name, "svg", drawing);
    fmt_into(png, sizeof png,
             "set terminal pngcairo size %d,%u noenhanced font 'sans-serif,18' "
             "background '#ffffff'",
             WIDTH * 3 / 2, height * 3 / 2);
    put_format(into, png, name, "png", drawing);
}

static const char settings[] =
    "set encoding utf8\n"
    "set border 3 lw 0.8\n"
    "set tics nomirror out scale 0.5\n"
    "set grid xtics ytics lt 1 lc rgb '#b0b0b0' lw 0.4\n"
    "set key outside top left horizontal samplen 1.5 noenhanced\n"
    "set datafile missing '?'\n"
    "set style fill solid 1.0 noborder\n";

bool picture_script(enum picture picture, const struct report *report, struct buf *into)
{
    struct buf data;
    struct buf drawing;
    bool any;

    buf_init(&data, PART_MAX_BYTES);
    buf_init(&drawing, PART_MAX_BYTES);
    any = row_of(picture)->part(report, &data, &drawing);
    assert(!data.overflowed && !drawing.overflowed); /* all choices are bounded */
    if (any) {
        (void)buf_add_text(into, settings);
        (void)buf_add_str(into, buf_str(&data));
        put_formats(into, picture, height_of(picture, report), &drawing);
    }
    buf_done(&data);
    buf_done(&drawing);
    return any;
}

/* wall_head.c - see wall_head.h. Each line has what matters most at its left; what
 * stands at its right gives way where there is no room.
 */
#include "observer/screen/wall_head.h"

#include <inttypes.h>

#include "base/buf.h"
#include "observer/model/wall.h"
#include "observer/screen/wall_columns.h"

enum {
    LINES = 4,
    ROWS_FOR_LINES = 14, /* of the screen, for all of them */
    ROWS_FOR_ONE = 5,
    TEXT_MAX_BYTES = 1024,
    GAP = 2,
    SPARK_COLS = WALL_SECONDS,
    AGE_TOLD_US = 2000000 /* values that old are told of */
};

/* A line in the making, from the left. */
struct line {
    struct canvas *canvas;
    struct area area; /* of one row */
    unsigned used;
    struct buf text;
};

static void put(struct line *line, enum pen pen)
{
    unsigned left = line->area.cols - line->used;

    line->used +=
        canvas_put_cut(line->canvas, line->area.row, line->area.col + line->used, left,
                       pen, buf_str(&line->text));
    buf_clear(&line->text);
}

static void put_text(struct line *line, enum pen pen, const char *text)
{
    (void)buf_add_text(&line->text, text);
    put(line, pen);
}

static void put_count(struct line *line, enum pen pen, int64_t count)
{
    wall_text_count(&line->text, count);
    put(line, pen);
}

static void put_rate(struct line *line, double rate, const char *what)
{
    wall_text_rate(&line->text, rate);
    put(line, PEN_BOLD);
    put_text(line, PEN_DIM, what);
}

/* At the right end, if there is room for all of it. */
static void put_right(struct line *line, enum pen pen, const char *text)
{
    unsigned left = line->area.cols - line->used;
    struct str words = str_of(text);

    if (words.len + GAP <= left) /* bytes: never fewer than columns */
        (void)canvas_put_right(line->canvas, line->area.row,
                               line->area.col + line->used, left, pen, words);
}

/* ---- the lines ---- */

static void draw_states(struct line *line, const struct wall_totals *totals)
{
    static const enum pen pens[WALL_STATE_COUNT] = {
        [WALL_IS_PREPARING] = PEN_INFO, [WALL_IS_RUNNING] = PEN_GOOD,
        [WALL_IS_PAUSED] = PEN_WARN,    [WALL_IS_CLOSING] = PEN_INFO,
        [WALL_IS_ENDED] = PEN_DIM,      [WALL_IS_FAILED] = PEN_BAD,
        [WALL_IS_UNKNOWN] = PEN_DIM,
    };

    put_count(line, PEN_BOLD, totals->known);
    put_text(line, PEN_DIM, totals->known == 1 ? " conversation" : " conversations");
    for (int i = 0; i < WALL_STATE_COUNT; i++) {
        if (totals->states[i] == 0)
            continue;
        put_text(line, PEN_DIM, "  ");
        put_count(line, pens[i], totals->states[i]);
        (void)buf_printf(&line->text, " %s",
                         i == WALL_IS_UNKNOWN ? "not read yet"
                                              : wall_state_name((enum wall_state)i));
        put(line, pens[i]);
    }
}

static void draw_spark(struct line *line, const struct wall_totals *totals)
{
    struct area area = {line->area.row, line->area.col + line->used, 1, SPARK_COLS};
    double top = 0;

    if (totals->sample_count == 0 || line->area.cols - line->used < SPARK_COLS)
        return;
    for (unsigned i = 0; i < totals->sample_count; i++)
        top = totals->samples[i] > top ? totals->samples[i] : top;
    canvas_spark(line->canvas, area, PEN_GRAPH, totals->samples, totals->sample_count,
                 top);
    line->used += SPARK_COLS;
}

static void draw_rates(struct line *line, struct wall *wall,
                       const struct wall_totals *totals, int64_t now_us)
{
    int64_t age_us = wall_age_us(wall, now_us);

    put_rate(line, totals->turns_per_second, " turns/s  ");
    put_rate(line, totals->tokens_per_second, " tokens/s  ");
    draw_spark(line, totals);
    if (totals->failures > 0) {
        (void)buf_add_text(&line->text, "  ");
        wall_text_count(&line->text, totals->failures);
        (void)buf_add_text(&line->text, " failed turns");
        put(line, PEN_BAD);
        if (totals->failed_per_second > 0) {
            (void)buf_add_text(&line->text, ", ");
            wall_text_rate(&line->text, totals->failed_per_second);
            (void)buf_add_text(&line->text, "/s");
            put(line, PEN_BAD);
        }
    }
    if (age_us < AGE_TOLD_US)
        return;
    (void)buf_printf(&line->text, "values up to %" PRId64 " s old", age_us / 1000000);
    put_right(line, PEN_DIM, buf_text(&line->text));
    buf_clear(&line->text);
}

static void put_lane(struct line *line, const struct wall_lane *lane)
{
    (void)buf_printf(&line->text, "  %" PRId64 ": ", lane->lane);
    put(line, PEN_BOLD);
    wall_text_count(&line->text, lane->waiting);
    (void)buf_add_text(&line->text, " waiting ");
    put(line, lane->waiting > 0 && lane->workers == 0 ? PEN_BAD : PEN_TEXT);
    wall_text_count(&line->text, lane->pending);
    (void)buf_add_text(&line->text, " in hand ");
    put(line, PEN_TEXT);
    wall_text_count(&line->text, lane->workers);
    (void)buf_add_text(&line->text, lane->workers == 1 ? " worker" : " workers");
    put(line, lane->workers == 0 ? PEN_BAD : PEN_TEXT);
}

enum { MORE_COLS = 6 }; /* "  +14", and a blank */

/* Columns that put_lane uses, or one more. */
static unsigned lane_cols(const struct wall_lane *lane)
{
    const int64_t figures[] = {lane->lane, lane->waiting, lane->pending, lane->workers};
    size_t letters = sizeof "  :  waiting  in hand  workers" - 1;
    struct buf text;

    buf_init(&text, TEXT_MAX_BYTES);
    for (size_t i = 0; i < sizeof figures / sizeof *figures; i++)
        wall_text_count(&text, figures[i]);
    letters += text.len;
    buf_done(&text);
    return (unsigned)letters;
}

static void draw_lanes(struct line *line, const struct wall_totals *totals)
{
    unsigned left_out = 0;
    bool any = false;

    put_text(line, PEN_DIM, "lanes");
    for (size_t i = 0; i < WALL_LANES; i++) {
        const struct wall_lane *lane = &totals->lanes[i];

        if (lane->lane == 0)
            continue;
        if (left_out > 0
            || (any && line->area.cols - line->used < lane_cols(lane) + MORE_COLS))
            left_out++;
        else
            put_lane(line, lane);
        any = true;
    }
    if (!any)
        put_text(line, PEN_DIM, "  -");
    if (left_out > 0) {
        (void)buf_printf(&line->text, "  +%u", left_out);
        put(line, PEN_DIM);
    }
}

static void put_filter(struct line *line, const struct wall *wall)
{
    bool inverse;
    struct str text = wall_filter_text(wall, &inverse);
    enum wall_states states = wall_filtered_states(wall);

    if (states != WALL_ALL) {
        put_text(line, PEN_DIM, ", only ");
        put_text(line, PEN_BOLD, wall_states_name(states));
    }
    if (text.len > 0) {
        put_text(line, PEN_DIM, inverse ? ", without " : ", with ");
        (void)buf_add_str(&line->text, text);
        put(line, PEN_BOLD);
    }
    if (text.len == 0 && states == WALL_ALL)
        return;
    (void)buf_add_text(&line->text, ": ");
    wall_text_count(&line->text, (int64_t)wall_shown(wall));
    (void)buf_add_text(&line->text, " of ");
    wall_text_count(&line->text, (int64_t)wall_count(wall));
    put(line, PEN_TEXT);
}

static void draw_choice(struct line *line, const struct wall *wall)
{
    bool reversed;
    enum wall_sort sort = wall_sorted_by(wall, &reversed);

    put_text(line, PEN_DIM, "by ");
    put_text(line, PEN_BOLD, wall_sort_name(sort));
    if (reversed)
        put_text(line, PEN_BOLD, ", the other way round");
    put_filter(line, wall);
}

static void draw_redis(struct line *line, const struct wall_totals *totals)
{
    if (totals->redis[0] == '\0')
        return;
    (void)buf_add_text(&line->text, totals->redis);
    if (totals->redis_ok) {
        put_right(line, PEN_DIM, buf_text(&line->text));
        buf_clear(&line->text);
    } else {
        put(line, PEN_BAD);
    }
}

/* ---- all of it ---- */

unsigned wall_head_rows(unsigned rows)
{
    if (rows >= ROWS_FOR_LINES)
        return LINES;
    return rows >= ROWS_FOR_ONE ? 1 : 0;
}

static void draw_line(struct line *line, unsigned i, struct wall *wall, int64_t now_us)
{
    const struct wall_totals *totals = wall_totals(wall, now_us);

    if (i == 0 && !totals->redis_ok && totals->redis[0] != '\0')
        draw_redis(line, totals);
    else if (i == 0)
        draw_states(line, totals);
    else if (i == 1)
        draw_rates(line, wall, totals, now_us);
    else if (i == 2)
        draw_lanes(line, totals);
    else
        draw_choice(line, wall);
    if (i == LINES - 1 && totals->redis_ok)
        draw_redis(line, totals);
}

void wall_head_draw(struct wall *wall, struct canvas *canvas, struct area area,
                    int64_t now_us)
{
    unsigned rows = wall_head_rows(area.rows);

    for (unsigned i = 0; i < rows; i++) {
        struct line line = {.canvas = canvas,
                            .area = {area.row + i, area.col, 1, area.cols}};

        buf_init(&line.text, TEXT_MAX_BYTES);
        draw_line(&line, i, wall, now_us);
        buf_done(&line.text);
    }
}

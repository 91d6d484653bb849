/* wall_columns.c - see wall_columns.h. */
#include "observer/screen/wall_columns.h"

#include <inttypes.h>

#include "observer/model/wall_row.h"
#include "observer/talk_state.h"

enum {
    GAP = 1,
    CELL_MAX_BYTES = 1024,
    ID_WIDTH_MAX = 24,
    SPARK_WIDTH_MAX = WALL_SAMPLES,
    WORDS_WIDTH_MAX = 40
};

/* A cell's text, and how it is drawn. Right: numbers. */
struct column {
    const char *head;
    unsigned width;
    unsigned worth; /* the least first */
    bool right;
    enum pen (*cell)(const struct wall_row *row, int64_t now_us, struct buf *into);
};

/* ---- numbers ---- */

void wall_text_count(struct buf *into, int64_t count)
{
    if (count < 0)
        (void)buf_add_char(into, '-');
    else if (count < 1000)
        (void)buf_printf(into, "%" PRId64, count);
    else if (count < 1000000)
        (void)buf_printf(into, "%" PRId64 ",%03" PRId64, count / 1000, count % 1000);
    else
        (void)buf_printf(into, "%" PRId64 ",%03" PRId64 ",%03" PRId64, count / 1000000,
                         count / 1000 % 1000, count % 1000);
}

void wall_text_rate(struct buf *into, double rate)
{
    if (!(rate >= 0))
        (void)buf_add_char(into, '-');
    else
        (void)buf_printf(into, rate < 99.95 ? "%.1f" : "%.0f", rate);
}

/* In six columns. */
static void add_short(struct buf *into, int64_t count)
{
    if (count < 100000)
        wall_text_count(into, count);
    else if (count < 10000000)
        (void)buf_printf(into, "%" PRId64 "k", count / 1000);
    else
        (void)buf_printf(into, "%" PRId64 "M", count / 1000000);
}

static void add_span(struct buf *into, double ms)
{
    if (!(ms >= 0))
        (void)buf_add_char(into, '-');
    else if (ms < 10)
        (void)buf_printf(into, "%.1fms", ms);
    else if (ms < 1000)
        (void)buf_printf(into, "%.0fms", ms);
    else if (ms < 100000)
        (void)buf_printf(into, "%.1fs", ms / 1000);
    else
        (void)talk_state_clock((int64_t)ms, into);
}

/* ---- cells ---- */

static enum pen cell_state(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    static const enum pen pens[WALL_STATE_COUNT] = {
        [WALL_IS_PREPARING] = PEN_INFO, [WALL_IS_RUNNING] = PEN_GOOD,
        [WALL_IS_PAUSED] = PEN_WARN,    [WALL_IS_CLOSING] = PEN_INFO,
        [WALL_IS_ENDED] = PEN_DIM,      [WALL_IS_FAILED] = PEN_BAD,
        [WALL_IS_UNKNOWN] = PEN_DIM,
    };
    enum wall_state state = wall_row_state(row);

    if (wall_row_waits(row, now_us)) {
        (void)buf_add_text(into, "waiting");
        return PEN_WARN;
    }
    if (state == WALL_IS_UNKNOWN && row->read_at_us >= 0)
        (void)buf_add_text(into, row->facts.talk.state);
    else
        (void)buf_add_text(into, wall_state_name(state));
    return pens[state];
}

static enum pen cell_id(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    (void)now_us;
    (void)buf_add_text(into, row->id);
    return PEN_TEXT;
}

static enum pen cell_speaker(const struct wall_row *row, int64_t now_us,
                             struct buf *into)
{
    struct str name = wall_row_speaker(row);
    int64_t seat = row->facts.talk.seat;

    (void)now_us;
    if (seat < 1 || wall_row_ended(row))
        (void)buf_add_char(into, '-');
    else if (name.len > 0)
        (void)buf_add_str(into, name);
    else
        (void)buf_printf(into, "seat %" PRId64, seat);
    return seat < 1 || wall_row_ended(row) ? PEN_DIM : pen_persona(seat);
}

/* "12/50"; a limit that does not fit is left out. */
static enum pen cell_turn(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    const struct talk_facts *talk = &row->facts.talk;

    (void)now_us;
    add_short(into, talk->turns);
    if (talk->turns <= 999 && talk->max_turns >= 0 && talk->max_turns <= 999)
        (void)buf_printf(into, "/%" PRId64, talk->max_turns);
    return PEN_TEXT;
}

static enum pen cell_tokens(const struct wall_row *row, int64_t now_us,
                            struct buf *into)
{
    (void)now_us;
    add_short(into, row->facts.talk.tokens);
    return PEN_TEXT;
}

static enum pen cell_rate(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    double rate = wall_row_rate(row, now_us);

    wall_text_rate(into, rate);
    return rate < 0 ? PEN_DIM : PEN_TEXT;
}

static enum pen cell_speed(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    (void)now_us;
    wall_text_rate(into, row->turn.tokens_per_second);
    return PEN_TEXT;
}

static enum pen cell_wait(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    (void)now_us;
    add_span(into, row->turn.queue_wait_ms);
    return PEN_TEXT;
}

static enum pen cell_asked(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    int64_t asked_ms = wall_row_asked_ms(row, now_us);

    add_span(into, (double)asked_ms);
    return asked_ms < 0 ? PEN_DIM : PEN_TEXT;
}

static enum pen cell_tries(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    bool ended = wall_row_ended(row);

    (void)now_us;
    wall_text_count(into, ended ? -1 : row->facts.attempts);
    return !ended && row->facts.attempts > 1 ? PEN_WARN : PEN_DIM;
}

static enum pen cell_left(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    int64_t left_ms = wall_row_left_ms(row, now_us);

    if (left_ms < 0)
        (void)buf_add_char(into, '-');
    else
        (void)talk_state_clock(left_ms, into);
    return left_ms < 0 ? PEN_DIM : PEN_TEXT;
}

static enum pen cell_words(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    unsigned bad = WALL_WAITS | WALL_REWOUND | WALL_FAILED_TURNS;
    unsigned warnings = wall_row_warnings(row);

    (void)now_us;
    wall_row_words(row, into);
    if (wall_row_state(row) == WALL_IS_FAILED || (warnings & bad))
        return PEN_BAD;
    return warnings ? PEN_WARN : PEN_DIM;
}

static enum pen cell_topic(const struct wall_row *row, int64_t now_us, struct buf *into)
{
    bool has_topic = row->topic != NULL && row->topic[0] != '\0';

    (void)now_us;
    if (has_topic || row->setting != NULL)
        (void)buf_add_text(into, has_topic ? row->topic : row->setting);
    return PEN_DIM;
}

/* clang-format off */
static const struct column columns[COLUMN_COUNT] = {
    [COLUMN_STATE]   = {"state",        9,  0, false, cell_state},
    [COLUMN_ID]      = {"conversation", 12, 1, false, cell_id},
    [COLUMN_SPEAKER] = {"speaks",       14, 3, false, cell_speaker},
    [COLUMN_TURN]    = {"turn",         7,  2, true,  cell_turn},
    [COLUMN_TOKENS]  = {"tokens",       6,  6, true,  cell_tokens},
    [COLUMN_RATE]    = {"tok/s",        6,  4, true,  cell_rate},
    [COLUMN_SPARK]   = {"",             8,  8, false, NULL},
    [COLUMN_SPEED]   = {"model/s",      7,  13, true, cell_speed},
    [COLUMN_WAIT]    = {"queued",       7,  10, true, cell_wait},
    [COLUMN_ASKED]   = {"asked",        6,  9, true,  cell_asked},
    [COLUMN_TRIES]   = {"try",          3,  11, true, cell_tries},
    [COLUMN_LEFT]    = {"left",         7,  5, true,  cell_left},
    [COLUMN_WORDS]   = {"note",         9,  7, false, cell_words},
    [COLUMN_TOPIC]   = {"topic",        20, 12, false, cell_topic},
};
/* clang-format on */

/* ---- the layout ---- */

static unsigned smaller(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* Gives a column that is shown of what is left, until it has `most`. */
static void widen(struct wall_layout *layout, enum wall_column column, unsigned most,
                  unsigned *rest)
{
    unsigned more;

    if (layout->width[column] == 0 || layout->width[column] >= most)
        return;
    more = smaller(most - layout->width[column], *rest);
    layout->width[column] += more;
    *rest -= more;
}

void wall_layout_make(struct wall_layout *layout, unsigned cols, unsigned id_letters)
{
    unsigned rest = cols;
    unsigned col = 0;

    *layout = (struct wall_layout){0};
    for (unsigned worth = 0; worth < COLUMN_COUNT; worth++)
        for (int i = 0; i < COLUMN_COUNT; i++) {
            unsigned width = columns[i].width;

            if (i == COLUMN_ID && id_letters > width)
                width = smaller(id_letters, ID_WIDTH_MAX);
            if (columns[i].worth != worth || rest < width)
                continue;
            layout->width[i] = width;
            rest -= smaller(rest, width + GAP);
        }
    widen(layout, COLUMN_SPARK, SPARK_WIDTH_MAX, &rest);
    widen(layout, COLUMN_WORDS,
          layout->width[COLUMN_TOPIC] > 0 ? WORDS_WIDTH_MAX : cols, &rest);
    widen(layout, COLUMN_TOPIC, cols, &rest);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        layout->col[i] = col;
        col += layout->width[i] > 0 ? layout->width[i] + GAP : 0;
    }
}

void wall_layout_heads(const struct wall_layout *layout, struct canvas *canvas,
                       unsigned row, unsigned col)
{
    for (int i = 0; i < COLUMN_COUNT; i++) {
        struct str head = str_of(columns[i].head);
        unsigned at = col + layout->col[i];

        if (columns[i].right)
            (void)canvas_put_right(canvas, row, at, layout->width[i], PEN_HEAD, head);
        else
            (void)canvas_put(canvas, row, at, layout->width[i], PEN_HEAD, head);
    }
}

static void draw_spark(struct canvas *canvas, struct area area,
                       const struct wall_row *row)
{
    double values[WALL_SAMPLES];
    double top = 0;

    for (unsigned i = 0; i < row->sample_count; i++) {
        values[i] = wall_row_sample(row, i);
        top = values[i] > top ? values[i] : top;
    }
    if (row->sample_count > 0)
        canvas_spark(canvas, area, PEN_GRAPH, values, row->sample_count, top);
}

static void draw_cell(const struct wall_layout *layout, enum wall_column column,
                      struct canvas *canvas, struct area area, struct str text,
                      enum pen pen)
{
    unsigned at = area.col + layout->col[column];

    if (columns[column].right)
        (void)canvas_put_right(canvas, area.row, at, layout->width[column], pen, text);
    else
        (void)canvas_put_cut(canvas, area.row, at, layout->width[column], pen, text);
}

void wall_layout_row(const struct wall_layout *layout, struct canvas *canvas,
                     struct area area, const struct wall_row *row, int64_t now_us)
{
    struct buf text;

    buf_init(&text, CELL_MAX_BYTES);
    for (int i = 0; i < COLUMN_COUNT; i++) {
        struct area cell = {area.row, area.col + layout->col[i], 1, layout->width[i]};

        if (cell.cols == 0)
            continue;
        if (columns[i].cell == NULL) {
            draw_spark(canvas, cell, row);
        } else {
            enum pen pen = columns[i].cell(row, now_us, &text);

            draw_cell(layout, (enum wall_column)i, canvas, area, buf_str(&text), pen);
            buf_clear(&text);
        }
    }
    buf_done(&text);
}

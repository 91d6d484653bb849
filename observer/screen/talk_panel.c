/* talk_panel.c - see talk_panel.h. */
#include "observer/screen/talk_panel.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "observer/screen/pen.h"
#include "observer/screen/talk_rows.h"
#include "observer/screen/text.h"
#include "observer/talk_state.h"

enum {
    CELL_MAX_BYTES = 2048,
    STORY_ROWS = 6,
    STORY_ROWS_LOW = 3, /* on a low screen */
    LOW_ROWS = 30,
    ROWS_A_SEAT = 6,
    PART_GAP = 2
};

struct panel {
    const struct talk *talk;
    struct canvas *canvas;
    struct area area; /* what is left */
    struct buf cell;  /* the row being made */
};

/* ---- rows ---- */

/* The row that was made; then the next is begun. */
static void put(struct panel *panel, enum pen pen)
{
    struct area *area = &panel->area;

    if (area->rows > 0) {
        (void)canvas_put_cut(panel->canvas, area->row, area->col, area->cols, pen,
                             buf_str(&panel->cell));
        area->row++;
        area->rows--;
    }
    buf_clear(&panel->cell);
}

static void put_text(struct panel *panel, enum pen pen, const char *text)
{
    (void)buf_add_text(&panel->cell, text);
    put(panel, pen);
}

static void add_count(struct buf *cell, int64_t value)
{
    if (value < 0)
        (void)buf_add_char(cell, '-');
    else
        (void)buf_printf(cell, "%" PRId64, value);
}

/* "96 ms", "1.2 s", "-". */
static void add_span(struct buf *cell, double ms)
{
    if (!(ms >= 0))
        (void)buf_add_char(cell, '-');
    else if (ms < 10)
        (void)buf_printf(cell, "%.1f ms", ms);
    else if (ms < 1000)
        (void)buf_printf(cell, "%.0f ms", ms);
    else
        (void)buf_printf(cell, "%.1f s", ms / 1000);
}

static void add_name(struct buf *cell, const struct buf *name)
{
    (void)buf_add_text(cell, name->len == 0 ? "-" : buf_text(name));
}

/* ---- the conversation ---- */

static void add_since(struct buf *into, int64_t from_us, int64_t now_us)
{
    if (from_us < 0 || now_us < from_us)
        return;
    (void)buf_add_text(into, ", ");
    add_span(into, (double)(now_us - from_us) / 1000);
}

bool talk_panel_awaited(const struct talk *talk, int64_t now_us, struct buf *into)
{
    const struct talk_facts *facts = &talk->facts;

    if (talk->presence != TALK_HERE || talk_ended(talk))
        return false;
    if (strcmp(facts->state, "preparing") == 0) {
        (void)buf_add_text(into, "the story is being written");
        add_since(into, facts->created_at_us, now_us);
        return true;
    }
    if (strcmp(facts->phase, "asked") != 0)
        return false;
    talk_name(talk, facts->seat, into);
    (void)buf_add_text(into, talk_speaking(talk) != NULL ? " speaks" : " thinks");
    add_since(into, facts->asked_at_us, now_us);
    return true;
}

static enum pen state_pen(const char *state)
{
    if (strcmp(state, "running") == 0)
        return PEN_GOOD;
    if (strcmp(state, "paused") == 0)
        return PEN_WARN;
    return strcmp(state, "ended") == 0 ? PEN_TEXT : PEN_INFO;
}

/* Returns how it is to be drawn. */
static enum pen add_state(const struct talk *talk, struct buf *cell)
{
    const struct talk_facts *facts = &talk->facts;

    if (talk->presence != TALK_HERE) {
        (void)buf_add_text(cell, talk->presence == TALK_ASKED  ? "asking..."
                                 : talk->presence == TALK_LOST ? "history lost"
                                                               : "unknown");
        return talk->presence == TALK_ASKED ? PEN_DIM : PEN_BAD;
    }
    talk_line_say(cell, str_of(facts->state));
    if (facts->reason[0] != '\0' && strcmp(facts->state, "running") != 0) {
        (void)buf_add_text(cell, ": ");
        talk_line_say(cell, str_of(facts->reason));
    }
    return state_pen(facts->state);
}

static void add_turns(const struct talk_facts *facts, struct buf *cell)
{
    add_count(cell, facts->turns);
    if (facts->max_turns >= 0)
        (void)buf_printf(cell, " of %" PRId64, facts->max_turns);
}

static void add_left(const struct talk_facts *facts, int64_t now_us, struct buf *cell)
{
    int64_t left_ms = facts->left_ms;

    if (facts->deadline_us >= 0)
        left_ms = (facts->deadline_us - now_us) / 1000;
    if (left_ms < 0 && facts->deadline_us < 0)
        (void)buf_add_char(cell, '-');
    else
        (void)talk_state_clock(left_ms, cell); /* a cell has room for it */
}

static void put_state(struct panel *panel)
{
    enum pen pen = add_state(panel->talk, &panel->cell);

    put(panel, pen);
}

static void put_progress(struct panel *panel, int64_t now_us)
{
    const struct talk_facts *facts = &panel->talk->facts;

    (void)buf_add_text(&panel->cell, "turns   ");
    add_turns(facts, &panel->cell);
    put(panel, PEN_TEXT);
    (void)buf_add_text(&panel->cell, "tokens  ");
    add_count(&panel->cell, facts->tokens);
    put(panel, PEN_TEXT);
    (void)buf_add_text(&panel->cell, "left    ");
    add_left(facts, now_us, &panel->cell);
    put(panel, PEN_TEXT);
}

static void put_awaited(struct panel *panel, int64_t now_us)
{
    const struct talk *talk = panel->talk;

    if (!talk_panel_awaited(talk, now_us, &panel->cell))
        return;
    put(panel, PEN_LIVE);
    if (talk->waiting.len == 0)
        return;
    (void)buf_printf(&panel->cell, "waits for %s", buf_text(&talk->waiting));
    put(panel, PEN_WARN);
}

static void put_story(struct panel *panel)
{
    struct str text = buf_str(&panel->talk->setting);
    unsigned rows = panel->area.rows < LOW_ROWS ? STORY_ROWS_LOW : STORY_ROWS;
    size_t from = 0;

    put_text(panel, PEN_HEAD, "Story");
    if (text.len == 0)
        put_text(panel, PEN_DIM, "-");
    for (unsigned i = 0; i < rows && from < text.len; i++) {
        size_t next;
        size_t len = talk_rows_break(text, from, panel->area.cols, &next);
        bool cut = i + 1 == rows && next < text.len;

        if (cut && panel->area.cols > 3) /* room for the mark */
            len = text_fit(str_make(text.at + from, len), panel->area.cols - 3);
        (void)buf_add(&panel->cell, text.at + from, len);
        if (cut)
            (void)buf_add_text(&panel->cell, "...");
        put(panel, PEN_DIM);
        from = next;
    }
}

/* ---- who takes part ---- */

static void put_context(struct panel *panel, const struct talk_seat *seat)
{
    int64_t used = talk_seat_context(seat);
    struct area bar = panel->area;
    struct buf *cell = &panel->cell;

    (void)buf_add_text(cell, "  ctx ");
    if (bar.rows > 0 && bar.cols > 30 && used >= 0 && seat->num_ctx > 0) {
        bar.col += 6;
        bar.cols = bar.cols - 26;
        bar.rows = 1;
        canvas_bar(panel->canvas, bar, PEN_GRAPH, (double)used / (double)seat->num_ctx);
        (void)buf_printf(cell, "%*s ", (int)bar.cols, "");
    }
    add_count(cell, used);
    (void)buf_add_text(cell, " of ");
    add_count(cell, seat->num_ctx);
    if (used >= 0 && seat->num_ctx > 0)
        (void)buf_printf(cell, ", %.0f %%", 100 * (double)used / (double)seat->num_ctx);
}

/* The bar stands where the row has blanks: the row is put around it. */
static void put_around_bar(struct panel *panel, const struct talk_seat *seat)
{
    struct area row = panel->area;
    struct str text;
    size_t end = 6;
    size_t rest;

    put_context(panel, seat);
    text = buf_str(&panel->cell);
    rest = end;
    while (rest < text.len && text.at[rest] == ' ')
        rest++;
    if (row.rows > 0) {
        (void)canvas_put(panel->canvas, row.row, row.col, row.cols, PEN_DIM,
                         str_make(text.at, end));
        if (rest < row.cols)
            (void)canvas_put_cut(panel->canvas, row.row, row.col + (unsigned)rest,
                                 row.cols - (unsigned)rest, PEN_TEXT,
                                 str_make(text.at + rest, text.len - rest));
        panel->area.row++;
        panel->area.rows--;
    }
    buf_clear(&panel->cell);
}

static void put_seat(struct panel *panel, int64_t number)
{
    const struct talk_seat *seat = &panel->talk->seats[number - 1];
    const struct talk_line *speaking = talk_speaking(panel->talk);
    struct buf *cell = &panel->cell;

    talk_name(panel->talk, number, cell);
    if (speaking != NULL && speaking->seat == number)
        (void)buf_add_text(cell, " (speaks)");
    put(panel, pen_persona(number));
    (void)buf_add_text(cell, "  ");
    add_name(cell, &seat->model);
    (void)buf_add_text(cell, " at ");
    add_name(cell, &seat->endpoint);
    put(panel, PEN_TEXT);
    (void)buf_printf(cell, "  %" PRId64 " turn%s, ", seat->turns,
                     seat->turns == 1 ? "" : "s");
    add_count(cell, seat->turns > 0 && seat->counted == 0 ? -1 : seat->tokens);
    (void)buf_add_text(cell, " tokens, ");
    if (seat->last.tokens_per_second >= 0)
        (void)buf_printf(cell, "%.1f/s", seat->last.tokens_per_second);
    else
        (void)buf_add_text(cell, "-/s");
    put(panel, PEN_TEXT);
    (void)buf_add_text(cell, "  ttft ");
    add_span(cell, seat->last.first_token_ms);
    (void)buf_add_text(cell, ", mean ");
    add_span(cell, talk_seat_first_token_ms(seat));
    put(panel, PEN_TEXT);
    put_around_bar(panel, seat);
    (void)buf_add_text(cell, "  wait ");
    add_span(cell, seat->last.queue_wait_ms);
    (void)buf_add_text(cell, ", attempts ");
    add_count(cell, seat->last.attempts);
    put(panel, PEN_TEXT);
}

static void put_seats(struct panel *panel)
{
    const struct talk *talk = panel->talk;

    for (size_t i = 1; i <= talk->seat_count; i++) {
        if (panel->area.rows < ROWS_A_SEAT + 1 && i < talk->seat_count) {
            (void)buf_printf(&panel->cell, "and %zu more", talk->seat_count - i + 1);
            put(panel, PEN_DIM);
            return;
        }
        put_text(panel, PEN_TEXT, "");
        put_seat(panel, (int64_t)i);
    }
    if (talk->counted_from <= 1)
        return;
    (void)buf_printf(&panel->cell,
                     "counted: turns %" PRId64 " to %" PRId64 ", as read here",
                     talk->counted_from, talk->counted_to);
    put(panel, PEN_DIM);
}

void talk_panel_draw(const struct talk *talk, struct canvas *canvas, struct area area,
                     int64_t now_us)
{
    struct panel panel = {.talk = talk, .canvas = canvas, .area = area};

    buf_init(&panel.cell, CELL_MAX_BYTES);
    put_text(&panel, PEN_HEAD, talk->id);
    put_state(&panel);
    put_progress(&panel, now_us);
    put_awaited(&panel, now_us);
    put_text(&panel, PEN_TEXT, "");
    put_story(&panel);
    put_seats(&panel);
    buf_done(&panel.cell);
}

/* ---- one row instead ---- */

/* What was made, and a gap behind it. */
static void put_part(struct panel *panel, enum pen pen)
{
    struct area *area = &panel->area;
    unsigned used = canvas_put_cut(panel->canvas, area->row, area->col, area->cols, pen,
                                   buf_str(&panel->cell))
                    + PART_GAP;

    used = used < area->cols ? used : area->cols;
    area->col += used;
    area->cols -= used;
    buf_clear(&panel->cell);
}

static void put_parts(struct panel *panel, int64_t now_us)
{
    const struct talk *talk = panel->talk;

    if (talk->facts.turns >= 0) {
        add_turns(&talk->facts, &panel->cell);
        (void)buf_add_text(
            &panel->cell,
            talk->facts.turns == 1 && talk->facts.max_turns < 0 ? " turn" : " turns");
        put_part(panel, PEN_TEXT);
    }
    if (!talk_ended(talk)
        && (talk->facts.deadline_us >= 0 || talk->facts.left_ms >= 0)) {
        add_left(&talk->facts, now_us, &panel->cell);
        (void)buf_add_text(&panel->cell, " left");
        put_part(panel, PEN_TEXT);
    }
    /* Before the first line the whole screen says what is awaited. */
    if (talk->count > 0 && talk_panel_awaited(talk, now_us, &panel->cell))
        put_part(panel, PEN_LIVE);
    if (talk->waiting.len == 0)
        return;
    (void)buf_printf(&panel->cell, "waits for %s", buf_text(&talk->waiting));
    put_part(panel, PEN_WARN);
}

void talk_panel_draw_row(const struct talk *talk, struct canvas *canvas,
                         struct area area, int64_t now_us)
{
    struct panel panel = {.talk = talk, .canvas = canvas, .area = area};
    unsigned id_cols = (unsigned)strlen(talk->id) + PART_GAP;
    enum pen pen;

    if (id_cols < area.cols) {
        (void)canvas_put_right(canvas, area.row, area.col, area.cols, PEN_HEAD,
                               str_of(talk->id));
        panel.area.cols -= id_cols;
    }
    buf_init(&panel.cell, CELL_MAX_BYTES);
    pen = add_state(talk, &panel.cell);
    put_part(&panel, pen);
    if (talk->presence == TALK_HERE)
        put_parts(&panel, now_us);
    buf_done(&panel.cell);
}

/* fleet_screen.c - see fleet_screen.h.
 *
 * Flow: show -> the source feeds the fleet -> changed -> draw: lines anew, the selected
 *       one found again by its key
 *       act -> move, filter; retry, drop: asked first -> prompted -> command
 */
#include "observer/screen/fleet_screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "observer/model/fleet.h"
#include "observer/screen/fleet_lines.h"
#include "observer/source/order.h"
#include "observer/source/source.h"

enum {
    STATUS_SIZE = FLEET_FILTER_SIZE + 32,
    TEXT_SIZE = 512,
    SPARK_COLS = FLEET_SECONDS,
    HEAD_ROWS = 2,
    HEAD_LEAST = 8 /* rows of the screen from which on there is a head */
};

struct fleet_screen {
    const struct screen_host *host;
    const struct source *source;
    struct fleet *fleet;      /* owned */
    struct fleet_lines lines; /* of the last frame */
    size_t selected;          /* in lines */
    char key[FLEET_KEY_SIZE]; /* of the selected line; "": the first there is */
    size_t top;               /* the first line drawn */
    struct area list;         /* where the lines were drawn last */
    struct order order;       /* asked about; carried out on a yes */
    char filter[FLEET_FILTER_SIZE];
    bool inverse;
    char status[STATUS_SIZE];
};

static void on_change(void *owner)
{
    struct fleet_screen *screen = owner;

    screen->host->changed(screen->host->owner);
}

/* ---- the lines, and which is selected ---- */

static bool is_at(const struct fleet_screen *screen, size_t i)
{
    char key[FLEET_KEY_SIZE];

    fleet_line_key(&screen->lines.at[i], screen->fleet, key);
    return strcmp(key, screen->key) == 0;
}

/* The line at `at` or the next one that can be selected, in that direction; where there
 * is none, in the other. */
static size_t selectable_from(const struct fleet_lines *lines, size_t at, bool down)
{
    for (int turn = 0; turn < 2; turn++, down = !down)
        for (size_t i = at; i < lines->count; i = down ? i + 1 : i - 1)
            if (fleet_line_selectable(&lines->at[i]))
                return i;
    return 0;
}

static void select_line(struct fleet_screen *screen, size_t at, bool down)
{
    size_t count = screen->lines.count;

    if (count == 0)
        return;
    screen->selected =
        selectable_from(&screen->lines, at < count ? at : count - 1, down);
    fleet_line_key(&screen->lines.at[screen->selected], screen->fleet, screen->key);
}

static void find_selected(struct fleet_screen *screen)
{
    for (size_t i = 0; screen->key[0] != '\0' && i < screen->lines.count; i++)
        if (fleet_line_selectable(&screen->lines.at[i]) && is_at(screen, i)) {
            screen->selected = i;
            return;
        }
    select_line(screen, screen->selected, true);
}

/* The fleet may have changed since the last frame. False: what was selected there is
 * gone, and nothing is to be done to what has its place now. */
static bool is_still_selected(struct fleet_screen *screen)
{
    char before[FLEET_KEY_SIZE];

    memcpy(before, screen->key, sizeof before);
    fleet_lines_make(&screen->lines, screen->fleet, str_of(screen->filter),
                     screen->inverse);
    find_selected(screen);
    return before[0] != '\0' && strcmp(before, screen->key) == 0;
}

static void scroll(struct fleet_screen *screen, size_t rows)
{
    size_t at = screen->selected;
    size_t most = screen->lines.count > rows ? screen->lines.count - rows : 0;

    /* The heading above the first one that can be selected is not lost. */
    if (at <= screen->top && at > 0)
        screen->top = at - 1;
    if (at >= screen->top + rows)
        screen->top = at - rows + 1;
    if (screen->top > most)
        screen->top = most;
}

/* ---- drawing ---- */

/* "3 members, 1 silent  60 conversations"; of a record nobody can be silent. */
static void add_counts(const struct fleet *fleet, int64_t now_us, struct buf *into)
{
    const struct fleet_totals *totals = fleet_totals(fleet);
    size_t count;
    size_t beyond;
    size_t silent = 0;
    const struct fleet_member *members = fleet_members(fleet, &count, &beyond);

    for (size_t i = 0; i < count; i++)
        silent += fleet_member_silent(&members[i], now_us);
    count += beyond;
    (void)buf_printf(into, "%zu member%s", count, count == 1 ? "" : "s");
    if (!totals->recorded)
        (void)buf_printf(into, ", %zu silent", silent);
    if (totals->conversations < 0)
        (void)buf_add_text(into, "  - conversations");
    else
        (void)buf_printf(into, "  %" PRId64 " conversation%s", totals->conversations,
                         totals->conversations == 1 ? "" : "s");
}

static void add_redis(const struct fleet_totals *totals, struct buf *into)
{
    char bytes[32];

    (void)buf_printf(into, "  Redis %s", fleet_bytes(totals->memory_bytes, bytes));
    if (totals->memory_max_bytes > 0)
        (void)buf_printf(into, " of %s", fleet_bytes(totals->memory_max_bytes, bytes));
    if (totals->refusal[0] != '\0')
        (void)buf_add_text(into, "  REFUSES WRITES: ");
}

static void draw_totals(const struct fleet_screen *screen, struct canvas *canvas,
                        struct area row, int64_t now_us)
{
    const struct fleet_totals *totals = fleet_totals(screen->fleet);
    bool led = totals->recorded || totals->leader[0] != '\0';
    struct buf text;

    buf_init(&text, TEXT_SIZE);
    (void)buf_printf(&text, "%s  ",
                     totals->recorded ? "a recorded run"
                     : led            ? totals->leader
                                      : "nobody leads");
    add_counts(screen->fleet, now_us, &text);
    if (!totals->recorded)
        add_redis(totals, &text);
    row.col += canvas_put_cut(canvas, row.row, row.col, row.cols,
                              led ? PEN_BOLD : PEN_BAD, buf_str(&text));
    (void)canvas_put_cut(canvas, row.row, row.col, row.cols, PEN_BAD,
                         str_of(totals->refusal));
    buf_done(&text);
}

static void draw_calls(const struct fleet_screen *screen, struct canvas *canvas,
                       struct area row, int64_t now_us)
{
    struct fleet_rates rates = fleet_rates(screen->fleet, now_us);
    double values[FLEET_SECONDS];
    double top = 1;
    char text[TEXT_SIZE];
    unsigned used;

    fmt_into(text, sizeof text,
             "calls of the last minute: %s%" PRId64 " (%.1f/s), wasted %" PRId64
             ", tokens %" PRId64 " ",
             rates.at_least ? "at least " : "", rates.calls, rates.calls_per_second,
             rates.wasted, rates.tokens);
    used = canvas_put_cut(canvas, row.row, row.col, row.cols,
                          rates.wasted > 0 ? PEN_WARN : PEN_TEXT, str_of(text))
           + 1;
    for (int64_t ago = 0; ago < FLEET_SECONDS; ago++) {
        double value = (double)fleet_calls_in(screen->fleet, now_us, ago);

        values[FLEET_SECONDS - 1 - ago] = value;
        top = value > top ? value : top;
    }
    if (used >= row.cols)
        return;
    row.col += used;
    row.cols = row.cols - used < SPARK_COLS ? row.cols - used : SPARK_COLS;
    canvas_spark(canvas, row, PEN_GRAPH, values, FLEET_SECONDS, top);
}

static void draw_lines(struct fleet_screen *screen, struct canvas *canvas,
                       int64_t now_us)
{
    const struct area *list = &screen->list;

    for (unsigned i = 0; i < list->rows && screen->top + i < screen->lines.count; i++) {
        const struct fleet_line *line = &screen->lines.at[screen->top + i];
        struct area row = {list->row + i, list->col, 1, list->cols};

        fleet_line_draw(line, screen->fleet, canvas, row, now_us);
        if (screen->top + i == screen->selected && fleet_line_selectable(line))
            canvas_select(canvas, row);
    }
}

static void draw(void *self, struct canvas *canvas, struct area area, int64_t now_us)
{
    struct fleet_screen *screen = self;
    unsigned head = area.rows >= HEAD_LEAST ? HEAD_ROWS : 0;

    screen->list =
        (struct area){area.row + head, area.col, area.rows - head, area.cols};
    fleet_lines_make(&screen->lines, screen->fleet, str_of(screen->filter),
                     screen->inverse);
    find_selected(screen);
    scroll(screen, screen->list.rows > 0 ? screen->list.rows : 1);
    if (head > 0) {
        draw_totals(screen, canvas, (struct area){area.row, area.col, 1, area.cols},
                    now_us);
        draw_calls(screen, canvas, (struct area){area.row + 1, area.col, 1, area.cols},
                   now_us);
    }
    draw_lines(screen, canvas, now_us);
}

/* ---- keys ---- */

static void move(struct fleet_screen *screen, int64_t rows)
{
    int64_t at = (int64_t)screen->selected + rows;

    select_line(screen, at < 0 ? 0 : (size_t)at, rows > 0);
}

static bool act_move(struct fleet_screen *screen, enum action action)
{
    int64_t by;

    if (keymap_steps(action, (int64_t)screen->list.rows, &by)) {
        move(screen, by);
        return true;
    }
    switch (action) {
    case ACTION_TOP:
        select_line(screen, 0, true);
        screen->top = 0;
        return true;
    case ACTION_BOTTOM:
        select_line(screen, SIZE_MAX, false);
        return true;
    default:
        return false;
    }
}

static const struct fleet_line *selected(const struct fleet_screen *screen,
                                         enum fleet_line_kind kind)
{
    const struct fleet_line *line = screen->selected < screen->lines.count
                                        ? &screen->lines.at[screen->selected]
                                        : NULL;

    return line != NULL && line->kind == kind ? line : NULL;
}

static const struct fleet_dead *selected_dead(const struct fleet_screen *screen)
{
    const struct fleet_line *line = selected(screen, FLEET_LINE_DEAD);
    size_t count;
    size_t beyond;
    const struct fleet_dead *dead = fleet_dead_turns(screen->fleet, &count, &beyond);

    return line != NULL && line->number < count ? &dead[line->number] : NULL;
}

/* Of an event, or of a turn given up. */
static void open_selected(struct fleet_screen *screen)
{
    bool there = is_still_selected(screen);
    const struct fleet_line *event = selected(screen, FLEET_LINE_EVENT);
    const struct fleet_dead *dead = selected_dead(screen);
    const char *id = "";

    if (!there)
        return;
    if (event != NULL)
        id = fleet_event_at(screen->fleet, event->number)->conversation;
    else if (dead != NULL)
        id = dead->conversation;
    if (conversation_id_valid(str_of(id)))
        screen->host->open(screen->host->owner, id);
}

static void ask_filter(struct fleet_screen *screen)
{
    char initial[FLEET_FILTER_SIZE + 1];

    fmt_into(initial, sizeof initial, "%s%s", screen->inverse ? "!" : "",
             screen->filter);
    screen->host->ask_line(screen->host->owner, PROMPT_FILTER,
                           "filter events: ", str_of(initial));
}

static bool clear(struct fleet_screen *screen)
{
    bool was = screen->filter[0] != '\0';

    screen->filter[0] = '\0';
    screen->inverse = false;
    return was;
}

static void ask_order(struct fleet_screen *screen, enum order_kind kind)
{
    bool there = is_still_selected(screen);
    const struct fleet_dead *dead = selected_dead(screen);
    char question[ORDER_QUESTION_SIZE];

    if (screen->host->read_only || screen->source->ops->command == NULL)
        return;
    if (!there || dead == NULL) {
        screen->host->notice(screen->host->owner, PEN_WARN,
                             "select a turn given up first");
        return;
    }
    screen->order = (struct order){.kind = kind};
    if (conversation_id_valid(str_of(dead->conversation)))
        fmt_into(screen->order.conversation, CONVERSATION_SIZE, "%.*s",
                 CONVERSATION_SIZE - 1, dead->conversation);
    fmt_into(screen->order.record, sizeof screen->order.record, "%s", dead->record);
    order_question(&screen->order, question);
    screen->host->ask_yes(screen->host->owner, PROMPT_CONFIRM, question);
}

static bool act(void *self, enum action action, int64_t now_us)
{
    struct fleet_screen *screen = self;

    (void)now_us;
    switch (action) {
    case ACTION_OPEN:
        open_selected(screen);
        return true;
    case ACTION_SEARCH:
        ask_filter(screen);
        return true;
    case ACTION_CLEAR:
        return clear(screen);
    case ACTION_RETRY:
        ask_order(screen, ORDER_RETRY);
        return true;
    case ACTION_DROP:
        ask_order(screen, ORDER_DROP);
        return true;
    default:
        return act_move(screen, action);
    }
}

static void take_filter(struct fleet_screen *screen, struct str text)
{
    screen->inverse = text.len > 1 && text.at[0] == '!';
    if (screen->inverse)
        text = str_make(text.at + 1, text.len - 1);
    (void)snprintf(screen->filter, sizeof screen->filter, "%.*s", (int)text.len,
                   text.len > 0 ? text.at : ""); /* a long one is cut */
}

static void prompted(void *self, enum prompt_kind kind, struct str text)
{
    struct fleet_screen *screen = self;
    const struct source *source = screen->source;
    struct err err = {0};

    if (kind == PROMPT_FILTER)
        take_filter(screen, text);
    if (kind != PROMPT_CONFIRM || source->ops->command == NULL)
        return;
    if (!source->ops->command(source->self, &screen->order, &err))
        screen->host->notice(screen->host->owner, PEN_BAD, err.msg);
}

/* ---- the rest of the table ---- */

static void show(void *self, bool shown)
{
    struct fleet_screen *screen = self;

    if (screen->source->ops->watch_fleet != NULL)
        screen->source->ops->watch_fleet(screen->source->self,
                                         shown ? screen->fleet : NULL);
}

static const char *status(void *self)
{
    struct fleet_screen *screen = self;

    if (screen->filter[0] == '\0')
        return "";
    fmt_into(screen->status, sizeof screen->status, "events %s '%s'",
             screen->inverse ? "without" : "with", screen->filter);
    return screen->status;
}

static void click(void *self, unsigned row, unsigned col, int64_t now_us)
{
    struct fleet_screen *screen = self;
    size_t at = screen->top + (row - screen->list.row);

    (void)col;
    (void)now_us;
    if (row < screen->list.row || at >= screen->lines.count
        || !fleet_line_selectable(&screen->lines.at[at]))
        return;
    if (at == screen->selected)
        open_selected(screen);
    else
        select_line(screen, at, true);
}

static void free_screen(void *self)
{
    struct fleet_screen *screen = self;

    fleet_lines_done(&screen->lines);
    fleet_free(screen->fleet);
    free(screen);
}

static const struct screen_ops ops = {
    .name = "fleet",
    .where = IN_FLEET,
    .show = show,
    .draw = draw,
    .act = act,
    .prompted = prompted,
    .status = status,
    .click = click,
    .free = free_screen,
};

struct screen fleet_screen_new(const struct screen_host *host,
                               const struct source *source)
{
    struct fleet_screen *screen = x_calloc(1, sizeof *screen);

    screen->host = host;
    screen->source = source;
    screen->fleet = fleet_new(on_change, screen);
    return (struct screen){&ops, screen};
}

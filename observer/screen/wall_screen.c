/* wall_screen.c - see wall_screen.h.
 *
 * Flow: show -> the source feeds the wall -> changed -> draw
 *       act -> move, sort, filter; pause, resume, stop: asked first -> prompted ->
 * command
 */
#include "observer/screen/wall_screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/model/wall.h"
#include "observer/screen/wall_columns.h"
#include "observer/screen/wall_head.h"
#include "observer/source/order.h"
#include "observer/source/source.h"

enum { STATUS_SIZE = 64 };

struct wall_screen {
    const struct screen_host *host;
    const struct source *source;
    struct wall *wall;  /* owned */
    struct order order; /* asked about; carried out on a yes */
    bool had_rows;      /* some conversation was here once */
    struct area list;   /* where the rows were drawn last */
    char status[STATUS_SIZE];
};

static void on_change(void *owner)
{
    struct wall_screen *screen = owner;

    screen->host->changed(screen->host->owner);
}

/* ---- drawing ---- */

static unsigned id_letters(const struct wall *wall)
{
    size_t most = 0;

    for (size_t i = wall_top(wall); i < wall_top(wall) + wall_rows(wall); i++) {
        size_t letters;

        if (i >= wall_shown(wall))
            break;
        letters = strlen(wall_at(wall, i)->id);
        most = letters > most ? letters : most;
    }
    return (unsigned)most;
}

/* Why there are no rows. */
static const char *words_for_none(const struct wall_screen *screen, int64_t now_us)
{
    const struct wall_totals *totals = wall_totals(screen->wall, now_us);

    if (wall_count(screen->wall) > 0)
        return "No conversation passes the filter. Esc takes it away.";
    if (!totals->redis_ok && totals->redis[0] != '\0')
        return "Redis cannot be asked.";
    if (totals->known < 0)
        return "Reading...";
    if (totals->known > 0)
        return "Reading the conversations...";
    return screen->had_rows ? "All conversations are gone: cleaned away, or Redis was "
                              "emptied. New ones appear here."
                            : "No conversations yet. New ones appear here.";
}

static void draw_rows(struct wall_screen *screen, struct canvas *canvas,
                      struct area area, bool has_heads, int64_t now_us)
{
    struct wall_layout layout;

    wall_layout_make(&layout, area.cols, id_letters(screen->wall));
    if (has_heads)
        wall_layout_heads(&layout, canvas, area.row - 1, area.col);
    for (unsigned i = 0; i < area.rows; i++) {
        size_t at = wall_top(screen->wall) + i;
        struct area line = {area.row + i, area.col, 1, area.cols};

        if (at >= wall_shown(screen->wall))
            return;
        wall_layout_row(&layout, canvas, line, wall_at(screen->wall, at), now_us);
        if (at == wall_selected_at(screen->wall))
            canvas_select(canvas, line);
    }
}

static void draw(void *self, struct canvas *canvas, struct area area, int64_t now_us)
{
    struct wall_screen *screen = self;
    bool has_heads = area.rows > 2;
    unsigned head = wall_head_rows(area.rows) + (has_heads ? 1 : 0);

    screen->list =
        (struct area){area.row + head, area.col, area.rows - head, area.cols};
    wall_look(screen->wall, screen->list.rows);
    wall_arrange(screen->wall, now_us);
    screen->had_rows = screen->had_rows || wall_count(screen->wall) > 0;
    wall_head_draw(screen->wall, canvas, area, now_us);
    draw_rows(screen, canvas, screen->list, has_heads, now_us);
    if (wall_shown(screen->wall) == 0)
        (void)canvas_put_cut(canvas, screen->list.row, area.col, area.cols, PEN_DIM,
                             str_of(words_for_none(screen, now_us)));
}

/* ---- keys ---- */

static void move(struct wall_screen *screen, int64_t rows)
{
    int64_t at = (int64_t)wall_selected_at(screen->wall) + rows;

    wall_select(screen->wall, at < 0 ? 0 : (size_t)at);
}

static bool act_move(struct wall_screen *screen, enum action action)
{
    int64_t by;

    if (keymap_steps(action, (int64_t)wall_rows(screen->wall), &by)) {
        move(screen, by);
        return true;
    }
    switch (action) {
    case ACTION_TOP:
        wall_select(screen->wall, 0);
        return true;
    case ACTION_BOTTOM:
        wall_select(screen->wall, SIZE_MAX);
        return true;
    default:
        return false;
    }
}

static void ask_filter(struct wall_screen *screen)
{
    bool inverse;
    struct str text = wall_filter_text(screen->wall, &inverse);
    struct buf initial;

    buf_init(&initial, WALL_FILTER_SIZE + 1);
    if (inverse && text.len > 0)
        (void)buf_add_char(&initial, '!');
    (void)buf_add_str(&initial, text);
    screen->host->ask_line(screen->host->owner, PROMPT_FILTER,
                           "filter: ", buf_str(&initial));
    buf_done(&initial);
}

/* False: there was nothing to take away. */
static bool clear(struct wall_screen *screen)
{
    bool inverse;

    if (wall_filter_text(screen->wall, &inverse).len == 0
        && wall_filtered_states(screen->wall) == WALL_ALL)
        return false;
    wall_filter(screen->wall, str_of(""), false);
    wall_filter_states(screen->wall, WALL_ALL);
    return true;
}

static void next_sort(struct wall_screen *screen, bool reverse)
{
    bool reversed;
    enum wall_sort sort = wall_sorted_by(screen->wall, &reversed);

    if (reverse)
        wall_sort_by(screen->wall, sort, !reversed);
    else
        wall_sort_by(screen->wall, (enum wall_sort)((sort + 1) % WALL_SORT_COUNT),
                     false);
}

static void open_selected(struct wall_screen *screen)
{
    const struct wall_row *row = wall_selected(screen->wall);

    if (row == NULL)
        return;
    wall_select(screen->wall, wall_selected_at(screen->wall)); /* and stays selected */
    screen->host->open(screen->host->owner, row->id);
}

/* Asks about the conversation that is selected now: rows may move before the yes. */
static void ask_order(struct wall_screen *screen, enum order_kind kind)
{
    const struct wall_row *row = wall_selected(screen->wall);
    char question[ORDER_QUESTION_SIZE];

    if (row == NULL || screen->host->read_only || screen->source->ops->command == NULL)
        return;
    wall_select(screen->wall, wall_selected_at(screen->wall));
    screen->order = (struct order){.kind = kind};
    fmt_into(screen->order.conversation, sizeof screen->order.conversation, "%s",
             row->id);
    order_question(&screen->order, question);
    screen->host->ask_yes(screen->host->owner, PROMPT_CONFIRM, question);
}

static bool act_order(struct wall_screen *screen, enum action action)
{
    switch (action) {
    case ACTION_PAUSE:
        ask_order(screen, ORDER_PAUSE);
        return true;
    case ACTION_RESUME:
        ask_order(screen, ORDER_RESUME);
        return true;
    case ACTION_STOP:
        ask_order(screen, ORDER_STOP);
        return true;
    default:
        return false;
    }
}

static bool act(void *self, enum action action, int64_t now_us)
{
    struct wall_screen *screen = self;

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
    case ACTION_SORT:
    case ACTION_SORT_REVERSE:
        next_sort(screen, action == ACTION_SORT_REVERSE);
        return true;
    case ACTION_STATES:
        wall_filter_states(screen->wall,
                           (enum wall_states)((wall_filtered_states(screen->wall) + 1)
                                              % WALL_STATES_COUNT));
        return true;
    default:
        return act_move(screen, action) || act_order(screen, action);
    }
}

static void prompted(void *self, enum prompt_kind kind, struct str text)
{
    struct wall_screen *screen = self;
    const struct source *source = screen->source;
    bool inverse = text.len > 0 && text.at[0] == '!';
    struct err err = {0};

    if (kind == PROMPT_FILTER)
        wall_filter(screen->wall, inverse ? str_make(text.at + 1, text.len - 1) : text,
                    inverse);
    if (kind != PROMPT_CONFIRM || source->ops->command == NULL)
        return;
    if (!source->ops->command(source->self, &screen->order, &err))
        screen->host->notice(screen->host->owner, PEN_BAD, err.msg);
}

/* ---- the rest of the table ---- */

static void show(void *self, bool shown)
{
    struct wall_screen *screen = self;

    if (screen->source->ops->watch_wall != NULL)
        screen->source->ops->watch_wall(screen->source->self,
                                        shown ? screen->wall : NULL);
}

static const char *status(void *self)
{
    struct wall_screen *screen = self;
    size_t shown = wall_shown(screen->wall);

    if (shown == 0)
        return "";
    fmt_into(screen->status, sizeof screen->status, "%zu of %zu",
             wall_selected_at(screen->wall) + 1, shown);
    return screen->status;
}

static const char *step(void *self, int rows)
{
    struct wall_screen *screen = self;
    const struct wall_row *row;

    if (rows != 0)
        move(screen, rows);
    row = wall_selected(screen->wall);
    return row == NULL ? NULL : row->id;
}

static void click(void *self, unsigned row, unsigned col, int64_t now_us)
{
    struct wall_screen *screen = self;
    const struct area *list = &screen->list;
    size_t at = wall_top(screen->wall) + (row - list->row);

    (void)col;
    (void)now_us;
    if (row < list->row || row >= list->row + list->rows
        || at >= wall_shown(screen->wall))
        return;
    if (at == wall_selected_at(screen->wall))
        open_selected(screen);
    else
        wall_select(screen->wall, at);
}

static void free_screen(void *self)
{
    struct wall_screen *screen = self;

    wall_free(screen->wall);
    free(screen);
}

struct screen wall_screen_new(const struct screen_host *host,
                              const struct source *source)
{
    static const struct screen_ops ops = {
        .name = "wall",
        .where = IN_WALL,
        .show = show,
        .draw = draw,
        .act = act,
        .prompted = prompted,
        .status = status,
        .step = step,
        .click = click,
        .free = free_screen,
    };
    struct wall_screen *screen = x_calloc(1, sizeof *screen);

    screen->host = host;
    screen->source = source;
    screen->wall = wall_new(on_change, screen);
    return (struct screen){.ops = &ops, .self = screen};
}

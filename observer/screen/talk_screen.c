/* talk_screen.c - see talk_screen.h.
 *
 * Three things may be drawn: the talk with its panel beside it (from 100 columns on),
 * the panel alone (on a narrow screen), or a pager over both: the message as it is
 * stored, the request as it was sent.
 *
 * Flow: open -> talk_new -> show -> the source feeds it -> changed -> draw
 *       act -> talk_view; pause, stop, say, ...: talk_orders
 */
#include "observer/screen/talk_screen.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "observer/model/talk.h"
#include "observer/screen/talk_draw.h"
#include "observer/screen/talk_inside.h"
#include "observer/screen/talk_pager.h"
#include "observer/screen/talk_panel.h"
#include "observer/screen/talk_save.h"
#include "observer/screen/talk_view.h"
#include "observer/source/source.h"

enum {
    PANEL_FROM_COLS = 100,
    PANEL_COLS_MIN = 34,
    PANEL_COLS_MAX = 56,
    TITLE_SIZE = 256
};

static void on_changed(void *owner)
{
    struct talk_screen *screen = owner;

    screen->host->changed(screen->host->owner);
}

static void on_page(void *owner)
{
    struct talk_screen *screen = owner;

    talk_view_paged(&screen->view);
}

/* ---- drawing ---- */

static void draw_absence(const struct talk_screen *screen, struct canvas *canvas,
                         struct area area, int64_t now_us)
{
    const struct talk *talk = screen->talk;
    struct buf text;

    buf_init(&text, TITLE_SIZE);
    (void)buf_printf(&text, "Conversation %s: ", talk->id);
    if (talk->presence == TALK_UNKNOWN)
        (void)buf_add_text(&text,
                           "there is none of that id yet. It will be shown here.");
    else if (talk->presence != TALK_HERE)
        (void)buf_add_text(&text, "asking...");
    else if (talk->paging)
        (void)buf_add_text(&text, "reading...");
    else if (!talk_panel_awaited(talk, now_us, &text))
        (void)buf_add_text(&text, "nothing was said yet.");
    (void)canvas_put_cut(canvas, area.row, area.col, area.cols, PEN_DIM,
                         buf_str(&text));
    buf_done(&text);
}

static bool has_room_for_panel(const struct area *area)
{
    return area->cols >= PANEL_FROM_COLS;
}

static void draw_talk(struct talk_screen *screen, struct canvas *canvas,
                      struct area area, int64_t now_us)
{
    bool beside = has_room_for_panel(&area) && !screen->panel_off;
    struct area panel = area;

    if (beside) {
        struct area rule;

        panel.cols = area.cols / 3;
        if (panel.cols < PANEL_COLS_MIN)
            panel.cols = PANEL_COLS_MIN;
        if (panel.cols > PANEL_COLS_MAX)
            panel.cols = PANEL_COLS_MAX;
        panel.col = area.col + area.cols - panel.cols;
        area.cols -= panel.cols + 3; /* a rule between two blanks */
        rule = (struct area){area.row, area.col + area.cols + 1, area.rows, 1};
        if (rule.rows > 1)
            canvas_line(canvas, rule, PEN_RULE);
        talk_panel_draw(screen->talk, canvas, panel, now_us);
    }
    if (screen->is_narrow && area.rows > 1) {
        talk_panel_draw_row(screen->talk, canvas, area, now_us);
        area.row++;
        area.rows--;
    }
    screen->text = area;
    talk_draw(&screen->view, canvas, area);
    if (screen->talk->count == 0)
        draw_absence(screen, canvas, area, now_us);
}

static void tell_news(struct talk_screen *screen)
{
    char news[TALK_NEWS_SIZE];

    if (talk_view_news(&screen->view, news)[0] != '\0')
        talk_notice(screen, PEN_WARN, news);
}

static void draw(void *self, struct canvas *canvas, struct area area, int64_t now_us)
{
    struct talk_screen *screen = self;

    screen->is_narrow = !has_room_for_panel(&area);
    if (screen->talk == NULL) {
        (void)canvas_put_cut(
            canvas, area.row, area.col, area.cols, PEN_DIM,
            str_of("No conversation is chosen. 1 shows the wall, Enter there opens "
                   "one."));
        return;
    }
    if (screen->awaits_request && screen->talk->asked.answered)
        talk_show_request(screen);
    if (screen->pager.open)
        talk_pager_draw(&screen->pager, canvas, area);
    else if (screen->is_narrow && screen->panel_over)
        talk_panel_draw(screen->talk, canvas, area, now_us);
    else
        draw_talk(screen, canvas, area, now_us);
    tell_news(screen);
}

/* ---- keys ---- */

/* Esc takes away the panel, then the search. */
static bool clear(struct talk_screen *screen)
{
    struct err err = {0};

    if (screen->is_narrow && screen->panel_over) {
        screen->panel_over = false;
        return true;
    }
    if (!talk_search_is_on(&screen->view.search))
        return false;
    return talk_view_search(&screen->view, str_of(""), &err);
}

static void toggle_panel(struct talk_screen *screen)
{
    if (screen->is_narrow)
        screen->panel_over = !screen->panel_over;
    else
        screen->panel_off = !screen->panel_off;
}

static bool act_view(struct talk_screen *screen, enum action action)
{
    struct talk_view *view = &screen->view;

    switch (action) {
    case ACTION_SEARCH:
        screen->host->ask_line(screen->host->owner, PROMPT_SEARCH,
                               "search: ", buf_str(&view->search.wanted));
        return true;
    case ACTION_MATCH_AFTER:
    case ACTION_MATCH_BEFORE:
        talk_view_match(view, action == ACTION_MATCH_BEFORE);
        return true;
    case ACTION_MARK:
        talk_view_mark(view);
        return true;
    case ACTION_MARK_AFTER:
        talk_view_mark_after(view);
        return true;
    case ACTION_WRAP:
        talk_view_wrap(view);
        return true;
    case ACTION_TIMES:
        talk_view_times(view);
        return true;
    case ACTION_FOLLOW:
        talk_view_follow(view, !view->following);
        return true;
    case ACTION_PANEL:
        toggle_panel(screen);
        return true;
    default:
        return false;
    }
}

static void ask_path(struct talk_screen *screen)
{
    struct buf path;

    buf_init(&path, TALK_SAVE_PATH_MAX);
    (void)buf_printf(&path, "parley-%s", screen->talk->id);
    screen->host->ask_line(screen->host->owner, PROMPT_SAVE,
                           "save to: ", buf_str(&path));
    buf_done(&path);
}

static bool act(void *self, enum action action, int64_t now_us)
{
    struct talk_screen *screen = self;

    (void)now_us;
    if (screen->talk == NULL)
        return false;
    if (screen->pager.open && talk_keys_pager(screen, action))
        return true;
    switch (action) {
    case ACTION_OPEN:
        talk_show_message(screen);
        return true;
    case ACTION_REQUEST:
        talk_want_request(screen);
        return true;
    case ACTION_SAVE:
        ask_path(screen);
        return true;
    case ACTION_CLEAR:
        return clear(screen);
    case ACTION_BACK:
        return screen->is_narrow && screen->panel_over && clear(screen);
    default:
        return talk_keys_move(screen, action) || act_view(screen, action)
               || talk_order_act(screen, action);
    }
}

/* ---- what was typed ---- */

static void save(struct talk_screen *screen)
{
    struct err err = {0};
    struct buf report;

    buf_init(&report, 2 * TALK_SAVE_PATH_MAX);
    if (talk_save(screen->talk, screen->path, &report, &err))
        talk_notice(screen, PEN_GOOD, buf_text(&report));
    else
        talk_notice(screen, PEN_BAD, err.msg);
    buf_done(&report);
}

static void take_path(struct talk_screen *screen, struct str text)
{
    char question[2 * TITLE_SIZE];

    text = str_trim(text);
    if (text.len == 0 || text.len >= sizeof screen->path) {
        talk_notice(screen, PEN_BAD, "a file's name, please");
        return;
    }
    memcpy(screen->path, text.at, text.len);
    screen->path[text.len] = '\0';
    if (!talk_save_exists(screen->path)) {
        save(screen);
        return;
    }
    fmt_into(question, sizeof question, "%s is there already: write over it?",
             log_safe(text));
    screen->host->ask_yes(screen->host->owner, PROMPT_OVERWRITE, question);
}

static void search(struct talk_screen *screen, struct str text)
{
    struct err err = {0};

    if (!talk_view_search(&screen->view, text, &err))
        talk_notice(screen, PEN_BAD, err.msg);
}

static void prompted(void *self, enum prompt_kind kind, struct str text)
{
    struct talk_screen *screen = self;

    if (screen->talk == NULL)
        return;
    if (kind == PROMPT_SEARCH)
        search(screen, text);
    else if (kind == PROMPT_SAVE)
        take_path(screen, text);
    else if (kind == PROMPT_OVERWRITE)
        save(screen);
    else
        talk_order_prompted(screen, kind, text);
    on_changed(screen);
}

/* ---- the rest of the table ---- */

static void add_matches(struct talk_screen *screen, struct buf *into)
{
    size_t at;
    bool whole;
    size_t count = talk_view_matches(&screen->view, &at, &whole);

    if (!talk_search_is_on(&screen->view.search))
        return;
    if (screen->view.seeking != 0)
        (void)buf_add_text(into, "searching..., ");
    else if (at > 0)
        (void)buf_printf(into, "%zu of %zu%s found, ", at, count, whole ? "" : "+");
    else
        (void)buf_printf(into, "%zu%s found, ", count, whole ? "" : "+");
}

static const char *status(void *self)
{
    struct talk_screen *screen = self;
    struct buf text;
    int64_t unseen;

    if (screen->talk == NULL)
        return "";
    buf_init(&text, sizeof screen->status - 1);
    add_matches(screen, &text);
    unseen = talk_view_unseen(&screen->view);
    if (screen->view.following)
        (void)buf_add_text(&text, talk_ended(screen->talk) ? "ended" : "following");
    else
        (void)buf_printf(&text, "paused, %lld new", (long long)unseen);
    fmt_into(screen->status, sizeof screen->status, "%s", buf_text(&text));
    buf_done(&text);
    return screen->status;
}

static void watch(struct talk_screen *screen, bool shown)
{
    screen->shown = shown;
    if (screen->source->ops->watch_talk != NULL)
        screen->source->ops->watch_talk(screen->source->self,
                                        shown ? screen->talk : NULL);
}

static void show(void *self, bool shown)
{
    watch(self, shown);
}

static void open_talk(void *self, const char *conversation)
{
    struct talk_screen *screen = self;
    struct talk *before = screen->talk;
    bool shown = screen->shown;

    if (before != NULL && strcmp(before->id, conversation) == 0)
        return;
    if (shown)
        watch(screen, false);
    screen->talk = talk_new(conversation, on_changed, screen);
    screen->talk->on_page = on_page;
    talk_view_show(&screen->view, screen->talk);
    talk_pager_close(&screen->pager);
    screen->awaits_request = false;
    talk_free(before);
    if (shown)
        watch(screen, true);
}

static void click(void *self, unsigned row, unsigned col, int64_t now_us)
{
    struct talk_screen *screen = self;
    const struct area *text = &screen->text;

    (void)now_us;
    if (screen->talk == NULL || screen->pager.open || row < text->row
        || row >= text->row + text->rows || col >= text->col + text->cols)
        return;
    talk_view_point(&screen->view, row - text->row);
}

static void free_screen(void *self)
{
    struct talk_screen *screen = self;

    talk_view_done(&screen->view);
    talk_pager_done(&screen->pager);
    talk_free(screen->talk);
    free(screen->said);
    free(screen);
}

struct screen talk_screen_new(const struct screen_host *host,
                              const struct source *source)
{
    static const struct screen_ops ops = {
        .name = "talk",
        .where = IN_TALK,
        .show = show,
        .draw = draw,
        .act = act,
        .prompted = prompted,
        .status = status,
        .open = open_talk,
        .click = click,
        .free = free_screen,
    };
    struct talk_screen *screen = x_calloc(1, sizeof *screen);

    screen->host = host;
    screen->source = source;
    talk_view_init(&screen->view, NULL);
    talk_pager_init(&screen->pager);
    return (struct screen){.ops = &ops, .self = screen};
}

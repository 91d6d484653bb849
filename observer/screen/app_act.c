/* app_act.c - what the keys do that are the app's own, and who gets the others. */
#include "app_inside.h"

enum { WHEEL_ROWS = 3 };

static struct screen *shown(struct app *app)
{
    return &app->screens[app->shown];
}

static int64_t now_us(const struct app *app)
{
    return app->source.ops->now_us(app->source.self);
}

unsigned app_where(const struct app *app)
{
    unsigned where =
        app->help_open ? (unsigned)IN_HELP : app->screens[app->shown].ops->where;

    if (app->source.ops->act != NULL)
        where |= WITH_REPLAY;
    else if (app->source.ops->command != NULL && !app->options.read_only)
        where |= WITH_COMMANDS;
    return where;
}

/* ---- screens ---- */

static void switch_to(struct app *app, enum screen_id id)
{
    struct screen *next = &app->screens[id];

    app->help_open = false;
    if (next->ops == NULL || id == app->shown)
        return;
    shown(app)->ops->show(shown(app)->self, false);
    app->shown = id;
    next->ops->show(next->self, true);
}

void app_choose(struct app *app, const char *conversation)
{
    struct screen *talk = &app->screens[SCREEN_TALK];

    if (talk->ops == NULL || talk->ops->open == NULL)
        return;
    app->talk_open = true;
    talk->ops->open(talk->self, conversation);
}

void app_open(struct app *app, const char *conversation)
{
    app_choose(app, conversation);
    switch_to(app, SCREEN_TALK);
    app_changed(app);
}

/* The conversation the wall has selected, or the one `rows` below it. */
static const char *selected(struct app *app, int rows)
{
    struct screen *wall = &app->screens[SCREEN_WALL];

    if (wall->ops == NULL || wall->ops->step == NULL)
        return NULL;
    return wall->ops->step(wall->self, rows);
}

static void show_talk(struct app *app)
{
    const char *id = app->talk_open ? NULL : selected(app, 0);

    if (id != NULL)
        app_open(app, id);
    else if (app->talk_open || app->first == SCREEN_TALK)
        switch_to(app, SCREEN_TALK);
    else
        app_notice(app, PEN_WARN, "no conversation is selected");
}

static void show_next(struct app *app)
{
    enum screen_id id = app->shown;

    do
        id = (enum screen_id)((id + 1) % SCREEN_ID_COUNT);
    while (app->screens[id].ops == NULL);
    if (id == SCREEN_TALK)
        show_talk(app);
    else
        switch_to(app, id);
    if (app->shown != id && id == SCREEN_TALK && app->screens[SCREEN_FLEET].ops != NULL)
        switch_to(app, SCREEN_FLEET);
}

static void step_talk(struct app *app, int rows)
{
    const char *id = selected(app, rows);

    if (id == NULL)
        app_notice(app, PEN_WARN, "no further conversation");
    else
        app_open(app, id);
}

/* ---- leaving ---- */

static void leave(struct app *app)
{
    if (app->options.quit_question == NULL || app->ended) {
        app_quit(app);
        return;
    }
    prompt_ask_yes(app->prompt, PROMPT_CONFIRM, app->options.quit_question);
    app->asked_by_app = true;
}

static void interrupt(struct app *app)
{
    if (app->options.on_interrupt == NULL || app->ended)
        app_quit(app);
    else
        app->options.on_interrupt(app->options.owner);
}

static void back(struct app *app)
{
    if (app->help_open)
        app->help_open = false;
    else if (shown(app)->ops->act(shown(app)->self, ACTION_BACK, now_us(app)))
        return;
    else if (app->shown != app->first)
        switch_to(app, app->first);
    else
        leave(app);
}

static void help(struct app *app)
{
    app->help.where = app_where(app);
    app->help.name = shown(app)->ops->name;
    app->help.top = 0;
    app->help_open = !app->help_open;
}

/* ---- actions ---- */

/* What is not the app's own: the help's, the source's or the screen's. */
static void pass_on(struct app *app, enum action action)
{
    if (app->help_open) {
        if (action == ACTION_CLEAR)
            app->help_open = false;
        else
            (void)help_screen_act(&app->help, action);
    } else if (action >= ACTION_HALT) {
        (void)app->source.ops->act(app->source.self, action);
    } else {
        /* Whether it was of use is for ACTION_BACK to know. */
        (void)shown(app)->ops->act(shown(app)->self, action, now_us(app));
    }
}

static void act(struct app *app, enum action action)
{
    switch (action) {
    case ACTION_NONE:
        return;
    case ACTION_HELP:
        help(app);
        break;
    case ACTION_BACK:
        back(app);
        break;
    case ACTION_WALL:
        switch_to(app, SCREEN_WALL);
        break;
    case ACTION_TALK:
        show_talk(app);
        break;
    case ACTION_FLEET:
        switch_to(app, SCREEN_FLEET);
        break;
    case ACTION_NEXT_SCREEN:
        show_next(app);
        break;
    case ACTION_TALK_BEFORE:
        step_talk(app, -1);
        break;
    case ACTION_TALK_AFTER:
        step_talk(app, 1);
        break;
    case ACTION_REDRAW:
        frame_forget(app->frame);
        break;
    case ACTION_SUSPEND:
        term_suspend(app->terminal);
        break;
    case ACTION_INTERRUPT:
        interrupt(app);
        break;
    default:
        pass_on(app, action);
        break;
    }
    app_changed(app);
}

/* A copy: the screen may ask for the next thing at once. */
static void give(struct app *app, enum prompt_kind kind)
{
    struct screen *screen = shown(app);
    struct buf text;

    buf_init(&text, PROMPT_MAX_BYTES);
    (void)buf_add_str(&text, prompt_text(app->prompt)); /* of the same maximum */
    screen->ops->prompted(screen->self, kind, buf_str(&text));
    buf_done(&text);
}

static void answer(struct app *app, int key)
{
    enum prompt_kind kind = prompt_kind(app->prompt);
    enum prompt_outcome given = prompt_key(app->prompt, key);

    app_changed(app);
    if (given != PROMPT_GIVEN)
        return;
    if (app->asked_by_app)
        interrupt(app);
    else
        give(app, kind);
}

static bool is_too_small(const struct app *app)
{
    struct area all = canvas_area(app->canvas);

    return all.rows < APP_ROWS_MIN || all.cols < APP_COLS_MIN;
}

/* What works without seeing what one does. */
static bool is_blind(enum action action)
{
    return action == ACTION_BACK || action == ACTION_INTERRUPT
           || action == ACTION_SUSPEND || action == ACTION_REDRAW;
}

/* A key that would be a command elsewhere says why it is none here. */
static void refuse(struct app *app, int key)
{
    if (keymap_find(key, shown(app)->ops->where | WITH_COMMANDS) == ACTION_NONE)
        return;
    if (app->source.ops->act != NULL)
        app_notice(app, PEN_WARN, "a replay cannot be commanded");
    else if (app->options.read_only)
        app_notice(app, PEN_WARN, "read-only: no commands");
}

/* What is answered concerns the screen that asked: until then the mouse is not to lead
 * to another. */
static bool is_asking(const struct app *app)
{
    return prompt_kind(app->prompt) != PROMPT_NONE;
}

void app_on_key(void *owner, int key)
{
    struct app *app = owner;
    enum action action;

    app->pressed = true;
    if (is_asking(app)) {
        answer(app, key);
        return;
    }
    action = keymap_find(key, app_where(app));
    if (action == ACTION_NONE)
        refuse(app, key);
    if (!is_too_small(app) || is_blind(action))
        act(app, action);
}

/* Keys that nobody pressed are never commands: only a line being typed takes them. */
void app_on_paste(void *owner, int key)
{
    struct app *app = owner;

    app->pressed = true;
    prompt_paste(app->prompt, key);
    app_changed(app);
}

void app_on_click(void *owner, unsigned row, unsigned col)
{
    struct app *app = owner;
    struct screen *screen = shown(app);

    app->pressed = true;
    if (is_asking(app) || app->help_open || is_too_small(app)
        || screen->ops->click == NULL || row + 1 >= canvas_area(app->canvas).rows)
        return;
    screen->ops->click(screen->self, row, col, now_us(app));
    app_changed(app);
}

void app_on_wheel(void *owner, bool up)
{
    struct app *app = owner;

    app->pressed = true;
    if (is_asking(app) || is_too_small(app))
        return;
    for (int i = 0; i < WHEEL_ROWS; i++)
        pass_on(app, up ? ACTION_UP : ACTION_DOWN);
    app_changed(app);
}

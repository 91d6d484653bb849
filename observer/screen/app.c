/* app.c - see app.h. What a key leads to stands in app_act.c. */
#include "app.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "app_inside.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "text.h"

enum {
    FRAME_MS = 34, /* at most 30 a second */
    TICK_MS = 1000,
    NOTICE_MS = 6000,
    LAST_BYTES_MS = 500, /* what a slow terminal gets at the end */
    LOAD_MS = 10000,     /* app_print waits for the source */
    LOOK_MS = 10,
    SHOWN_MAX_BYTES = 16 << 20, /* a printed frame */
    STATUS_MAX_BYTES = 256
};

/* ---- drawing ---- */

static struct area too_small(struct app *app)
{
    struct area all = canvas_area(app->canvas);
    char text[64];

    if (all.rows >= APP_ROWS_MIN && all.cols >= APP_COLS_MIN)
        return (struct area){0, 0, all.rows - 1, all.cols};
    fmt_into(text, sizeof text, "too small: %ux%u, needs %dx%d", all.cols, all.rows,
             APP_COLS_MIN, APP_ROWS_MIN);
    (void)canvas_put(app->canvas, all.rows / 2, 0, all.cols, PEN_WARN, str_of(text));
    return (struct area){0};
}

static void draw_bar(struct app *app, const struct screen *screen)
{
    struct area area = {canvas_area(app->canvas).rows - 1, 0, 1,
                        canvas_area(app->canvas).cols};
    struct bar bar = app->bar;
    struct buf more;

    if (prompt_kind(app->prompt) != PROMPT_NONE) {
        prompt_draw(app->prompt, app->canvas, area);
        return;
    }
    buf_init(&more, STATUS_MAX_BYTES);
    if (app->source.ops->status != NULL)
        app->source.ops->status(app->source.self, &more);
    bar.where = app_where(app);
    bar.more = buf_text(&more);
    if (!app->help_open && screen->ops->status != NULL)
        bar.status = screen->ops->status(screen->self);
    bar_draw(&bar, app->canvas, area);
    buf_done(&more);
}

static void compose(struct app *app)
{
    const struct screen *screen = &app->screens[app->shown];
    struct area area;

    canvas_clear(app->canvas);
    area = too_small(app);
    if (area.rows == 0)
        return;
    if (app->help_open)
        help_screen_draw(&app->help, app->canvas, area);
    else
        screen->ops->draw(screen->self, app->canvas, area,
                          app->source.ops->now_us(app->source.self));
    draw_bar(app, screen);
}

static void draw(struct app *app)
{
    compose(app);
    app->dirty = false;
    app->drawn_ms = clock_mono_ms(); /* composing costs, whether it shows or not */
    if (!frame_write(app->frame, app->canvas, &app->out.waiting))
        return;
    observer_out_flush(&app->out);
    if (app->out.broken)
        app_quit(app);
}

static void on_frame(struct loop_timer *timer, void *owner)
{
    struct app *app = owner;

    (void)timer;
    if (app->dirty && observer_out_is_empty(&app->out))
        draw(app);
}

void app_changed(struct app *app)
{
    int64_t since_ms = clock_mono_ms() - app->drawn_ms;

    app->dirty = true;
    /* While the terminal has not taken the frame before, on_out draws the next. */
    if (app->terminal != NULL && observer_out_is_empty(&app->out)
        && !loop_timer_running(&app->draws))
        loop_timer_start(&app->draws, since_ms >= FRAME_MS ? 0 : FRAME_MS - since_ms);
}

static void on_out(void *owner)
{
    struct app *app = owner;

    if (app->out.broken)
        app_quit(app);
    else if (app->dirty && observer_out_is_empty(&app->out))
        app_changed(app);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct app *app = owner;

    if (app->bar.notice[0] != '\0' && clock_mono_ms() - app->notice_ms > NOTICE_MS)
        app->bar.notice[0] = '\0';
    app_changed(app);
    loop_timer_start(timer, TICK_MS);
}

/* ---- the terminal ---- */

static void on_shown(void *owner)
{
    struct app *app = owner;
    unsigned rows, cols;

    term_size(&rows, &cols);
    canvas_resize(app->canvas, rows, cols);
    frame_forget(app->frame);
    app_changed(app);
}

static void on_gone(void *owner)
{
    app_quit(owner);
}

/* ---- what source and screens say ---- */

static void host_changed(void *owner)
{
    app_changed(owner);
}

void app_notice(struct app *app, enum pen pen, const char *text)
{
    struct buf clean;

    buf_init(&clean, BAR_NOTICE_BYTES - 1);
    (void)text_clean(str_of(text), TEXT_ONE_LINE, &clean); /* the rest has no room */
    fmt_into(app->bar.notice, sizeof app->bar.notice, "%s", buf_text(&clean));
    buf_done(&clean);
    app->bar.pen = pen == PEN_TEXT || pen == PEN_DIM ? PEN_BAR : pen;
    app->notice_ms = clock_mono_ms();
    app_changed(app);
}

static void host_notice(void *owner, enum pen pen, const char *text)
{
    app_notice(owner, pen, text);
}

static void host_ask_line(void *owner, enum prompt_kind kind, const char *label,
                          struct str initial)
{
    struct app *app = owner;

    app->asked_by_app = false;
    prompt_ask_line(app->prompt, kind, label, initial);
    app_changed(app);
}

static void host_ask_yes(void *owner, enum prompt_kind kind, const char *question)
{
    struct app *app = owner;

    app->asked_by_app = false;
    prompt_ask_yes(app->prompt, kind, question);
    app_changed(app);
}

static void host_open(void *owner, const char *conversation)
{
    app_open(owner, conversation);
}

static void on_answer(void *owner, bool done, const char *text)
{
    app_notice(owner, done ? PEN_GOOD : PEN_BAD, text);
}

static void on_ended(void *owner)
{
    app_ended(owner);
}

static void on_failed(void *owner, const struct err *err)
{
    struct app *app = owner;

    app->err = *err;
    app_quit(app);
}

/* ---- life ---- */

struct app *app_new(const struct app_options *options)
{
    struct app *app = x_calloc(1, sizeof *app);

    app->options = *options;
    app->prompt = prompt_new();
    app->host = (struct screen_host){
        app,          host_changed, host_notice,       host_ask_line,
        host_ask_yes, host_open,    options->read_only};
    app->events = (struct source_events){app,       host_changed, host_notice,
                                         on_answer, on_ended,     on_failed};
    loop_timer_init(&app->draws, options->loop, on_frame, app);
    loop_timer_init(&app->tick, options->loop, on_tick, app);
    return app;
}

void app_free(struct app *app)
{
    if (app == NULL)
        return;
    for (size_t i = 0; i < SCREEN_ID_COUNT; i++)
        if (app->screens[i].ops != NULL)
            app->screens[i].ops->free(app->screens[i].self);
    if (app->source.ops != NULL)
        app->source.ops->free(app->source.self);
    prompt_free(app->prompt);
    frame_free(app->frame);
    canvas_free(app->canvas);
    free(app);
}

const struct screen_host *app_host(const struct app *app)
{
    return &app->host;
}

const struct source_events *app_events(const struct app *app)
{
    return &app->events;
}

void app_set_source(struct app *app, struct source source)
{
    app->source = source;
}

void app_set_screen(struct app *app, enum screen_id id, struct screen screen)
{
    app->screens[id] = screen;
}

void app_quit(struct app *app)
{
    app->over = true;
    loop_stop(app->options.loop);
}

void app_ended(struct app *app)
{
    if (app->ended)
        return;
    app->ended = true;
    if (app->options.leaves_at_end && !app->pressed)
        app_quit(app);
    else
        app_notice(app, PEN_GOOD, "ended, q leaves");
}

bool app_has_screen(const struct app *app, enum screen_id id)
{
    return app->screens[id].ops != NULL;
}

static bool is_there(const struct app *app, enum screen_id id, struct err *err)
{
    return app_has_screen(app, id)
           || err_set(err, ERR_USAGE, "there is no such screen");
}

static bool outcome(const struct app *app, struct err *err)
{
    if (app->err.code == ERR_NONE)
        return true;
    *err = app->err;
    return false;
}

static bool take_terminal(struct app *app, struct err *err)
{
    const struct term_options options = {.loop = app->options.loop,
                                         .mouse = app->options.mouse,
                                         .on_key = app_on_key,
                                         .on_paste = app_on_paste,
                                         .on_click = app_on_click,
                                         .on_wheel = app_on_wheel,
                                         .on_shown = on_shown,
                                         .on_gone = on_gone,
                                         .owner = app};
    unsigned rows, cols;

    term_size(&rows, &cols);
    app->canvas = canvas_new(rows, cols, app->options.ascii || !term_speaks_utf8());
    app->frame =
        frame_new(pen_choose(app->options.color, getenv("NO_COLOR"), term_colours()));
    return term_open(&options, &app->terminal, err);
}

bool app_run(struct app *app, enum screen_id first, struct err *err)
{
    if (!is_there(app, first, err) || !take_terminal(app, err))
        return false;
    observer_out_init(&app->out, app->options.loop, STDOUT_FILENO, on_out, app);
    app->first = app->shown = first;
    app->screens[first].ops->show(app->screens[first].self, true);
    loop_timer_start(&app->tick, TICK_MS);
    app_changed(app);
    while (!app->over)
        loop_run(app->options.loop);
    app->screens[app->shown].ops->show(app->screens[app->shown].self, false);
    loop_timer_stop(&app->tick);
    loop_timer_stop(&app->draws);
    observer_out_finish(&app->out, LAST_BYTES_MS);
    observer_out_done(&app->out);
    term_close(app->terminal);
    app->terminal = NULL;
    return outcome(app, err);
}

/* ---- once ---- */

static void on_look(struct loop_timer *timer, void *owner)
{
    struct app *app = owner;

    /* A replay reads a file to its end, however long it is. */
    bool patient = app->source.ops->act != NULL;

    if (app->source.ops->is_loaded(app->source.self))
        app_quit(app);
    else if (!patient && clock_mono_ms() - app->drawn_ms > LOAD_MS)
        on_failed(app, &(struct err){ERR_REDIS, "nothing was read in 10 s"});
    else
        loop_timer_start(timer, LOOK_MS);
}

bool app_print(struct app *app, enum screen_id id, struct area size, struct err *err)
{
    struct loop_timer looks;
    struct buf text;
    bool ok;

    if (!is_there(app, id, err))
        return false;
    app->canvas = canvas_new(size.rows, size.cols, app->options.ascii);
    app->drawn_ms = clock_mono_ms();
    app->first = app->shown = id;
    app->screens[id].ops->show(app->screens[id].self, true);
    loop_timer_init(&looks, app->options.loop, on_look, app);
    loop_timer_start(&looks, 0);
    while (!app->over)
        loop_run(app->options.loop);
    loop_timer_stop(&looks);
    ok = outcome(app, err);
    buf_init(&text, SHOWN_MAX_BYTES);
    if (ok) {
        compose(app);
        if (strcmp(app->options.color, "always") == 0)
            frame_print(app->canvas, PEN_256, &text);
        else
            canvas_dump(app->canvas, &text);
        ok = fwrite(text.at, 1, text.len, stdout) == text.len && fflush(stdout) == 0;
        if (!ok)
            err_set(err, ERR_SYSTEM, "standard output cannot be written");
    }
    buf_done(&text);
    app->screens[id].ops->show(app->screens[id].self, false);
    return ok;
}

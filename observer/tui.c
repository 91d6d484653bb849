/* tui.c - see tui.h. */
#include "tui.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/utf8.h"
#include "net/loop.h"
#include "observe_replay.h"
#include "proto/config.h"
#include "run_parent.h"
#include "screen/app.h"
#include "screen/fleet_screen.h"
#include "screen/talk_screen.h"
#include "screen/term.h"
#include "screen/wall_screen.h"
#include "source/live.h"
#include "source/replay.h"
#include "source/replay_record.h"

struct tui {
    const struct tui_options *options;
    struct loop *loop;
    struct app *app;
    struct source source;
    struct run_parent parent;
    struct loop_signal stops[3];
};

/* ---- signals ---- */

static void on_stop(struct loop_signal *signal, int number, void *owner)
{
    struct tui *tui = owner;

    (void)signal;
    /* Who sends SIGINT to all of a run means the run. */
    if (number != SIGINT || tui->parent.pid == 0)
        app_quit(tui->app);
}

static void watch_signals(struct tui *tui)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        loop_signal_start(&tui->stops[i], tui->loop, numbers[i], on_stop, tui);
}

/* ---- the run ---- */

static void on_interrupt(void *owner)
{
    struct tui *tui = owner;

    run_parent_interrupt(&tui->parent);
}

static void on_note(void *owner, const char *line)
{
    struct tui *tui = owner;

    app_notice(tui->app, PEN_WARN, line);
}

static void on_run_ended(void *owner)
{
    struct tui *tui = owner;

    app_ended(tui->app);
}

/* A line written on the terminal would stand in the midst of the screen. */
static void on_log(void *owner, const char *text)
{
    struct tui *tui = owner;

    app_notice(tui->app, PEN_WARN, text);
}

/* ---- parts ---- */

static void make_app(struct tui *tui)
{
    const struct config *config = tui->options->config;
    struct app_options options = {.loop = tui->loop,
                                  .color = config->color,
                                  .ascii = config->ascii,
                                  .mouse = config->mouse,
                                  .read_only = config->read_only,
                                  .owner = tui};

    if (run_parent_find(&tui->parent)) {
        options.on_interrupt = on_interrupt;
        options.quit_question = "End the run, after the turn being spoken?";
        options.leaves_at_end = true;
        tui->parent.on_note = on_note;
        tui->parent.on_ended = on_run_ended;
        tui->parent.owner = tui;
    }
    tui->app = app_new(&options);
}

static struct source live(const struct tui *tui)
{
    const struct live_options options = {.loop = tui->loop,
                                         .target = tui->options->target,
                                         .keys = tui->options->keys,
                                         .ids = tui->options->ids,
                                         .id_count = tui->options->id_count,
                                         .wait = tui->options->config->wait,
                                         .events = app_events(tui->app),
                                         .read_only = tui->options->config->read_only};

    return live_source(&options);
}

/* One screen of a replay is that of a moment: the one asked for, else the end. */
static struct source replay(const struct tui *tui)
{
    const struct config *config = tui->options->config;
    const struct observe_replay *from = tui->options->replay;
    const struct replay_options options = {.loop = tui->loop,
                                           .record = from->record,
                                           .events = app_events(tui->app),
                                           .speed = from->speed,
                                           .start_us =
                                               config->once && config->from_ms == 0
                                                   ? replay_record_last_us(from->record)
                                                   : from->start_us,
                                           .still = config->once};

    return replay_new(&options);
}

static void make_source(struct tui *tui)
{
    tui->source = tui->options->replay != NULL ? replay(tui) : live(tui);
    app_set_source(tui->app, tui->source);
}

/* By name; "auto": one conversation that is named, else all of them. */
static enum screen_id first_screen(const struct tui *tui)
{
    const struct tui_options *options = tui->options;
    const char *name = options->config->screen;

    if (strcmp(name, "talk") == 0)
        return SCREEN_TALK;
    if (strcmp(name, "fleet") == 0)
        return SCREEN_FLEET;
    if (strcmp(name, "wall") == 0)
        return SCREEN_WALL;
    return options->id_count == 1 && app_has_screen(tui->app, SCREEN_TALK)
               ? SCREEN_TALK
               : SCREEN_WALL;
}

/* "120x40". */
static bool parse_size(const char *text, struct area *ret_size, struct err *err)
{
    struct str rest;
    struct str cols = str_cut(str_of(text), 'x', &rest);
    int64_t wide, high;

    if (!str_to_i64(cols, 1, TERM_COLS_MAX, &wide)
        || !str_to_i64(rest, 1, TERM_ROWS_MAX, &high))
        return err_set(err, ERR_USAGE,
                       "--size %s: not of the form COLSxROWS, as 80x24, up to %dx%d",
                       log_safe(str_of(text)), TERM_COLS_MAX, TERM_ROWS_MAX);
    *ret_size = (struct area){0, 0, (unsigned)high, (unsigned)wide};
    return true;
}

/* The screens there are; `open` is told the one conversation that was named. */
static void make_screens(struct tui *tui)
{
    static struct screen (*const makers[SCREEN_ID_COUNT])(
        const struct screen_host *host, const struct source *source) = {
        [SCREEN_WALL] = wall_screen_new,
        [SCREEN_FLEET] = fleet_screen_new,
        [SCREEN_TALK] = talk_screen_new,
    };

    for (int id = 0; id < SCREEN_ID_COUNT; id++)
        if (makers[id] != NULL)
            app_set_screen(tui->app, (enum screen_id)id,
                           makers[id](app_host(tui->app), &tui->source));
}

/* ---- life ---- */

const char *tui_unfit(const struct config *config)
{
    return config->once ? NULL : term_unfit();
}

static void done(struct tui *tui)
{
    for (size_t i = 0; i < sizeof tui->stops / sizeof *tui->stops; i++)
        loop_signal_stop(&tui->stops[i]);
    run_parent_done(&tui->parent);
    app_free(tui->app);
    loop_free(tui->loop);
}

static bool run_screen(struct tui *tui, enum screen_id first, struct err *err)
{
    bool ok;

    if (isatty(STDERR_FILENO) == 1)
        log_divert(on_log, tui);
    ok = app_run(tui->app, first, err);
    log_divert(NULL, NULL);
    return ok;
}

bool tui_run(const struct tui_options *options, struct err *err)
{
    struct tui tui = {.options = options};
    enum screen_id first;
    struct area size = {0};
    bool ok;

    if (!parse_size(options->config->size, &size, err)) {
        if (options->replay != NULL)
            replay_record_free(options->replay->record);
        return false;
    }
    tui.loop = loop_new();
    make_app(&tui);
    make_source(&tui);
    make_screens(&tui);
    watch_signals(&tui);
    run_parent_watch(&tui.parent, tui.loop);
    first = first_screen(&tui);
    if (options->id_count == 1)
        app_choose(tui.app, options->ids[0]);
    if (options->config->once)
        ok = app_print(tui.app, first, size, err);
    else
        ok = run_screen(&tui, first, err);
    done(&tui);
    return ok;
}

/* observer.c - see observer.h.
 *
 * Flow: follow, or a replay's flow -> on_sight -> plain or view_json -> observer_out ->
 * standard output tick -> status line; signals -> stop
 */
#include "observer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "follow.h"
#include "net/loop.h"
#include "observe_replay.h"
#include "observer_out.h"
#include "plain.h"
#include "source/replay_flow.h"
#include "talk_state.h"
#include "view_json.h"

enum {
    TICK_MS = 250, /* the status line changes at most that often */
    STATUS_MAX_BYTES = 4096,
    LAST_BYTES_MS = 2000, /* what a slow reader gets at the end */
    COLUMNS_DEFAULT = 80,
    COLUMNS_MIN = 20,
    COLUMNS_MAX = 10000
};

struct observer {
    struct loop *loop;
    struct follow *follow;    /* NULL: a replay, */
    struct replay_flow *flow; /* which is this */
    struct plain *plain;      /* NULL: JSON */
    struct observer_out out;
    struct loop_timer tick;
    struct loop_signal stops[3];
    struct loop_signal resized;
    struct err err; /* why it cannot go on */
    bool is_terminal;
};

/* ---- the terminal ---- */

/* One column stays free: a terminal that wraps by itself would add empty lines. */
static unsigned columns_now(void)
{
    const char *text = getenv("COLUMNS");
    struct winsize size = {0};
    int64_t columns = COLUMNS_DEFAULT;

    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        columns = size.ws_col;
    else if (text == NULL || !str_to_i64(str_of(text), 1, COLUMNS_MAX, &columns))
        columns = COLUMNS_DEFAULT;
    return (unsigned)(columns < COLUMNS_MIN ? COLUMNS_MIN : columns) - 1;
}

static struct plain *make_plain(const struct observer *observer, const char *color)
{
    const char *term = getenv("TERM");
    bool moves = term != NULL && term[0] != '\0' && strcmp(term, "dumb") != 0;
    struct plain_look look = {
        .width = observer->is_terminal ? columns_now() : 0,
        .colour =
            plain_wants_colour(color, observer->is_terminal, getenv("NO_COLOR"), term),
        .motion = observer->is_terminal && moves,
    };

    return plain_new(&look);
}

/* ---- what happens ---- */

static void settle(struct observer *observer)
{
    observer_out_flush(&observer->out);
    if (observer->out.broken)
        loop_stop(observer->loop);
    else if (observer->flow != NULL)
        replay_flow_hold(observer->flow, observer_out_is_full(&observer->out));
    else if (observer->follow != NULL)
        follow_hold(observer->follow, observer_out_is_full(&observer->out));
}

static void on_out_change(void *owner)
{
    settle(owner);
}

static void on_sight(void *owner, const struct sight *sight)
{
    struct observer *observer = owner;
    struct buf *waiting = &observer->out.waiting;

    if (observer->plain != NULL)
        plain_show(observer->plain, sight, waiting);
    else
        (void)view_json_show(sight, waiting); /* as plain_show: overflowed tells */
    if (waiting->overflowed)
        fprintf(stderr, "parley-observer: too much at once, something was left out\n");
    settle(observer);
}

static void on_many(void *owner)
{
    struct observer *observer = owner;

    if (observer->plain != NULL)
        plain_show_many(observer->plain);
}

static void on_notice(void *owner, const char *text)
{
    struct observer *observer = owner;

    if (observer->plain != NULL) {
        plain_status(observer->plain, str_of(""), &observer->out.waiting);
        observer_out_flush(&observer->out);
    }
    fprintf(stderr, "parley-observer: %s\n", text);
}

static void on_done(void *owner)
{
    struct observer *observer = owner;

    loop_stop(observer->loop);
}

static void on_failed(void *owner, const struct err *err)
{
    struct observer *observer = owner;

    observer->err = *err;
    loop_stop(observer->loop);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct observer *observer = owner;
    bool live = observer->follow != NULL;
    const struct talk_state *talk =
        live ? follow_single(observer->follow) : replay_flow_single(observer->flow);
    struct buf status;

    buf_init(&status, STATUS_MAX_BYTES);
    if (talk != NULL && observer_out_is_empty(&observer->out)) {
        (void)buf_add_text(&status, "  ");
        talk_state_status(talk,
                          live ? follow_now_us(observer->follow)
                               : replay_flow_now_us(observer->flow),
                          &status);
        plain_status(observer->plain, buf_str(&status), &observer->out.waiting);
        settle(observer);
    }
    buf_done(&status);
    loop_timer_start(timer, TICK_MS);
}

static void on_stop(struct loop_signal *signal, int number, void *owner)
{
    struct observer *observer = owner;

    (void)signal;
    (void)number;
    loop_stop(observer->loop);
}

static void on_resized(struct loop_signal *signal, int number, void *owner)
{
    struct observer *observer = owner;

    (void)signal;
    (void)number;
    if (observer->plain != NULL && observer->is_terminal)
        plain_resize(observer->plain, columns_now());
}

/* ---- life ---- */

static void watch_signals(struct observer *observer)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        loop_signal_start(&observer->stops[i], observer->loop, numbers[i], on_stop,
                          observer);
    loop_signal_start(&observer->resized, observer->loop, SIGWINCH, on_resized,
                      observer);
}

static void start_live(struct observer *observer,
                       const struct observer_options *options)
{
    struct follow_options follow = {
        .loop = observer->loop,
        .target = options->target,
        .keys = options->keys,
        .ids = options->ids,
        .id_count = options->id_count,
        .wait = options->wait,
        /* Without a terminal no words are shown, but who waits for a server. */
        .live = options->json ? FOLLOW_LIVE_ALWAYS : FOLLOW_LIVE_SINGLE,
        .on_sight = on_sight,
        .on_many = on_many,
        .on_notice = on_notice,
        .on_done = on_done,
        .on_failed = on_failed,
        .owner = observer,
    };

    observer->follow = follow_new(&follow);
}

static void start_replay(struct observer *observer,
                         const struct observer_options *options)
{
    struct replay_flow_options flow = {
        .loop = observer->loop,
        .record = options->replay->record,
        .ids = options->replay->ids,
        .id_count = options->replay->id_count,
        .speed = options->replay->speed,
        .start_us = options->replay->start_us,
        .always_live = options->json,
        .on_sight = on_sight,
        .on_many = on_many,
        .on_done = on_done,
        .owner = observer,
    };

    observer->flow = replay_flow_new(&flow);
}

static void start(struct observer *observer, const struct observer_options *options)
{
    observer_out_init(&observer->out, observer->loop, STDOUT_FILENO, on_out_change,
                      observer);
    watch_signals(observer);
    if (options->replay != NULL)
        start_replay(observer, options);
    else
        start_live(observer, options);
    loop_timer_init(&observer->tick, observer->loop, on_tick, observer);
    if (observer->plain != NULL)
        loop_timer_start(&observer->tick, TICK_MS);
}

static void stop(struct observer *observer)
{
    loop_timer_stop(&observer->tick);
    for (size_t i = 0; i < sizeof observer->stops / sizeof *observer->stops; i++)
        loop_signal_stop(&observer->stops[i]);
    loop_signal_stop(&observer->resized);
    follow_free(observer->follow);
    replay_flow_free(observer->flow);
    if (observer->plain != NULL)
        plain_close(observer->plain, &observer->out.waiting);
    observer_out_finish(&observer->out, LAST_BYTES_MS);
    observer_out_done(&observer->out);
    plain_free(observer->plain);
    loop_free(observer->loop);
}

bool observer_run(const struct observer_options *options, struct err *err)
{
    struct observer observer = {.loop = loop_new()};

    observer.is_terminal = isatty(STDOUT_FILENO) == 1;
    if (!options->json)
        observer.plain = make_plain(&observer, options->color);
    start(&observer, options);
    loop_run(observer.loop);
    stop(&observer);
    if (observer.err.code != ERR_NONE) {
        *err = observer.err;
        return false;
    }
    return true;
}

/* redis_conn.c - how a connection begins and how it ends; see redis_conn.h. */
#include "net/redis_conn.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "net/redis_reader.h"

enum {
    BACKOFF_FIRST_MS = 100, /* the jitter takes off up to half */
    BACKOFF_MAX_MS = 500,   /* a Redis that is back is found within half a second */
    STEADY_MS = 2000        /* a connection this old did not fail at once */
};

static const char *state_name(enum redis_state state)
{
    static const char *const names[RS_STATE_COUNT] = {
        [RS_WAITING] = "waiting", [RS_CONNECTING] = "connecting",
        [RS_HELLO] = "hello",     [RS_READY] = "ready",
        [RS_BROKEN] = "broken",   [RS_CLOSING] = "closing",
    };

    return names[state];
}

void conn_set_state(struct redis *redis, enum redis_state state)
{
    log_debug("redis", "%s -> %s where=%s", state_name(redis->state), state_name(state),
              redis->where);
    redis->state = state;
}

bool conn_is_open(const struct redis *redis)
{
    return redis->state == RS_HELLO || redis->state == RS_READY;
}

/* ---- the beginning of a connection ---- */

/* Connects to the next address of the round; `last` is what was wrong with the one
 * before. */
static void conn_next(struct redis *redis, struct err last)
{
    redis->fd = redis_route_next(&redis->route, &redis->target,
                                 (int)redis->command_timeout_ms, &last);
    if (redis->fd < 0) {
        conn_break(redis, &last);
        return;
    }
    conn_set_state(redis, RS_CONNECTING);
    loop_io_watch(&redis->io, redis->fd, LOOP_WRITE);
    loop_timer_start(&redis->timer, redis->connect_timeout_ms);
}

void conn_start(struct redis *redis)
{
    struct err err = {.code = ERR_REDIS, .msg = "no address"};

    if (fault_point("redis.connect") == FAULT_FAIL) {
        conn_break_saying(redis, "refused by a fault");
        return;
    }
    if (!redis_route_begin(&redis->route, &redis->target, clock_mono_ms(), &err)) {
        conn_break(redis, &err);
        return;
    }
    conn_next(redis, err);
}

void conn_failed(struct redis *redis, const char *reason)
{
    struct err err = {0};

    err_set(&err, ERR_REDIS, "%s", reason);
    conn_close(redis);
    conn_next(redis, err);
}

void conn_greet(struct redis *redis)
{
    int error = redis_socket_error(redis->fd);

    if (error != 0) {
        conn_failed(redis, strerror(error));
        return;
    }
    redis_route_worked(&redis->route);
    redis->hello = (struct redis_hello){0};
    redis_reader_free(redis->reader);
    redis->reader = redis_reader_new();
    redis_hello_ask(&redis->greeting, &redis->target, redis->name);
    conn_set_state(redis, RS_HELLO);
    loop_timer_start(&redis->timer, redis->greeting_timeout_ms);
    conn_flush(redis);
}

void conn_ready(struct redis *redis)
{
    bool restarted =
        redis->run_id[0] && strcmp(redis->run_id, redis->hello.run_id) != 0;

    fmt_into(redis->run_id, sizeof(redis->run_id), "%s", redis->hello.run_id);
    redis->ready_ms = clock_mono_ms();
    redis->progress_us = clock_mono_us();
    redis->alarm_us = INT64_MAX;
    loop_timer_stop(&redis->timer);
    conn_set_state(redis, RS_READY);
    if (!redis->on_ready)
        return;
    redis->in_callback++;
    redis->on_ready(redis->owner, restarted);
    redis->in_callback--;
}

/* ---- the end of a connection ---- */

void conn_close(struct redis *redis)
{
    if (redis->fd < 0)
        return;
    loop_io_stop(&redis->io);
    close(redis->fd);
    redis->fd = -1;
}

void conn_break(struct redis *redis, const struct err *reason)
{
    assert(redis->state != RS_CLOSING && redis->state != RS_BROKEN);
    redis->reason = reason ? *reason : (struct err){0};
    conn_close(redis);
    conn_set_state(redis, RS_BROKEN);
    loop_timer_start(&redis->timer, 0);
}

void conn_break_saying(struct redis *redis, const char *format, ...)
{
    struct err reason = {.code = ERR_REDIS};
    va_list args;

    va_start(args, format);
    (void)vsnprintf(reason.msg, sizeof(reason.msg), format, args); /* cut is fine */
    va_end(args);
    conn_break(redis, &reason);
}

static int64_t backoff_ms(struct redis *redis)
{
    int64_t top = BACKOFF_FIRST_MS;

    for (unsigned i = 1; i < redis->failures && top < BACKOFF_MAX_MS; i++)
        top *= 2;
    if (top > BACKOFF_MAX_MS)
        top = BACKOFF_MAX_MS;
    return top / 2 + (int64_t)rng_below(&redis->rng, (uint64_t)(top / 2) + 1);
}

/* The second step of the end: the next attempt is set up before anybody is called, so
 * that a callback may ask for it at once. */
void conn_lost(struct redis *redis)
{
    struct err reason = redis->reason;
    bool steady = redis->proved || clock_mono_ms() - redis->ready_ms >= STEADY_MS;

    redis->failures = redis->ready_ms != 0 && steady ? 1 : redis->failures + 1;
    redis->ready_ms = 0;
    redis->proved = false;
    redis_queue_clear(&redis->greeting);
    redis_queue_rewind(&redis->calls, &redis->lost);
    conn_set_state(redis, RS_WAITING);
    loop_timer_start(&redis->timer, redis->at_once ? 0 : backoff_ms(redis));
    redis->at_once = false;
    conn_answer_all(redis, &redis->lost, REDIS_LOST);
    if (reason.code == ERR_NONE)
        return;
    err_wrap(&reason, "%s", redis->where);
    if (redis->on_down) {
        redis->in_callback++;
        redis->on_down(redis->owner, &reason);
        redis->in_callback--;
    }
    if (redis->hello.fatal)
        conn_fatal(redis, &reason);
}

void conn_fatal(struct redis *redis, const struct err *err)
{
    if (!redis->on_fatal || redis->fatal_told)
        return;
    redis->fatal_told = true;
    redis->in_callback++;
    redis->on_fatal(redis->owner, err);
    redis->in_callback--;
}

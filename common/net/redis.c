/* redis.c - see redis.h: the functions for users, and the connection's clock.
 *
 * The one timer belongs to the state: back-off, connect deadline, the oldest call's
 * deadline. The hook runs once a turn, behind all who may have called redis_send.
 */
#include "net/redis.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "net/redis_conn.h"
#include "net/redis_reader.h"

enum {
    CONNECT_TIMEOUT_MS = 2000,
    GREETING_TIMEOUT_MS = 5000, /* it is there, and may be busy */
    COMMAND_TIMEOUT_MS = 5000,
    QUEUE_MAX = 100000
};

const char *redis_outcome_name(enum redis_outcome outcome)
{
    static const char *const names[REDIS_OUTCOME_COUNT] = {
        [REDIS_OK] = "ok",
        [REDIS_REFUSED] = "refused",
        [REDIS_LOST] = "lost",
        [REDIS_CANCELLED] = "cancelled",
    };

    assert(outcome < REDIS_OUTCOME_COUNT);
    return names[outcome];
}

/* ---- asking ---- */

static bool has_room(const struct redis *redis)
{
    return redis->state != RS_CLOSING && redis_waiting(redis) < redis->queue_max;
}

bool redis_send(struct redis *redis, const struct redis_call *call)
{
    assert(call->argc > 0);
    if (!has_room(redis))
        return false;
    redis_queue_push_take(&redis->calls,
                          redis_pending_new(call, redis->command_timeout_ms));
    return true;
}

bool redis_eval(struct redis *redis, const struct redis_eval *eval)
{
    enum fault fault = fault_script(eval->script->name, "before");

    if (fault == FAULT_FAIL || !has_room(redis))
        return false;
    redis_queue_push_take(&redis->calls,
                          redis_pending_eval(eval, redis->command_timeout_ms));
    if (fault == FAULT_CUT && conn_is_open(redis))
        conn_break_saying(redis, "cut by a fault");
    return true;
}

void redis_forget(struct redis *redis, const void *owner)
{
    redis_queue_forget(&redis->calls, owner);
    redis_queue_forget(&redis->lost, owner);
    redis_queue_forget(&redis->hold.calls, owner);
}

/* ---- what the loop tells ---- */

static void on_socket(struct loop_io *io, int events, void *owner)
{
    struct redis *redis = owner;

    (void)io;
    if (redis->state == RS_CONNECTING) {
        conn_greet(redis);
        return;
    }
    if (events & LOOP_READ)
        conn_read(redis);
    if ((events & LOOP_WRITE) && conn_is_open(redis))
        conn_flush(redis);
}

/* When the oldest call is overdue; INT64_MAX: nothing waits. */
static int64_t deadline_us(const struct redis *redis)
{
    const struct redis_pending *oldest = redis->calls.head;
    int64_t since_us;

    if (!oldest || oldest->sent_us == 0)
        return INT64_MAX;
    since_us =
        oldest->sent_us > redis->progress_us ? oldest->sent_us : redis->progress_us;
    return since_us + oldest->timeout_us;
}

/* Sees to it that the timer fires not after the deadline. It is set anew only when it
 * would be late: a steady flow of calls leaves it alone. */
static void watch_deadline(struct redis *redis, int64_t now_us)
{
    int64_t deadline = deadline_us(redis);

    if (deadline >= redis->alarm_us)
        return;
    redis->alarm_us = deadline;
    loop_timer_start_us(&redis->timer, deadline - now_us);
}

static void check_overdue(struct redis *redis)
{
    int64_t now_us;

    /* If it was us who slept, the answer lies in the socket. */
    conn_read(redis);
    if (redis->state != RS_READY)
        return;
    now_us = clock_mono_us();
    redis->alarm_us = INT64_MAX;
    if (deadline_us(redis) > now_us) {
        watch_deadline(redis, now_us);
        return;
    }
    conn_break_saying(redis, "no answer in %lld ms",
                      (long long)(redis->calls.head->timeout_us / 1000));
}

static void hello_overdue(struct redis *redis)
{
    conn_read(redis);
    if (redis->state == RS_HELLO)
        conn_break_saying(redis, "no answer to the greeting in %lld ms",
                          (long long)redis->greeting_timeout_ms);
}

static void on_timer(struct loop_timer *timer, void *owner)
{
    struct redis *redis = owner;

    (void)timer;
    switch (redis->state) {
    case RS_WAITING:
        conn_start(redis);
        break;
    case RS_CONNECTING:
        conn_failed(redis, "connecting took too long");
        break;
    case RS_HELLO:
        hello_overdue(redis);
        break;
    case RS_READY:
        check_overdue(redis);
        break;
    case RS_BROKEN:
        conn_lost(redis);
        break;
    case RS_CLOSING:
    case RS_STATE_COUNT:
        abort(); /* no timer runs there */
    }
}

/* Once before each wait, behind all who may have called redis_send. */
static void on_turn(struct loop_hook *hook, void *owner)
{
    struct redis *redis = owner;

    (void)hook;
    if (redis->state != RS_READY)
        return;
    /* Bytes are left from before: on_socket writes them when there is room again. */
    if (redis->calls.unsent && redis->calls.written == 0)
        conn_flush(redis);
    if (redis->state == RS_READY && deadline_us(redis) < redis->alarm_us)
        watch_deadline(redis, clock_mono_us());
}

/* ---- life ---- */

struct redis *redis_new(struct loop *loop, const struct redis_options *options)
{
    struct redis *redis = x_calloc(1, sizeof(*redis));

    redis->loop = loop;
    redis_target_copy(options->target, &redis->target);
    redis->where = redis_target_text(options->target);
    redis->name = options->name ? x_strdup(options->name) : NULL;
    redis->connect_timeout_ms = options->connect_timeout_ms > 0
                                    ? options->connect_timeout_ms
                                    : CONNECT_TIMEOUT_MS;
    redis->greeting_timeout_ms = options->connect_timeout_ms > 0
                                     ? options->connect_timeout_ms
                                     : GREETING_TIMEOUT_MS;
    redis->command_timeout_ms = options->command_timeout_ms > 0
                                    ? options->command_timeout_ms
                                    : COMMAND_TIMEOUT_MS;
    redis->queue_max = options->queue_max > 0 ? options->queue_max : QUEUE_MAX;
    redis_set_handlers(redis, options->on_ready, options->on_down, options->owner);
    redis->on_fatal = options->on_fatal;
    redis->fd = -1;
    redis->alarm_us = INT64_MAX;
    rng_init(&redis->rng, rng_from_system());
    loop_io_init(&redis->io, loop, on_socket, redis);
    loop_timer_init(&redis->timer, loop, on_timer, redis);
    hold_init(redis);
    loop_hook_start_last(&redis->hook, loop, on_turn, redis);
    loop_timer_start(&redis->timer, 0);
    return redis;
}

void redis_free(struct redis *redis)
{
    if (!redis)
        return;
    assert(redis->in_callback == 0);
    conn_close(redis);
    conn_set_state(redis, RS_CLOSING);
    loop_timer_stop(&redis->timer);
    loop_hook_stop(&redis->hook);
    conn_answer_all(redis, &redis->lost, REDIS_CANCELLED);
    conn_answer_all(redis, &redis->hold.calls, REDIS_CANCELLED);
    conn_answer_all(redis, &redis->calls, REDIS_CANCELLED);
    hold_done(redis);
    redis_queue_clear(&redis->greeting);
    redis_reader_free(redis->reader);
    redis_route_done(&redis->route);
    redis_target_done(&redis->target);
    free(redis->where);
    free(redis->name);
    free(redis);
}

bool redis_ready(const struct redis *redis)
{
    return redis->state == RS_READY;
}

bool redis_greeting(const struct redis *redis)
{
    return redis->state == RS_HELLO;
}

size_t redis_waiting(const struct redis *redis)
{
    return redis->calls.count + redis->lost.count + redis->hold.calls.count;
}

bool redis_refused(const struct redis *redis)
{
    return redis->hello.refused;
}

void redis_reconnect(struct redis *redis)
{
    if (redis->state == RS_CLOSING)
        return;
    if (redis->state == RS_WAITING) {
        loop_timer_start(&redis->timer, 0);
        return;
    }
    redis->at_once = true;
    if (redis->state != RS_BROKEN)
        conn_break(redis, NULL);
}

void redis_set_handlers(struct redis *redis,
                        void (*on_ready)(void *owner, bool restarted),
                        void (*on_down)(void *owner, const struct err *err),
                        void *owner)
{
    redis->on_ready = on_ready;
    redis->on_down = on_down;
    if (!owner)
        redis->on_fatal = NULL;
    redis->owner = owner;
}

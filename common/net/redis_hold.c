/* redis_hold.c - see redis_hold.h. */
#include "net/redis_hold.h"

#include <assert.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/redis_conn.h"

enum { TRY_FIRST_MS = 50, TRY_MAX_MS = 1000, QUIET_MS = 2000 };

static void tell_refusal(const struct redis *redis, struct redis_hold *hold)
{
    struct episode *told = &hold->told[hold->error];
    int64_t now_ms = clock_mono_ms();

    if (episode_on(told, now_ms))
        log_warn("redis",
                 "refused for now, trying again class=%s for_ms=%lld waiting=%zu "
                 "connection=%s text=\"%s\"",
                 redis_class_name(hold->error), (long long)episode_ms(told, now_ms),
                 redis_waiting(redis), redis->name ? redis->name : "", hold->text);
}

static void tell_calm(const struct redis *redis, struct redis_hold *hold)
{
    for (unsigned i = 0; i < REDIS_CLASS_COUNT; i++) {
        int64_t lasted_ms = episode_ms(&hold->told[i], hold->refused_ms);

        if (episode_over(&hold->told[i]))
            log_info("redis", "accepted again class=%s after_ms=%lld connection=%s",
                     redis_class_name((enum redis_class)i), (long long)lasted_ms,
                     redis->name ? redis->name : "");
    }
}

static int64_t try_ms(struct redis *redis)
{
    int64_t top = TRY_FIRST_MS;

    for (unsigned i = 0; i < redis->hold.tries && top < TRY_MAX_MS; i++)
        top *= 2;
    if (top > TRY_MAX_MS)
        top = TRY_MAX_MS;
    return top / 2 + (int64_t)rng_below(&redis->rng, (uint64_t)(top / 2) + 1);
}

/* The oldest `count` calls go back into the queue of the connection. */
static void send_oldest(struct redis *redis, size_t count)
{
    for (; count > 0; count--) {
        struct redis_pending *pending = redis_queue_pop(&redis->hold.calls);

        pending->sent_us = 0;
        redis_queue_push_take(&redis->calls, pending);
    }
}

static void try_again(struct redis *redis)
{
    struct redis_hold *hold = &redis->hold;

    hold->state = HOLD_TRYING;
    if (redis_class_remedy(hold->error) == REDIS_MOVE && redis->state == RS_READY)
        redis_reconnect(redis);
    hold->probe = hold->calls.head;
    if (hold->probe)
        send_oldest(redis, 1);
    else
        loop_timer_start(&hold->timer, QUIET_MS);
}

static void on_timer(struct loop_timer *timer, void *owner)
{
    struct redis *redis = owner;
    struct redis_hold *hold = &redis->hold;

    (void)timer;
    if (hold->state == HOLD_WAITING) {
        try_again(redis);
        return;
    }
    assert(hold->state == HOLD_TRYING && !hold->probe);
    hold->state = HOLD_CALM;
    hold->tries = 0;
    tell_calm(redis, hold);
}

bool hold_take(struct redis *redis, struct redis_pending *pending,
               enum redis_class error, struct str text)
{
    struct redis_hold *hold = &redis->hold;
    bool was_probe = pending == hold->probe;

    hold->error = error;
    hold->refused_ms = clock_mono_ms();
    (void)snprintf(hold->text, sizeof hold->text, "%s",
                   log_safe(text)); /* cut is fine */
    if (was_probe)
        hold->probe = NULL;
    if (pending->again && was_probe)
        redis_queue_push_front_take(&hold->calls, pending);
    else if (pending->again)
        redis_queue_push_take(&hold->calls, pending);
    tell_refusal(redis, hold);
    if (hold->state == HOLD_CALM || (hold->state == HOLD_TRYING && !hold->probe)) {
        hold->tries += hold->state == HOLD_TRYING;
        hold->state = HOLD_WAITING;
        loop_timer_start(&hold->timer, try_ms(redis));
    }
    return pending->again;
}

void hold_passed(struct redis *redis, const struct redis_pending *pending)
{
    struct redis_hold *hold = &redis->hold;

    if (pending != hold->probe)
        return;
    hold->probe = NULL;
    send_oldest(redis, hold->calls.count);
    loop_timer_start(&hold->timer, QUIET_MS);
}

void hold_replaced(struct redis *redis, const struct redis_pending *before,
                   const struct redis_pending *after)
{
    if (before == redis->hold.probe)
        redis->hold.probe = after;
}

void hold_init(struct redis *redis)
{
    loop_timer_init(&redis->hold.timer, redis->loop, on_timer, redis);
}

void hold_done(struct redis *redis)
{
    assert(redis->hold.calls.count == 0);
    loop_timer_stop(&redis->hold.timer);
}

bool redis_refuses_writes(const struct redis *redis)
{
    const struct redis_hold *hold = &redis->hold;

    return (hold->state == HOLD_WAITING || hold->probe)
           && redis_class_refuses_writes(hold->error);
}

const char *redis_refusal(const struct redis *redis)
{
    return redis->hold.state == HOLD_CALM ? NULL : redis->hold.text;
}

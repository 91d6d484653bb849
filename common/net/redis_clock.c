/* redis_clock.c - see redis_clock.h.
 *
 * Flow: timer -> TIME -> on_time: a sample, which replaces the best one if it is
 *       faster, if that is a minute old, or if the two cannot both be right (a clock
 *       was set, or another server answers).
 */
#include "net/redis_clock.h"

#include "base/clock.h"
#include "net/redis.h"

enum {
    ASK_FIRST_MS = 50, /* between the first questions */
    ASK_MS = 10000,
    ASK_QUICKLY = 5,
    BEST_FOR_MS = 60000,
    SECONDS_MAX = 1 << 30, /* of TIME, in units of four: beyond, it is no time */
    DRIFT_US = 1000,       /* two clocks may part that much in a minute */
    JUMP_US = 5000000,
    JUMP_ROUND_TRIP_US = 1000000 /* a sample that took longer tells no jump */
};

static int64_t distance(int64_t a, int64_t b)
{
    return a > b ? a - b : b - a;
}

/* Each sample is off by at most half its round trip. */
static bool contradicts(const struct redis_clock *clock, int64_t offset_us,
                        int64_t round_trip_us)
{
    return distance(offset_us, clock->offset_us)
           > (clock->best_round_trip_us + round_trip_us) / 2 + DRIFT_US;
}

/* Both clocks are read around the same reply: what stops us stops neither of them. */
static void look_for_jump(struct redis_clock *clock, int64_t offset_us,
                          int64_t round_trip_us)
{
    int64_t now_us = clock_mono_us();
    int64_t delta_us = offset_us - clock->last_offset_us;
    int64_t since_us = clock->last_at_us;

    if (round_trip_us > JUMP_ROUND_TRIP_US)
        return;
    clock->last_offset_us = offset_us;
    clock->last_at_us = now_us;
    if (since_us != 0 && distance(delta_us, 0) > JUMP_US && clock->on_jump != NULL)
        clock->on_jump(clock->owner, delta_us, since_us + offset_us);
}

void redis_clock_sample(struct redis_clock *clock, int64_t at_us, int64_t round_trip_us)
{
    int64_t now_us = clock_mono_us();
    int64_t offset_us = at_us - (now_us - round_trip_us / 2);
    bool keep = clock->known && round_trip_us > clock->best_round_trip_us
                && now_us / 1000 - clock->best_at_ms < BEST_FOR_MS
                && !contradicts(clock, offset_us, round_trip_us);

    if (!keep) {
        clock->offset_us = offset_us;
        clock->best_round_trip_us = round_trip_us;
        clock->best_at_ms = now_us / 1000;
        clock->known = true;
    }
    look_for_jump(clock, offset_us, round_trip_us);
}

static void on_time(void *owner, const struct redis_answer *answer)
{
    struct redis_clock *clock = owner;
    int64_t seconds, micros;

    if (answer->outcome != REDIS_OK)
        return;
    seconds = redis_item_i64(answer->value, 0, -1);
    micros = redis_item_i64(answer->value, 1, -1);
    if (seconds < 0 || seconds / 4 > SECONDS_MAX || micros < 0 || micros >= 1000000)
        return;
    redis_clock_sample(clock, seconds * 1000000 + micros, answer->round_trip_us);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct redis_clock *clock = owner;
    struct str words[] = {str_of("TIME")};
    struct redis_call call = {
        .argc = 1, .argv = words, .on_answer = on_time, .owner = clock};

    /* Without a connection, or with a full queue, the next tick will do. */
    if (redis_ready(clock->redis) && redis_send(clock->redis, &call))
        clock->asked++;
    loop_timer_start(timer, clock->asked < ASK_QUICKLY ? ASK_FIRST_MS : ASK_MS);
}

void redis_clock_start(struct redis_clock *clock, struct loop *loop,
                       struct redis *redis)
{
    *clock = (struct redis_clock){.redis = redis};
    loop_timer_init(&clock->timer, loop, on_tick, clock);
    loop_timer_start(&clock->timer, 0);
}

void redis_clock_stop(struct redis_clock *clock)
{
    if (!clock->redis)
        return;
    loop_timer_stop(&clock->timer);
    redis_forget(clock->redis, clock);
    clock->redis = NULL;
}

int64_t redis_clock_now_us(const struct redis_clock *clock)
{
    return clock->known ? clock_mono_us() + clock->offset_us : clock_wall_us();
}

/* redis_clock.h - Redis' time as seen from here.
 *
 * Stamps made by scripts are Redis' TIME; waits are measured against our clock. The
 * offset is taken from TIME replies: the fastest round trip of the last minute wins,
 * half of it being the error (Cristian's algorithm, 1989).
 */
#ifndef PARLEY_REDIS_CLOCK_H
#define PARLEY_REDIS_CLOCK_H

#include <stdint.h>

#include "net/loop.h"

struct redis;

/* Redis' clock was set, or another server with another clock answers: it is now
 * delta_us from where it would be. Stamps between since_us and now are of the new time.
 */
typedef void redis_clock_on_jump(void *owner, int64_t delta_us, int64_t since_us);

struct redis_clock {
    struct loop_timer timer; /* asks TIME every 10 s, at first five times quickly */
    struct redis *redis;     /* borrowed */
    int64_t offset_us;       /* Redis time minus our monotonic clock */
    int64_t best_round_trip_us;
    int64_t best_at_ms;     /* when it was measured, monotonic */
    int64_t last_offset_us; /* of the last sample good enough to tell a jump by */
    int64_t last_at_us;     /* when that was, monotonic; 0: none yet */
    unsigned asked;
    bool known;
    redis_clock_on_jump *on_jump; /* set after redis_clock_start; may be NULL */
    void *owner;                  /* its */
};
void redis_clock_start(struct redis_clock *clock, struct loop *loop,
                       struct redis *redis);
void redis_clock_stop(struct redis_clock *clock);
/* A script's answer that bore Redis' time is a sample too. What came more than a second
 * after it was asked for says nothing of a jump: whoever was stopped meanwhile cannot
 * tell which clock went on. */
void redis_clock_sample(struct redis_clock *clock, int64_t at_us,
                        int64_t round_trip_us);
/* Microseconds since 1970 by Redis' clock; our wall clock until one answer came. */
int64_t redis_clock_now_us(const struct redis_clock *clock);

#endif

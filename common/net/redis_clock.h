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

struct redis_clock {
    struct loop_timer timer; /* asks TIME every 10 s, at first five times quickly */
    struct redis *redis;     /* borrowed */
    int64_t offset_us;       /* Redis time minus our monotonic clock */
    int64_t best_round_trip_us;
    int64_t best_at_ms; /* when it was measured, monotonic */
    unsigned asked;
    bool known;
};
void redis_clock_start(struct redis_clock *clock, struct loop *loop,
                       struct redis *redis);
void redis_clock_stop(struct redis_clock *clock);
/* Microseconds since 1970 by Redis' clock; our wall clock until one answer came. */
int64_t redis_clock_now_us(const struct redis_clock *clock);

#endif

/* replay_clock.h - the time that a replay shows: it stands, runs, runs faster, jumps.
 *
 * Pure: monotonic time comes as an argument. Times are µs; those of the record since
 * 1970. The clock never runs past the record's end nor stands before its beginning.
 */
#ifndef PARLEY_REPLAY_CLOCK_H
#define PARLEY_REPLAY_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* In hundredths: 800 is eight times as fast as it was. */
enum {
    REPLAY_SPEED_MIN = 25,
    REPLAY_SPEED_ONE = 100,
    REPLAY_SPEED_TOP = 102400,
    REPLAY_SPEED_MAX = 0 /* as fast as it can be shown: whoever plays moves the clock */
};

struct replay_clock {
    int64_t first_us; /* of the record */
    int64_t last_us;
    int64_t at_us;    /* it showed this */
    int64_t since_us; /* at this monotonic time */
    int64_t speed;    /* hundredths, or REPLAY_SPEED_MAX */
    bool paused;
};

/* "4", "0.5", "8x", "x8", "max". False: something else, or out of range (0.25 to 1024).
 */
MUST_USE bool replay_speed_parse(const char *text, int64_t *ret_speed);

/* Stands at the record's beginning and runs from now on. */
void replay_clock_init(struct replay_clock *clock, int64_t first_us, int64_t last_us,
                       int64_t speed, int64_t mono_us);
int64_t replay_clock_now(const struct replay_clock *clock, int64_t mono_us);
bool replay_clock_over(const struct replay_clock *clock, int64_t mono_us);
void replay_clock_seek(struct replay_clock *clock, int64_t at_us, int64_t mono_us);
void replay_clock_pause(struct replay_clock *clock, bool paused, int64_t mono_us);
/* Twice as fast or half as fast; faster than REPLAY_SPEED_TOP is REPLAY_SPEED_MAX. */
void replay_clock_faster(struct replay_clock *clock, int64_t mono_us);
void replay_clock_slower(struct replay_clock *clock, int64_t mono_us);
/* Real µs until the clock shows that time, 0 when it has; -1: it stands, so never. */
int64_t replay_clock_wait_us(const struct replay_clock *clock, int64_t at_us,
                             int64_t mono_us);
/* Adds "replay 0:42 of 5:00 x8", and " paused" or " end". */
void replay_clock_words(const struct replay_clock *clock, int64_t mono_us,
                        struct buf *into);

#endif

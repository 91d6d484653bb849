/* shift.h - Redis' clock was set: what hangs on it is moved along.
 *
 * The clock of a server may jump: by hand, by its time service, after a failover to
 * another machine. Deadlines are Redis' time, so a jump of an hour would end every
 * conversation that has less than an hour left, or give it an hour more. Each manager
 * holds Redis' time against its own monotonic clock; the one that leads moves deadlines
 * by what they parted, says so, and starts the leases of requests in flight anew.
 */
#ifndef PARLEY_SHIFT_H
#define PARLEY_SHIFT_H

#include <stdbool.h>
#include <stdint.h>

struct manager;

struct jump {
    int64_t delta_us; /* 0: none to be dealt with */
    int64_t since_us; /* Redis' time, as it is now */
    int64_t at_ms;    /* monotonic: when it was noticed */
    bool asked;       /* what is to be moved is being asked for */
};

/* The clock's on_jump. */
void shift_note(void *manager, int64_t delta_us, int64_t since_us);
/* Deals with a jump that was noted, if we lead by now. A leader's own note and that of
 * a standby that took over come to the same: the script moves each talk once. */
void shift_go_on(struct manager *manager);

#endif

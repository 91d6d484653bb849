/* restart.h - what follows the death of a process that is to stay. Pure: no clock, no
 * process; the caller starts, waits and tells.
 *
 * One that had been ready is started again at once; one that died before it was ready
 * waits, from RESTART_FIRST_MS doubling up to RESTART_MOST_MS, jittered. After
 * RESTART_DEATHS_MAX deaths in a row without a committed turn between them it is given
 * up. A death whose cause lies outside and may pass (the disk is full) counts for
 * nothing and waits RESTART_EXCUSED_MS; one that would only come again is the last.
 */
#ifndef PARLEY_RESTART_H
#define PARLEY_RESTART_H

#include <stdbool.h>
#include <stdint.h>

enum {
    RESTART_DEATHS_MAX = 5,
    RESTART_FIRST_MS = 100,
    RESTART_MOST_MS = 5000,
    RESTART_EXCUSED_MS = 1000
};

/* What is remembered of a process' deaths; starts as {0}. */
struct restart {
    int unready;   /* deaths in a row before it was ready */
    int fruitless; /* deaths in a row without a committed turn between them */
    int64_t turns; /* committed when it last died */
    bool excused;  /* the last death was */
    bool final;    /* and nothing will be otherwise the next time */
};
struct restart_death {
    bool ready;    /* it had been, in this life */
    bool excused;  /* the cause lies outside */
    bool final;    /* it would die of the same again */
    int64_t turns; /* committed by now, in the whole run */
};

void restart_died(struct restart *restart, const struct restart_death *death);
/* It will not do any better. */
bool restart_hopeless(const struct restart *restart);
/* How long to wait now, in ms; `unit` in [0, 1) is the jitter: waits are between half
 * and all of their length. */
int64_t restart_wait_ms(const struct restart *restart, double unit);

#endif

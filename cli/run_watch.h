/* run_watch.h - what a run keeps an eye on while it plays, and tells on stderr: deaths
 * of its processes, a Redis that refuses writes, a stdout that nobody reads, Ctrl-Z.
 */
#ifndef PARLEY_RUN_WATCH_H
#define PARLEY_RUN_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct run;

struct run_watch {
    struct loop_timer timer;      /* the next look at Redis */
    struct loop_signal suspended; /* SIGTSTP */
    bool asking;
    int64_t started_ms;  /* monotonic */
    int64_t answered_ms; /* monotonic: when Redis last answered a look */
    int64_t led_ms;      /* when a manager was last seen to lead; 0: not yet */
    bool silence_told;   /* Redis does not answer */
    bool leaderless;     /* nobody leads, and that was told */
    bool ending;         /* what goes away now is no news */
    int64_t refused_ms;  /* monotonic: since when writes are refused; 0: they are not */
    int64_t told_ms;     /* when that was last told */
};

/* The callbacks of run->children; before the first start. */
void run_watch_init(struct run *run);
/* Looks every 2 s from now on; run->redis is connected. */
void run_watch_start(struct run *run);
void run_watch_stop(struct run *run);
/* The fleet is being ended: who is missing from now on is not told. */
void run_watch_ending(struct run *run);
/* Redis has not answered for 5 s: to wait for what it should do is no use. */
bool run_watch_silent(const struct run *run);
/* Nothing that is asked of the fleet is carried out: Redis is silent, or nobody leads.
 */
bool run_watch_stalled(const struct run *run);

#endif

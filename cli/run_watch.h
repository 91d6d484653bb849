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
    int64_t refused_ms; /* monotonic: since when writes are refused; 0: they are not */
    int64_t told_ms;    /* when that was last told */
};

/* The callbacks of run->children; before the first start. */
void run_watch_init(struct run *run);
/* Looks every 2 s from now on; run->redis is connected. */
void run_watch_start(struct run *run);
void run_watch_stop(struct run *run);

#endif

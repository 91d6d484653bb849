/* lane.h - takes requests from the lane: what is new, and what others left behind.
 *
 * One thing at a time: when a claim is due (at start, then every second) it comes
 * first, else a blocking read for as many entries as there are free slots; with no slot
 * free it rests. So it never holds more than it can work on. From its third delivery on
 * a request runs alone: two workers did not survive it, or had bad luck, and nobody
 * else's turn shall share its fate.
 */
#ifndef PARLEY_LANE_H
#define PARLEY_LANE_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"
#include "net/redis_watch.h"

struct redis;
struct worker;

enum lane_state {
    LANE_CLOSED,   /* no name yet, or shutting down */
    LANE_RESTING,  /* no slot free, or waiting before it tries again */
    LANE_CLAIMING, /* the claim script is on its way */
    LANE_READING   /* a blocking read is on its way */
};
struct lane {
    struct worker *worker;
    enum lane_state state;
    struct redis *reader;     /* the connection that blocks */
    struct redis_watch watch; /* over the reader */
    struct loop_timer wait;   /* before trying again */
    int64_t claim_at_ms;      /* monotonic: when the next claim is due */
    bool alone_waits;         /* a request that must run alone, for us to be idle */
    bool alone_told;          /* and that was logged */
};
void lane_start(struct lane *lane, struct worker *worker);
/* The name is ours: begin to take requests. */
void lane_open(struct lane *lane);
/* Takes nothing more; a blocked read is cut. */
void lane_close(struct lane *lane);
/* A slot became free. */
void lane_wake(struct lane *lane);
void lane_done(struct lane *lane);

#endif

/* leader.h - who leads the shard: takes, renews and gives back K:leader.
 *
 * A manager asks every second; the leadership lasts five without a renewal. The token
 * of a leadership is checked by every script, so being wrong about it is harmless.
 */
#ifndef PARLEY_LEADER_H
#define PARLEY_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "net/loop.h"

struct manager;

enum { TOKEN_SIZE = 128 };

struct leader {
    struct manager *manager;
    struct loop_timer timer;
    char token[TOKEN_SIZE]; /* "" while another leads */
    int64_t won_at_ms;      /* monotonic */
    bool asking;
    bool resigned; /* we are going: what comes is not for us any more */
};
void leader_start(struct leader *leader, struct manager *manager);
/* Asks at once (the name has just become ours). */
void leader_ask_now(struct leader *leader);
/* A script answered STALE: another leads by now. */
void leader_stale(struct leader *leader);
/* Gives the leadership back, for a standby to take at once. */
void leader_resign(struct leader *leader);
bool leader_leads(const struct leader *leader);
void leader_done(struct leader *leader);

#endif

/* leader.h - who leads the shard: takes, renews and gives back K:leader.
 *
 * The leader asks every second, a standby four times as often; the leadership lasts
 * five without a renewal. That of a leader known to be dead (a process of this machine,
 * or one whose name is ours now) is taken at once. The token of a leadership is checked
 * by every script, so being wrong about it is harmless.
 */
#ifndef PARLEY_LEADER_H
#define PARLEY_LEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/process.h"
#include "net/loop.h"

struct manager;

enum { TOKEN_SIZE = 128 };

struct leader {
    struct manager *manager;
    struct loop_timer timer;
    char token[TOKEN_SIZE]; /* "" while another leads */
    int64_t won_at_ms;      /* monotonic */
    char other[TOKEN_SIZE]; /* the token of who led when we asked last; "" none did */
    struct process_place other_at; /* where that one runs; empty: not known */
    bool heir; /* that one is dead: its leadership is ours to take */
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

/* recover.h - makes the roster from what Redis holds: at a take-over, after a restart
 * of Redis, and for a single conversation that is not known. And goes on looking: a
 * page of conversations every few seconds, so that one nobody would look at again (it
 * fell out of K:due, out of the roster) is found at a cost that does not grow with
 * their number.
 */
#ifndef PARLEY_RECOVER_H
#define PARLEY_RECOVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct manager;

enum { SCORE_SIZE = 40 };

struct recovery {
    size_t reading; /* conversations whose state is being asked for */
    bool paging;    /* more of them will be */
    bool taking;    /* then the pending responses are taken */
    bool patrolling;
    char patrol_from[SCORE_SIZE]; /* score in K:conversations; "" from the first */
};

/* Reads all conversations that have not ended, a few hundred at a time, and asks anew
 * for what is lost of them; then takes all pending responses. */
void recover_all(struct manager *manager);
/* Reads one, after half a step in its transcript was taken out; a response of it (lane
 * 0: none) is acked when it is over. */
void recover_one(struct manager *manager, struct str id, int64_t lane,
                 struct str entry);
/* Looks at the next page of conversations: those not in the roster are read, the others
 * looked at as if they were due. */
void recover_patrol(struct manager *manager);
/* Responses that lie pending for at least min_idle_ms are taken (again), all of them.
 */
void recover_pending(struct manager *manager, int64_t min_idle_ms);
/* Commands that lie pending for at least min_idle_ms are carried out (again). */
void recover_commands(struct manager *manager, int64_t min_idle_ms);

#endif

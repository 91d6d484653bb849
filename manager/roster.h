/* roster.h - the conversations a leader looks after. Pure: no Redis, no clock.
 *
 *   queued -> writing -> ready -> running -> (gone)
 *
 * queued: opened, its story not begun. writing: a desk has it. ready: cast known, waits
 * for live members on its lanes and for room among the running. running: begun, also
 * while paused or closing. Ended ones are taken out. A running talk keeps only what a
 * turn needs: under 300 bytes.
 */
#ifndef PARLEY_ROSTER_H
#define PARLEY_ROSTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "proto/cast.h"
#include "proto/keys.h"
#include "proto/wish.h"

enum talk_state {
    TALK_QUEUED,
    TALK_WRITING,
    TALK_READY,
    TALK_RUNNING,
    TALK_STATE_COUNT
};
const char *talk_state_name(enum talk_state state);

struct talk {
    char id[CONVERSATION_SIZE];
    enum talk_state state;
    uint8_t seat_count;
    uint8_t lanes[SEATS_MAX]; /* of each seat, from 1 to SEATS_MAX */
    int64_t next;             /* the turn awaited, as Redis said last; 0: none yet */
    int64_t misread;          /* the turn whose message could not be read; 0 none */
    bool pass_on_failure;
    struct wish *wish;        /* owned; NULL once running */
    struct cast *cast;        /* owned; from ready until running */
    char *failure;            /* owned: why it cannot begin; NULL: all is well */
    const char *failure_kind; /* then: one word */
    int64_t said_waiting_ms;  /* when it was last logged why it waits; monotonic */
    LIST_ENTRY(talk) in_bucket;
    TAILQ_ENTRY(talk) in_queue; /* of its state, oldest first */
};
TAILQ_HEAD(talk_queue, talk);

struct roster;
struct roster *roster_new(void);
void roster_free(struct roster *roster);
void roster_clear(struct roster *roster);

/* NULL when there is none. */
struct talk *roster_find(struct roster *roster, struct str id);
/* A new one, queued; takes the wish (allocated with malloc). */
struct talk *roster_add(struct roster *roster, const char *id, struct wish *wish_take);
void roster_move(struct roster *roster, struct talk *talk, enum talk_state state);
/* Takes the cast (2 to SEATS_MAX seats, lanes from 1 to SEATS_MAX); notes both. */
void roster_set_cast(struct talk *talk, struct cast *cast_take);
/* Running: wish and cast are freed. */
void roster_run(struct roster *roster, struct talk *talk);
void roster_remove(struct roster *roster, struct talk *talk);

/* Notes that this turn is awaited now; a talk that is not there does not matter. */
void roster_awaits(struct roster *roster, struct str id, int64_t next);
size_t roster_count(const struct roster *roster, enum talk_state state);
struct talk *roster_first(struct roster *roster, enum talk_state state);
struct talk *roster_next(struct talk *talk);
/* The highest lane any running talk has used, at least 2. */
int roster_lanes(const struct roster *roster);
/* Bit l of `alive`: lane l has a live member. */
bool talk_has_lanes(const struct talk *talk, uint32_t alive);
/* Turn order: round the table. Seats from 1. */
int64_t talk_next_seat(const struct talk *talk, int64_t seat);
int64_t talk_lane(const struct talk *talk, int64_t seat);

#endif

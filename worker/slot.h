/* slot.h - one turn at a time: carries out what turn.h decides.
 *
 * Flow: slot_deliver -> load (renew, and what the memory lacks in the same round trip)
 *       -> call (prompt, model, deltas to the live view, renew every 0.5 s)
 *       -> commit or fail -> free, and the lane is told.
 */
#ifndef PARLEY_SLOT_H
#define PARLEY_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/keys.h"
#include "scripts/member.h"
#include "worker/live.h"
#include "worker/memory.h"
#include "worker/turn.h"

struct llm_call;
struct redis_value;
struct worker;

enum { CALL_ID_SIZE = CONVERSATION_SIZE + 64, REASON_SIZE = 512 };

struct slot {
    struct worker *worker;
    enum turn_state state;
    /* the request, as it was delivered */
    char name[MEMBER_NAME_SIZE]; /* under which it is ours */
    char entry[ENTRY_SIZE];
    char conversation[CONVERSATION_SIZE];
    char upto[ENTRY_SIZE];
    char window[ENTRY_SIZE];
    int64_t deliveries;
    int64_t turn;
    int64_t issue;
    int64_t seat;
    int64_t version; /* of the cast */
    int64_t lines;   /* of the transcript that this turn sees */
    int64_t asked_at_us;
    int64_t received_at_us;   /* both by Redis' clock */
    struct buf last_message;  /* JSON; empty at the first turn */
    struct memory_page *page; /* pinned while a turn is here */
    unsigned emptied;         /* the page's, when its reading began */
    /* the call */
    char call_id[CALL_ID_SIZE];
    struct llm_call *call;
    char *author;          /* owned: the persona's name */
    int64_t call_began_us; /* wall */
    char new_window[ENTRY_SIZE];
    struct live live;
    /* the outcome */
    struct buf message; /* what is committed */
    struct buf said;    /* its words, for the memory */
    int64_t tokens;
    char error[32]; /* what spoiled the turn, "" while it is well */
    char reason[REASON_SIZE];
    enum turn_action settling; /* commit, fail or bury: the script that is run */
    struct loop_timer retry;   /* when that was refused */
    bool renewing;             /* a renew is on its way */
    unsigned awaited; /* answers that must come before the prompt can be built */
};
void slot_init(struct slot *slot, struct worker *worker);
void slot_done(struct slot *slot);
/* A request is ours. `fields`: field, value, ... of its entry. */
void slot_deliver(struct slot *slot, struct str entry, int64_t deliveries,
                  const struct redis_value *fields);
/* Keeps the lease of what is in hand; called every half second. */
void slot_renew(struct slot *slot);
/* The process goes away: back to the lane, unless it is nearly done. */
void slot_hand_back(struct slot *slot);

#endif

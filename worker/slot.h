/* slot.h - one turn at a time: carries out what turn.h decides.
 *
 * Flow: slot_deliver -> load (renew, and what the memory lacks in the same round trip)
 *       -> call (prompt, router, deltas to the live view, renew every 0.5 s)
 *       -> commit or fail -> free, and the lane is told.
 */
#ifndef PARLEY_SLOT_H
#define PARLEY_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/keys.h"
#include "scripts/member.h"
#include "worker/budget.h"
#include "worker/live.h"
#include "worker/memory.h"
#include "worker/prompt.h"
#include "worker/turn.h"
#include "worker/utterance.h"

struct redis_value;
struct router_call;
struct worker;

enum { CALL_ID_SIZE = CONVERSATION_SIZE + 80, REASON_SIZE = 512, COMPLAINT_SIZE = 256 };

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
    unsigned rewound;         /* the page's, when it had all this turn needs */
    bool closing;             /* the last turn that is allowed */
    /* what is asked of the router */
    char ask_id[CALL_ID_SIZE];
    struct router_call *call;
    int64_t called_ms;   /* monotonic: the first ask */
    char *author;        /* owned: the persona's name */
    char *fallback;      /* owned: what it says when no server answers, or NULL */
    bool structured;     /* it answers in JSON */
    bool repairing;      /* it is asked for the second time: its JSON was not good */
    struct buf rejected; /* then: what it said, or as much as is shown to it */
    char complaint[COMPLAINT_SIZE]; /* and what was wrong with that */
    struct prompt prompt;           /* the one built last */
    int64_t num_ctx;
    size_t room_bytes; /* for the prompt */
    size_t reply_max_bytes;
    char new_window[ENTRY_SIZE];
    int64_t endpoint_wait_us; /* for places, over all attempts */
    /* the call that runs, or was the last */
    char call_id[CALL_ID_SIZE]; /* "": none was made, or another follows */
    struct utterance utterance;
    bool enough;            /* its server was told to stop */
    bool context_truncated; /* its server cut the prompt */
    struct live live;
    /* the outcome */
    struct buf message; /* what is committed */
    struct buf said;    /* its words, for the memory */
    int64_t tokens;
    char error[32]; /* what spoiled the turn, "" while it is well */
    char reason[REASON_SIZE];
    enum turn_action settling; /* commit, fail or bury: the script that is run */
    struct loop_timer retry;   /* when that was refused */
    unsigned refusals;         /* so many times, for reasons that do not pass */
    unsigned renewing;         /* so many renews are on their way */
    struct loop_timer look;    /* at the deadline, when that is near */
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

/* manager.h - the process that leads a shard: everything its parts share.
 *
 * Only the leader acts; a standby waits for the leadership. What it remembers (the
 * roster) is made from Redis at each take-over, and every step it takes is a script
 * that checks its token, so a leader that was asleep can do no harm.
 */
#ifndef PARLEY_MANAGER_H
#define PARLEY_MANAGER_H

#include "base/episode.h"
#include "manager/desk.h"
#include "manager/leader.h"
#include "manager/recover.h"
#include "manager/rewind.h"
#include "manager/roster.h"
#include "manager/shift.h"
#include "manager/warm.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "net/redis_watch.h"
#include "proto/config.h"
#include "proto/keys.h"
#include "scripts/member.h"

struct http;
struct llm;
struct router;

struct manager {
    const struct config *config; /* borrowed */
    struct loop *loop;
    struct keys keys;
    struct redis_target target;
    struct redis *redis;      /* commands and scripts */
    struct redis *reader;     /* blocking reads */
    struct redis_watch watch; /* over the reader */
    struct redis_clock clock;
    struct http *http;
    struct llm *llm;
    struct router *router; /* every ask goes through it */
    struct desk_templates templates;
    struct member member;
    struct leader leader;
    struct roster *roster;
    struct desk_list desks; /* stories being written */
    struct warm_list warm;  /* models that were asked to be loaded */
    size_t warm_count;
    int64_t loads;          /* so many models were asked to be loaded */
    struct loop_timer tick; /* what is due, who may begin */
    struct loop_timer wait; /* before reading again after a refusal */
    struct loop_signal signals[3];
    int64_t sweep_at_ms; /* monotonic: next look at old pending responses */
    int64_t trim_at_ms;
    int64_t patrol_at_ms;
    struct recovery recovery; /* the roster being made, and looked over */
    struct jump jump;         /* of Redis' clock, not dealt with yet */
    int64_t consumers_at_ms;  /* next look at consumers nobody is any more */
    struct rewind rewind;     /* what was remembered, to be held against Redis */
    bool doubt; /* a script found Redis' clock elsewhere: what it left is taken again */
    uint32_t alive; /* bit l: lane l had a live member at the last look */
    bool reading;   /* a blocking read is on its way */
    bool looking;   /* a look at the members is on its way */
    bool trimming;  /* a trim is on its way */
    bool stopping;
    bool forced;
    int64_t routed;        /* turns */
    int64_t trimmed;       /* answers and commands that vanished before we had them */
    struct err fatal;      /* why we cannot go on */
    struct err last_down;  /* the last failed connection's */
    struct episode outage; /* no connection for commands */
    bool was_ready;        /* Redis was there before */
    struct loop_timer first_contact;
};

int manager_run(struct manager *manager, const struct config_loaded *loaded,
                struct err *err);
/* Leadership came or went. */
void manager_lead(struct manager *manager);
void manager_follow(struct manager *manager);
/* Something may have become possible: a story to write, a conversation to begin. */
void manager_advance(struct manager *manager);

/* A script found Redis' clock far from ours: asks for the time, then once more for what
 * was left undone. */
void manager_doubt_clock(struct manager *manager);
/* An event that no script tells; `at` is our idea of Redis' time. turn below 0: none.
 */
struct manager_event {
    const char *event;
    const char *conversation; /* "": of the shard */
    const char *reason;
    int64_t turn;
};
void manager_tell(struct manager *manager, const struct manager_event *event);

/* Runs a script with the keys and arguments gathered in `words` (keys first); the
 * answer goes to on_answer(owner). A full queue is logged: the due look repairs it. */
struct words {
    struct str at[96];
    size_t count;
    size_t keys;
};
void words_add(struct words *words, struct str word);
void words_keys_end(struct words *words); /* what was added so far are keys */
void manager_eval(struct manager *manager, int script, const struct words *words,
                  redis_on_answer *on_answer, void *owner);
/* Sends a plain command. */
void manager_send(struct manager *manager, const struct words *words,
                  redis_on_answer *on_answer, void *owner);

#endif

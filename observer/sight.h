/* sight.h - what an observer has to show: one thing that was said or that happened.
 *
 * Made by talk_state.c out of Redis entries, drawn by plain.c and view_json.c. All
 * texts are as they came from models and Redis: whoever draws makes them harmless.
 */
#ifndef PARLEY_SIGHT_H
#define PARLEY_SIGHT_H

#include <stdint.h>

#include "base/str.h"

struct message;

enum sight_kind {
    SIGHT_STORY,      /* message */
    SIGHT_PERSONA,    /* message, seat */
    SIGHT_BEGIN,      /* a turn begins to be spoken: turn, seat, author, call */
    SIGHT_DELTA,      /* more of it: text */
    SIGHT_WITHDRAWN,  /* what was shown of it is void: text says why */
    SIGHT_END,        /* the call is over: text is done, failed or cancelled */
    SIGHT_TURN,       /* committed: message, turn, seat, author */
    SIGHT_EVENT,      /* message: a stage direction */
    SIGHT_WHISPER,    /* message: one that only the seats of its `to` see */
    SIGHT_WAITING,    /* all model servers are down: turn, seat, author, servers; text:
                         what one of them said */
    SIGHT_STATE,      /* facts: the state is another than before */
    SIGHT_REWOUND,    /* Redis lost what came behind `turn` */
    SIGHT_UNREADABLE, /* an entry of the transcript we do not understand: text: why */
    SIGHT_KIND_COUNT
};
const char *sight_kind_name(enum sight_kind kind);

/* What the conversation's hash says. Numbers are -1 where it says nothing. */
struct talk_facts {
    char state[16]; /* "running"; empty: no such conversation */
    char phase[16]; /* "asked" */
    char reason[64];
    int64_t next; /* the turn awaited */
    int64_t seat; /* who is to speak */
    int64_t turns;
    int64_t tokens;
    int64_t max_turns;
    int64_t deadline_us; /* Redis time, as all stamps here */
    int64_t left_ms;     /* while paused */
    int64_t asked_at_us;
    int64_t created_at_us;
    int64_t started_at_us;
    int64_t ended_at_us;
};
/* Of which nothing is known: no state, all numbers -1. */
struct talk_facts talk_facts_unknown(void);

/* Everything is borrowed for the call that shows it. */
struct sight {
    enum sight_kind kind;
    const char *conversation;
    int64_t turn; /* -1 where it does not apply, as seat */
    int64_t seat;
    struct str author;
    struct str call;
    struct str text;
    struct str servers;            /* "local, cloud" */
    struct str document;           /* the message as it stands in Redis (JSON) */
    const struct message *message; /* the same, parsed */
    const struct talk_facts *facts;
};

#endif

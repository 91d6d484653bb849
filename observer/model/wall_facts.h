/* wall_facts.h - what is told of a conversation on the wall: by its hash, its cast and
 * its last message. All texts are as they came.
 */
#ifndef PARLEY_WALL_FACTS_H
#define PARLEY_WALL_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "observer/sight.h"

enum wall_state {
    WALL_IS_PREPARING,
    WALL_IS_RUNNING,
    WALL_IS_PAUSED,
    WALL_IS_CLOSING,
    WALL_IS_ENDED,
    WALL_IS_FAILED,  /* ended with the reason failed */
    WALL_IS_UNKNOWN, /* not read yet, or a state of a later version */
    WALL_STATE_COUNT
};
/* "preparing", "running", ...; "failed"; "?" unknown. */
const char *wall_state_name(enum wall_state state);

/* K:conversation:<id>; numbers are -1 where it says nothing. */
struct wall_facts {
    struct talk_facts talk;
    int64_t attempts; /* model calls begun for the turn awaited */
    int64_t issue;    /* of its last request */
    int64_t failures; /* failed responses, all turns */
    int64_t seats;
    int64_t cast; /* its cast's version, 0 before it began */
    bool calling; /* a call of a model was begun for the turn awaited */
};

/* K:cast:<id>. Borrowed for the call. */
struct wall_cast {
    int64_t version;
    struct str topic;   /* as asked for; empty: none was */
    struct str setting; /* of the story */
    const struct str *names;
    size_t name_count;
};

/* The last message of the transcript. */
struct wall_turn {
    int64_t turn;
    double queue_wait_ms;
    double tokens_per_second; /* the model's own speed */
    bool context_truncated;
    bool fallback;
    bool failed; /* an empty turn in place of one that failed */
};

#endif

/* follow_talk.h - one conversation of follow.h: its questions to Redis and its streams.
 */
#ifndef PARLEY_FOLLOW_TALK_H
#define PARLEY_FOLLOW_TALK_H

#include <stdbool.h>
#include <stdint.h>

#include "tail.h"
#include "talk_state.h"

struct keys;
struct redis;

/* What all conversations of one follow share; outlives them. */
struct follow_ways {
    struct redis *redis; /* for questions */
    struct tail *tail;
    const struct keys *keys;
    bool held; /* nothing more is to be read for now */
    void (*on_sight)(void *owner, const struct sight *sight);
    /* Its past was shown, its streams are read from now on. */
    void (*on_caught_up)(void *owner);
    void (*on_over)(void *owner); /* it ended and all of it was shown */
    void (*on_absent)(void *owner, const char *id); /* not in Redis; told once */
    void *owner;
};

struct follow_talk {
    struct talk_state talk;
    const struct follow_ways *ways;
    struct tail_stream *transcript; /* the tail's; NULL: not read (yet) */
    struct tail_stream *live;       /* the same */
    struct tail_id seen;            /* of the transcript, shown up to here */
    struct tail_id tailed; /* of it, what the tail gave last: a question may be ahead */
    struct talk_facts latest; /* of an end that is told when all was shown */
    bool patient;   /* shown also when it ended before we came; waited for if absent */
    bool asking;    /* the hash was asked for */
    bool ask_again; /* something happened since */
    bool draining;  /* the transcript's rest was asked for */
    bool drain_again;
    bool caught_up;
    bool ending; /* the hash says ended */
    bool absent; /* and was told so */
    bool over;
    int64_t over_ms; /* monotonic; when that was */
};

/* `id` must be valid. Asks for the hash at once. The caller owns it. */
struct follow_talk *follow_talk_new(const struct follow_ways *ways, const char *id,
                                    bool patient);
/* Not while its questions are under way, unless their connection is gone for good. */
void follow_talk_free(struct follow_talk *talk);
bool follow_talk_busy(const struct follow_talk *talk);
/* Looks at the hash again. */
void follow_talk_ask(struct follow_talk *talk);
/* Reads the live stream, or stops it. Nothing happens before it has caught up. */
void follow_talk_listen(struct follow_talk *talk, bool live);

#endif

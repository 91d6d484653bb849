/* follow.h - follows conversations in Redis and tells what is to be shown.
 *
 * Two connections: the tail's, which blocks on the streams, and one for questions (the
 * hash, the list of conversations, what was said so far). Nothing is written to Redis.
 *
 * A conversation's past is read first, by XRANGE; then its streams are handed to the
 * tail; when the hash says that it ended, what is left of the transcript is read before
 * the end is told. Lost connections are told and come back by themselves.
 *
 * Flow: ask the hash -> drain the transcript -> tail transcript and live
 *       -> hash says ended -> drain -> state ended -> over
 */
#ifndef PARLEY_FOLLOW_H
#define PARLEY_FOLLOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "sight.h"

struct follow; /* opaque: the body is in follow.c */
struct keys;
struct loop;
struct redis_target;
struct talk_state;

enum follow_live {
    FOLLOW_LIVE_SINGLE, /* words while there is one conversation */
    FOLLOW_LIVE_ALWAYS,
    FOLLOW_LIVE_COUNT
};

struct follow_options {
    struct loop *loop;
    const struct redis_target *target; /* copied */
    const struct keys *keys;           /* borrowed while the follow lives */
    const char *const *ids; /* valid ones, copied; none: those that run (of the newest
                             * 1000) and those that come */
    size_t id_count;
    bool wait; /* for those that are not there; else on_failed within two seconds */
    enum follow_live live;
    void (*on_sight)(void *owner, const struct sight *sight);
    /* A second conversation is followed from now on. Called once. */
    void (*on_many)(void *owner);
    /* A line for people, harmless: Redis lost, Redis back, a conversation waited for.
     */
    void (*on_notice)(void *owner, const char *text);
    /* All conversations that were named have ended. Called once, or never. */
    void (*on_done)(void *owner);
    /* It cannot go on: no Redis at the start, another layout. Called once. */
    void (*on_failed)(void *owner, const struct err *err);
    void *owner;
};

/* The caller owns it (follow_free). */
struct follow *follow_new(const struct follow_options *options);
void follow_free(struct follow *follow); /* not inside a callback; NULL is fine */
/* While held nothing more is read: whoever shows it does not keep up. */
void follow_hold(struct follow *follow, bool held);
/* The one conversation that is followed and has not ended; NULL: none, or several. */
const struct talk_state *follow_single(const struct follow *follow);
/* Microseconds since 1970 by Redis' clock. */
int64_t follow_now_us(const struct follow *follow);

#endif

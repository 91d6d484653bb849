/* live_talk.h - feeds the talk that is looked at from Redis.
 *
 * Read are: the hash (twice a second, and when something came), the cast, the
 * transcript's first and last entries; then transcript and live stream as they grow,
 * over a connection of its own. What lies between is read page by page when the talk
 * asks for it, the request of a turn when somebody wants to see it. Nothing is written.
 *
 * Flow: watch -> hash -> first entries (story, personas) -> last entries -> tail
 *       hash says ended -> the transcript's rest -> the end is told
 */
#ifndef PARLEY_LIVE_TALK_H
#define PARLEY_LIVE_TALK_H

#include <stdbool.h>

struct err;
struct keys;
struct live_talk; /* opaque: the body is in live_talk.c */
struct loop;
struct redis;
struct redis_clock;
struct redis_target;
struct talk;

struct live_talk_options {
    struct loop *loop; /* all borrowed while it lives */
    const struct redis_target *target;
    const struct keys *keys;
    struct redis *redis; /* for questions */
    const struct redis_clock *clock;
    /* The streams' connection is refused for good. Once. */
    void (*on_denied)(void *owner, const struct err *err);
    void *owner;
};

/* The caller owns it (live_talk_free). */
struct live_talk *live_talk_new(const struct live_talk_options *options);
/* While the redis of the options is there. NULL is fine. */
void live_talk_free(struct live_talk *live);
/* From now on that one (borrowed until then) and no other; NULL: none. */
void live_talk_watch(struct live_talk *live, struct talk *talk);
/* The connection for questions is ready, for the first time or again. */
void live_talk_ready(struct live_talk *live);
/* What is watched was read up to its end once, or is known not to exist. */
bool live_talk_is_loaded(const struct live_talk *live);

#endif

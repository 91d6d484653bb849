/* source_redis.h - reads the conversations of a shard from Redis, in pages.
 *
 * Only reads. Conversations that run are read as far as they have come. The record of
 * calls is kept for a limited time: when its start is gone for the conversations read,
 * the number of calls stays unknown and that is noted.
 */
#ifndef PARLEY_SOURCE_REDIS_H
#define PARLEY_SOURCE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct keys;
struct notes;
struct redis_target;
struct tally;

/* How far a source was read, for who reads it again: then only what is new comes.
 * Starts as {0}. */
struct source_marks {
    struct source_mark *marks; /* owned: of conversations, by id */
    size_t count;
    size_t capacity;
    char calls[64]; /* the last entry of K:calls that was read; "" none */
    bool calls_cut; /* its start is gone: they are not counted */
    bool all_ended; /* at the last reading, and there were some */
};
void source_marks_done(struct source_marks *marks);

struct source_redis {
    const struct redis_target *target;
    const struct keys *keys;
    const char *conversation;   /* NULL: all of the shard */
    struct source_marks *marks; /* borrowed; NULL: all is read */
};

/* ERR_REDIS when Redis cannot be reached or breaks off; ERR_USAGE when the conversation
 * is not there. */
MUST_USE bool source_redis_read(const struct source_redis *source, struct tally *tally,
                                struct notes *notes, struct err *err);

#endif

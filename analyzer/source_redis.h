/* source_redis.h - reads the conversations of a shard from Redis, in pages.
 *
 * Only reads. Conversations that run are read as far as they have come. The record of
 * calls is kept for a limited time: when its start is gone for the conversations read,
 * the number of calls stays unknown and that is noted.
 */
#ifndef PARLEY_SOURCE_REDIS_H
#define PARLEY_SOURCE_REDIS_H

#include "base/err.h"

struct keys;
struct notes;
struct redis_target;
struct tally;

struct source_redis {
    const struct redis_target *target;
    const struct keys *keys;
    const char *conversation; /* NULL: all of the shard */
};

/* ERR_REDIS when Redis cannot be reached or breaks off; ERR_USAGE when the conversation
 * is not there. */
MUST_USE bool source_redis_read(const struct source_redis *source, struct tally *tally,
                                struct notes *notes, struct err *err);

#endif

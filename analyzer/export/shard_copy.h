/* shard_copy.h - a shard of Redis, or one conversation of it, as the folder that a run
 * would have left: transcript.jsonl, calls.jsonl, events.jsonl, run.json.
 *
 * Only reads from Redis. What goes on is copied as far as it has come. The transcripts
 * stand one behind the other, not by time. Calls and events are what Redis still has:
 * an hour of them, mostly.
 */
#ifndef PARLEY_SHARD_COPY_H
#define PARLEY_SHARD_COPY_H

#include <stddef.h>

#include "base/err.h"

struct keys;
struct notes;
struct redis_target;

struct shard_copy {
    const struct redis_target *target;
    const struct keys *keys;
    const char *prefix;
    const char *conversation; /* NULL: all of the shard */
    const char *folder;       /* is there */
};

/* ERR_REDIS when Redis cannot be reached or breaks off, ERR_USAGE when the conversation
 * is not there. *ret_conversations: how many were copied. */
MUST_USE bool shard_copy(const struct shard_copy *copy, struct notes *notes,
                         size_t *ret_conversations, struct err *err);

#endif

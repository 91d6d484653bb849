/* shard_pages.h - the lists of a shard, page by page: the ids of its conversations, and
 * the entries of its streams.
 *
 * Only reads, and holds one page at a time. What goes on meanwhile is read as far as it
 * has come.
 *
 * Flow: shard_pages_open -> (shard_pages_ids | shard_pages_stream | shard_pages_ask)*
 *       -> shard_pages_close
 */
#ifndef PARLEY_SHARD_PAGES_H
#define PARLEY_SHARD_PAGES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"
#include "net/redis.h"
#include "net/redis_value.h"

struct keys;
struct loop;
struct notes;
struct redis_target;

enum { SHARD_PAGE = 500, SHARD_PLACE_SIZE = 64 };

/* Starts as {.keys = ..., .notes = ...}; both borrowed. */
struct shard_pages {
    const struct keys *keys;
    struct notes *notes;
    struct loop *loop;     /* owned, as all below */
    struct redis *redis;   /* NULL: not connected */
    char *ids[SHARD_PAGE]; /* one page of K:conversations */
    size_t id_count;
    size_t entries; /* of the page that came last, those passed over included */
};

/* ERR_REDIS when Redis cannot be reached. To be closed in any case. */
MUST_USE bool shard_pages_open(struct shard_pages *pages,
                               const struct redis_target *target, struct err *err);
void shard_pages_close(struct shard_pages *pages);

/* One question, asked again over a new connection if need be; it is answered, or failed
 * with ERR_REDIS, when this returns. */
struct shard_question {
    const struct str *argv;
    size_t argc;
    redis_on_answer *on_answer;
    void *owner;
};
MUST_USE bool shard_pages_ask(struct shard_pages *pages,
                              const struct shard_question *question, struct err *err);

/* Each conversation's id, in the order of their starts; ids that are none are noted.
 * on_id returns false, with its own error set, to stop. */
MUST_USE bool shard_pages_ids(struct shard_pages *pages,
                              bool (*on_id)(void *owner, const char *id,
                                            struct err *err),
                              void *owner, struct err *err);

/* The entries of a stream behind `at` ("": all of them); `at` moves along. on_entry as
 * on_id; it must not ask anything. */
struct shard_stream {
    struct str key;
    char *at; /* borrowed: SHARD_PLACE_SIZE bytes */
    bool (*on_entry)(void *owner, struct str id, const struct redis_value *fields,
                     struct err *err);
    void *owner;
};
MUST_USE bool shard_pages_stream(struct shard_pages *pages,
                                 const struct shard_stream *stream, struct err *err);

#endif

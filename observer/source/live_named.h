/* live_named.h - whether the conversations that were named are there.
 *
 * Asked four times a second from the first contact on, until all are there or the time
 * is over: one that was opened a moment ago may be asked for before it is there.
 */
#ifndef PARLEY_LIVE_NAMED_H
#define PARLEY_LIVE_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/loop.h"

struct keys;
struct redis;

struct live_named {
    struct loop_timer timer;
    struct redis *redis; /* borrowed, as the next two */
    const struct keys *keys;
    const char *const *ids; /* valid ones */
    size_t id_count;
    bool asking;        /* one question at a time */
    size_t there;       /* the first so many are there */
    int64_t started_ms; /* monotonic; 0: not yet */
    /* There is none of that id; err says so. Once. */
    void (*on_missed)(void *owner, const struct err *err);
    void *owner;
};

/* The caller has filled in redis, keys, ids, on_missed and owner. */
void live_named_init(struct live_named *named, struct loop *loop);
void live_named_done(struct live_named *named); /* while the redis is there */
/* The connection is ready; again is fine. */
void live_named_start(struct live_named *named);

#endif

/* tail.h - reads any number of Redis streams as they grow, over one connection.
 *
 * One XREAD at a time, blocking for at most half a second; each stream keeps the id of
 * the last entry given out, so that nothing is lost or given twice over a broken
 * connection. After each reconnect it is asked whether the last entry given out is
 * still there: a server that came back with less than we have read would otherwise stay
 * silent for us, or go on behind what is void.
 *
 * Flow: tail_add -> read -> on_answer -> on_entry... -> (pause) -> read
 *       reconnect -> check -> on_checked -> on_rewound? -> read
 */
#ifndef PARLEY_TAIL_H
#define PARLEY_TAIL_H

#include <stdbool.h>

#include "base/str.h"
#include "tail_id.h"

struct err;
struct loop;
struct redis_target;
struct redis_value;
struct tail;        /* opaque: the body is in tail.c, */
struct tail_stream; /* this one's too */

/* What a stream's entries mean to its owner. Both may add and drop streams. */
struct tail_kind {
    /* fields: field, value, field, value...; for redis_field(). */
    void (*on_entry)(void *owner, const struct tail_id *id,
                     const struct redis_value *fields);
    /* The stream ends earlier than what was given out: with this entry, or it is empty
     * (id {0}, fields of kind REDIS_NIL). Reading goes on behind it. Of the entries
     * left the fields are those of the newest turn among the last. */
    void (*on_rewound)(void *owner, const struct tail_id *id,
                       const struct redis_value *fields);
};

/* The caller owns it (tail_free). The target is copied. on_denied: as on_fatal of
 * redis.h. */
struct tail *tail_new(struct loop *loop, const struct redis_target *target,
                      void (*on_denied)(void *owner, const struct err *err),
                      void *owner);
void tail_free(struct tail *tail); /* not inside a callback; NULL is fine */
/* Reads what stands behind `after`. Streams are given out in the order they were added.
 * The stream belongs to the tail; `kind` must live as long. */
struct tail_stream *tail_add(struct tail *tail, const struct tail_kind *kind,
                             void *owner, struct str key, const struct tail_id *after);
/* Its owner is not called any more; the pointer is void. NULL is fine. */
void tail_drop(struct tail_stream *stream);
/* While held nothing more is read (entries on their way are still given out). */
void tail_hold(struct tail *tail, bool held);

#endif

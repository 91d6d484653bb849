/* live.h - the turn being spoken, as others may watch it: K:live:<id>.
 *
 * Words are gathered and written in batches (by size, and at least so often), with a
 * plain XADD that nobody waits for: a slow reader or a lost batch costs the turn
 * nothing, the transcript holds the truth. A turn that is over before its first batch
 * was due leaves nothing here.
 */
#ifndef PARLEY_LIVE_H
#define PARLEY_LIVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "net/loop.h"
#include "proto/keys.h"

struct redis;

struct live {
    struct loop_timer timer;
    struct redis *redis; /* borrowed, as the next two */
    const struct keys *keys;
    const char *conversation; /* of the call in progress, as the next three */
    const char *call;         /* "": none */
    const char *author;
    int64_t turn;
    int64_t seat;
    int64_t update_ms;
    size_t chunk_bytes;
    struct buf words; /* not written yet */
    bool begun;       /* `begin` was written */
};
void live_init(struct live *live, struct loop *loop, struct redis *redis,
               const struct keys *keys);
void live_done(struct live *live);
/* A new call; set update_ms and chunk_bytes before. The texts must live until
 * live_end. */
void live_begin(struct live *live, const char *conversation, const char *call);
void live_add(struct live *live, struct str words);
/* The same call speaks anew: what was shown of it is taken back. */
void live_restart(struct live *live);
/* No call is in progress: the turn waits for a server, they are all down. */
void live_waiting(struct live *live, const char *conversation, const char *servers,
                  const char *reason);
/* The request of the call in progress, as it was sent: K:asked:<id>, a field a seat. */
void live_asked(struct live *live, const char *url, struct str body);
/* outcome: "done", "failed"; or "cancelled": what was shown is taken back. */
void live_end(struct live *live, const char *outcome);

#endif

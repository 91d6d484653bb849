/* watch.h - the same analysis again and again, while what it is about goes on.
 *
 * Each step reads only what is new. It is over when the run has ended, or its process
 * is gone; when all conversations of the shard, or the one named, have ended; and when
 * somebody interrupts it.
 */
#ifndef PARLEY_WATCH_H
#define PARLEY_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "analyzer/source_folder.h"
#include "analyzer/source_redis.h"
#include "base/err.h"

struct notes;
struct tally;
struct where;

struct watch {
    const struct where *where; /* borrowed */
    struct source_growing growing;
    struct source_marks marks;
    bool over; /* nothing more will come: the last step has been made */
};

/* SIGINT and SIGTERM end the watching from here on. ERR_USAGE for what cannot be read
 * on, a pipe. */
MUST_USE bool watch_begin(struct watch *watch, const struct where *where,
                          struct err *err);
void watch_done(struct watch *watch);
/* Reads what is new. Fails as the sources do. */
MUST_USE bool watch_step(struct watch *watch, struct tally *tally, struct notes *notes,
                         struct err *err);
/* Waits; false when it was interrupted. */
bool watch_wait(int64_t wait_ms);

#endif

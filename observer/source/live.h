/* live.h - the source that reads Redis while a fleet works.
 *
 * One connection for all questions of the wall and the fleet, whose loss and return are
 * told; what reads streams has connections of its own (live_talk.h). Commands go
 * through K:control.
 */
#ifndef PARLEY_LIVE_SOURCE_H
#define PARLEY_LIVE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>

#include "source.h"

struct keys;
struct loop;
struct redis_target;

struct live_options {
    struct loop *loop; /* all borrowed while the source lives */
    const struct redis_target *target;
    const struct keys *keys;
    const char *const *ids; /* valid ones: only these; none: all there are */
    size_t id_count;
    const struct source_events *events;
    bool wait;      /* for ids that are not there; else on_failed within two seconds */
    bool read_only; /* it takes no commands */
};

/* The caller frees it by its ops. */
struct source live_source(const struct live_options *options);

#endif

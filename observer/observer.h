/* observer.h - the live view of conversations: joins Redis, drawing and standard
 * output.
 */
#ifndef PARLEY_OBSERVER_H
#define PARLEY_OBSERVER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

struct keys;
struct observe_replay;
struct redis_target;

struct observer_options {
    const struct observe_replay *replay; /* its record is taken; NULL: live, then */
    const struct redis_target *target;   /* these two and the ids are wanted */
    const struct keys *keys;
    const char *const *ids; /* valid ones; none: all that run and come */
    size_t id_count;
    bool wait;         /* for ids that are not there */
    bool json;         /* one JSON object a line, else plain text */
    const char *color; /* "auto", "always", "never" */
};

/* Shows on standard output until the named conversations have ended, or the replay, a
 * signal comes or the reader goes away (all true). False with the reason when it cannot
 * go on. */
MUST_USE bool observer_run(const struct observer_options *options, struct err *err);

#endif

/* source.h - where the models of the screens get their data from: Redis while a fleet
 * works (live.h), or a recorded run.
 *
 * A source feeds what is watched and nothing else, by the models' own wall_take_*,
 * talk_take_* and fleet_take_*, then tells `on_changed`. What it cannot do is NULL.
 */
#ifndef PARLEY_SOURCE_H
#define PARLEY_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "observer/screen/keymap.h"
#include "observer/screen/pen.h"

struct buf;
struct fleet;
struct order;
struct talk;
struct wall;

struct source_ops {
    const char *name; /* "live", "replay" */
    /* Microseconds since 1970: Redis' clock, or the replay's. */
    int64_t (*now_us)(void *self);
    /* From now on it is fed; NULL: not any more. The model is borrowed until then. */
    void (*watch_wall)(void *self, struct wall *wall);
    void (*watch_talk)(void *self, struct talk *talk); /* of its id */
    void (*watch_fleet)(void *self, struct fleet *fleet);
    /* All that is watched has been read once: --once may draw. */
    bool (*is_loaded)(void *self);
    /* Asks the fleet; the answer comes by on_answer. False: it was not asked. */
    bool (*command)(void *self, const struct order *order, struct err *err);
    /* A key for the source itself (ACTION_HALT and those below it); false: not mine. */
    bool (*act)(void *self, enum action action);
    /* A few words for the bar, harmless: "replay 00:42 of 05:00 x8". */
    void (*status)(void *self, struct buf *into);
    void (*free)(void *self);
};

struct source {
    const struct source_ops *ops;
    void *self;
};

/* What a source tells the app; outlives it. Not called while a function of the source's
 * table runs, but from the loop. Texts are borrowed and made harmless by the app. */
struct source_events {
    void *owner;
    void (*on_changed)(void *owner); /* a model that is watched has something new */
    /* "Redis is lost, trying on: ..." */
    void (*on_notice)(void *owner, enum pen pen, const char *text);
    /* How a command ended: "k3v9q2m4x7ab: paused". */
    void (*on_answer)(void *owner, bool done, const char *text);
    /* All conversations that were named have ended. At most once. */
    void (*on_ended)(void *owner);
    /* It cannot go on. At most once, and nothing after it. */
    void (*on_failed)(void *owner, const struct err *err);
};

#endif

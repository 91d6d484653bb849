/* replay.h - a recorded run as the source of the screens: the same models as live, fed
 * by a virtual clock.
 *
 * What is watched is played from the record's beginning up to the time shown, as much
 * at once as fits between two frames, then on as the clock goes. A replay cannot be
 * commanded. Its keys: p stands still and goes on (at the end: again from the start),
 * + and - twice or half as fast, > and < to the next or previous turn (of the
 * conversation that is shown, else of any).
 */
#ifndef PARLEY_REPLAY_H
#define PARLEY_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#include "observer/source/source.h"

struct loop;
struct replay_record;

struct replay_options {
    struct loop *loop;
    struct replay_record *record; /* taken */
    const struct source_events *events;
    int64_t speed;    /* of replay_clock.h */
    int64_t start_us; /* it begins at that time of the record */
    bool still;       /* and stands there */
};

/* Never fails; free by source.ops->free. */
struct source replay_new(const struct replay_options *options);

#endif

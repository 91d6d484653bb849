/* replay_show.h - feeds the screen of one conversation out of a record. */
#ifndef PARLEY_REPLAY_SHOW_H
#define PARLEY_REPLAY_SHOW_H

#include <stdbool.h>
#include <stdint.h>

#include "observer/model/talk.h"
#include "observer/source/replay_play.h"
#include "observer/talk_state.h"

struct replay_show {
    struct talk *talk; /* borrowed; NULL: nobody watches */
    struct replay_record *record;
    struct replay_span span;
    struct replay_play play; /* of this conversation alone */
    struct talk_state state; /* makes sights of what is played */
    struct talk_reader reader;
    bool known; /* it is in the record */
    /* Kept while nobody watches: a talk that is watched again is not told all of it
     * twice. Only compared: it may be gone. */
    const struct talk *seen_by;
    size_t seen; /* so many entries that talk was told */
};

/* A conversation that is not in the record is told to be absent. `show` must stay where
 * it is; it is zeroed at first, and after that as replay_show_done left it. */
void replay_show_init(struct replay_show *show, struct replay_record *record,
                      struct talk *talk);
void replay_show_done(struct replay_show *show); /* zeroed is fine */
/* From the beginning again: the talk is as new. Also when nobody watches: what was seen
 * is not what the clock will show. */
void replay_show_rewind(struct replay_show *show);

#endif

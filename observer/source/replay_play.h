/* replay_play.h - plays all conversations of a record in the order of time, or some of
 * them.
 *
 * A heap by what is due next: so many conversations cost no more than those that
 * something happens to. Going back means to play anew from the beginning.
 */
#ifndef PARLEY_REPLAY_PLAY_H
#define PARLEY_REPLAY_PLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/source/replay_talk.h"

struct replay_play {
    struct replay_record *record; /* borrowed */
    struct replay_hooks hooks;
    size_t *talks;             /* owned; which of the record; NULL: all */
    struct replay_talk *plays; /* owned; `count` of them */
    size_t count;
    size_t *heap;    /* owned; indexes of plays, the earliest first */
    int64_t *due_us; /* owned; by index of plays */
};

/* talks: which of the record, copied; NULL: all of it. */
void replay_play_init(struct replay_play *play, struct replay_record *record,
                      const size_t *talks, size_t count,
                      const struct replay_hooks *hooks);
void replay_play_done(struct replay_play *play); /* zeroed is fine */
/* From the beginning again. */
void replay_play_rewind(struct replay_play *play);
/* INT64_MAX: it is over. */
int64_t replay_play_due(const struct replay_play *play);
/* One thing that is due by now_us. False: nothing is. */
bool replay_play_step(struct replay_play *play, int64_t now_us);

#endif

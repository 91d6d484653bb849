/* observe_replay.h - `parley observe --replay`, `parley replay`: from options to a
 * recorded run on the screen.
 */
#ifndef PARLEY_OBSERVE_REPLAY_H
#define PARLEY_OBSERVE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct config;
struct replay_record;

struct observe_replay {
    struct replay_record *record; /* owned, until a source or a flow takes it */
    const char *const *ids;       /* valid ones; none: all of the record */
    size_t id_count;
    int64_t speed;    /* of source/replay_clock.h */
    int64_t start_us; /* where it begins */
    const char *only; /* the record's one conversation, where it is `ids` */
};

/* words: the run, where --replay is "-", then ids. Lines that are of no use are told on
 * standard error. ERR_USAGE. What *ret_replay owns is to be taken; it must stay where
 * it is, as must the words. */
MUST_USE bool observe_replay_open(const struct config *config, char **words, int count,
                                  struct observe_replay *ret_replay, struct err *err);

#endif

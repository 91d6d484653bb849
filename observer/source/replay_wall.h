/* replay_wall.h - feeds the wall out of a record. */
#ifndef PARLEY_REPLAY_WALL_H
#define PARLEY_REPLAY_WALL_H

#include <stddef.h>
#include <stdint.h>

#include "observer/source/replay_play.h"

struct replay_cast; /* in replay_wall.c */
struct wall;

struct replay_wall {
    struct wall *wall; /* borrowed; NULL: nobody watches */
    struct replay_play play;
    struct replay_cast *casts; /* owned; by the record's number */
    int64_t begun;             /* conversations that have begun */
};

void replay_wall_init(struct replay_wall *view, struct replay_record *record,
                      struct wall *wall);
void replay_wall_done(struct replay_wall *view); /* zeroed is fine */
/* From the beginning again: the wall's rows are gone. */
void replay_wall_rewind(struct replay_wall *view, int64_t now_us);
/* The values of all that go on are as of now. */
void replay_wall_freshen(struct replay_wall *view, int64_t now_us);

#endif

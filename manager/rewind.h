/* rewind.h - what a leader remembered, held against what Redis has now.
 *
 * A Redis that came back with less than it had (the tail of its file was lost, it was
 * flushed) would go on from there in silence. So the roster is not just dropped with a
 * leadership: of each conversation the turn awaited is kept until Redis answers again.
 * One that awaits an earlier turn was rewound, one that is not there was lost; both are
 * told by an event each and one line in the log. Nothing is repaired here: the look at
 * all conversations that follows asks anew for what is missing.
 *
 * Flow: leadership lost -> rewind_remember -> Redis answers -> rewind_check
 */
#ifndef PARLEY_REWIND_H
#define PARLEY_REWIND_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct manager;
struct remembered;

struct rewind {
    struct remembered *list; /* owned */
    size_t count;
    int64_t at_ms; /* monotonic: when that was so */
};

/* Keeps what the roster knows; an empty roster changes nothing. */
void rewind_remember(struct manager *manager);
/* Asks Redis for each that is remembered and forgets them. Not after half a minute: by
 * then another leader may have ended what a person has cleaned away. */
void rewind_check(struct manager *manager);
/* What Redis' state ("": it is not there) and turn awaited say of one whose turn `was`
 * awaited. */
enum rewind_fate { REWIND_NONE, REWIND_REWOUND, REWIND_LOST };
enum rewind_fate rewind_judge(int64_t was, struct str state, int64_t next);
/* A conversation of the roster is not in Redis. */
void rewind_tell_lost(struct manager *manager, const char *id);
void rewind_done(struct rewind *rewind);

#endif

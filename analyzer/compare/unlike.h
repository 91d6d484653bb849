/* unlike.h - in what runs were not the same from the start: then a difference may come
 * from there.
 */
#ifndef PARLEY_UNLIKE_H
#define PARLEY_UNLIKE_H

#include "base/buf.h"

struct tally;

/* A run as it was asked for: its folder or file (then run.json is missing, and nothing
 * of it is known), and what was met in its log. */
struct unlike_run {
    const char *path;
    const struct tally *tally;
};
/* Adds a line for each: the models, the seed, the turns, parley's version, of those
 * that both are known to have. */
void unlike_tell(const struct unlike_run *first, const struct unlike_run *later,
                 struct buf *into);

#endif

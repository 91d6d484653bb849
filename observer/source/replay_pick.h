/* replay_pick.h - picks a few texts out of a line of JSON without reading all of it.
 *
 * For a first pass over a million lines: it knows where texts begin and end, and takes
 * the first text (or number) that stands behind each key, at whatever depth. Whether
 * the line is what it should be is decided where it is read in full.
 */
#ifndef PARLEY_REPLAY_PICK_H
#define PARLEY_REPLAY_PICK_H

#include <stddef.h>

#include "base/str.h"

/* values[i] becomes what stands between the quotes behind keys[i], escapes as they are;
 * a number stands for itself; empty: not there, or something else (null, an object). */
void replay_pick(struct str line, const char *const *keys, struct str *values,
                 size_t count);

#endif

/* nearest.h - the known name that somebody probably meant: "did you mean --turns?"
 *
 * Flow: nearest_to -> nearest_try, once a known name -> .name
 */
#ifndef PARLEY_NEAREST_H
#define PARLEY_NEAREST_H

#include <stddef.h>

#include "base/str.h"

struct nearest {
    struct str word;  /* borrowed, as `name` */
    const char *name; /* NULL: none is near, it is another word and not a slip */
    size_t away;
};

struct nearest nearest_to(struct str word);
/* Takes `name` if it is nearer than what was tried before; of equals the first. */
void nearest_try(struct nearest *nearest, const char *name);

#endif

/* names.h - a set of names, each with one mark; of a name 64 bits are kept, and after
 * names_max of them no further one.
 */
#ifndef PARLEY_NAMES_H
#define PARLEY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

struct names;

enum names_answer { NAMES_NEW, NAMES_KNOWN, NAMES_FULL };

struct names *names_new(size_t names_max);
void names_free(struct names *names); /* NULL is fine */
/* NAMES_NEW: it is in the set from now on. NAMES_FULL: it is not, and cannot be. */
enum names_answer names_add(struct names *names, struct str name);
/* True when a name of the set was not marked before; it is from now on. */
bool names_mark(struct names *names, struct str name);

#endif

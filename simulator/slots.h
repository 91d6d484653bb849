/* slots.h - the places in which a model answers: so many at once. A slot remembers the
 * last prompt it had, so that what a new one has in common with it counts as cached.
 * Pure.
 */
#ifndef PARLEY_SLOTS_H
#define PARLEY_SLOTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct slot; /* one of them */
struct slots;

struct slots *slots_new(size_t count); /* count >= 1 */
/* All must have been left. NULL is fine. */
void slots_free(struct slots *slots);
/* Of the free ones that with the longest common start for that model; what is common in
 * *ret_common (tokens). Takes the prompt's bytes. NULL, and nothing taken, when none is
 * free. */
struct slot *slots_enter_take(struct slots *slots, const char *model,
                              struct buf *prompt, size_t *ret_common);
void slots_leave(struct slot *slot);

#endif

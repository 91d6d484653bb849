/* wall_index.h - finds a wall's row by its conversation's id: a hash table with open
 * addressing. The rows are the wall's; their ids must not change while they are in it.
 */
#ifndef PARLEY_WALL_INDEX_H
#define PARLEY_WALL_INDEX_H

#include <stddef.h>

#include "base/str.h"

struct wall_row;

struct wall_index {
    struct wall_row **slots; /* owned; NULL: free */
    size_t slot_count;       /* a power of two, or 0 */
    size_t count;
};

/* All zero is an empty one. */
void wall_index_done(struct wall_index *index);
struct wall_row *wall_index_find(const struct wall_index *index, struct str id);
/* Its id must not be there yet. */
void wall_index_add(struct wall_index *index, struct wall_row *row);
void wall_index_remove(struct wall_index *index, const struct wall_row *row);

#endif

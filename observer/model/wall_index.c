/* wall_index.c - see wall_index.h. Collisions go to the next slot; what is removed
 * leaves no mark, those behind it move up (Knuth, The Art of Computer Programming, 6.4,
 * R).
 */
#include "observer/model/wall_index.h"

#include <assert.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "observer/model/wall_row.h"

enum { SLOTS_FIRST = 64 };

/* FNV-1a, 64 bits. */
static size_t slot_of(const struct wall_index *index, struct str id)
{
    uint64_t hash = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < id.len; i++)
        hash = (hash ^ (unsigned char)id.at[i]) * UINT64_C(1099511628211);
    return (size_t)(hash ^ hash >> 32) & (index->slot_count - 1);
}

static size_t after(const struct wall_index *index, size_t slot)
{
    return (slot + 1) & (index->slot_count - 1);
}

void wall_index_done(struct wall_index *index)
{
    free(index->slots);
    *index = (struct wall_index){0};
}

struct wall_row *wall_index_find(const struct wall_index *index, struct str id)
{
    if (index->slot_count == 0)
        return NULL;
    for (size_t i = slot_of(index, id); index->slots[i] != NULL; i = after(index, i))
        if (str_is(id, index->slots[i]->id))
            return index->slots[i];
    return NULL;
}

static void put(struct wall_index *index, struct wall_row *row)
{
    size_t i = slot_of(index, str_of(row->id));

    while (index->slots[i] != NULL)
        i = after(index, i);
    index->slots[i] = row;
}

static void grow(struct wall_index *index)
{
    struct wall_row **old = index->slots;
    size_t old_count = index->slot_count;

    index->slot_count = old_count == 0 ? SLOTS_FIRST : old_count * 2;
    index->slots = x_calloc(index->slot_count, sizeof(*index->slots));
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != NULL)
            put(index, old[i]);
    free(old);
}

void wall_index_add(struct wall_index *index, struct wall_row *row)
{
    if (2 * (index->count + 1) > index->slot_count)
        grow(index);
    put(index, row);
    index->count++;
}

void wall_index_remove(struct wall_index *index, const struct wall_row *row)
{
    size_t hole = slot_of(index, str_of(row->id));

    while (index->slots[hole] != row) {
        assert(index->slots[hole] != NULL);
        hole = after(index, hole);
    }
    index->count--;
    for (size_t i = after(index, hole); index->slots[i] != NULL; i = after(index, i)) {
        size_t home = slot_of(index, str_of(index->slots[i]->id));

        /* It may move up unless its home lies behind the hole, up to itself. */
        if (((i - home) & (index->slot_count - 1))
            < ((i - hole) & (index->slot_count - 1)))
            continue;
        index->slots[hole] = index->slots[i];
        hole = i;
    }
    index->slots[hole] = NULL;
}

/* replay_talks.c - see replay_talks.h. */
#include "observer/source/replay_talks.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST = 64 };

void replay_talks_done(struct replay_talks *talks)
{
    free(talks->ids);
    free(talks->slots);
    *talks = (struct replay_talks){.ids = NULL};
}

/* FNV-1a (draft-eastlake-fnv), 32 bits. */
static uint32_t hash(struct str id)
{
    uint32_t sum = 2166136261u;

    for (size_t i = 0; i < id.len; i++)
        sum = (sum ^ (unsigned char)id.at[i]) * 16777619u;
    return sum;
}

/* Where it stands, or would stand. */
static size_t slot_of(const struct replay_talks *talks, struct str id)
{
    size_t at = hash(id) % talks->slot_count;

    while (talks->slots[at] != 0 && !str_is(id, talks->ids[talks->slots[at] - 1]))
        at = (at + 1) % talks->slot_count;
    return at;
}

bool replay_talks_find(const struct replay_talks *talks, struct str id,
                       size_t *ret_number)
{
    size_t at = talks->count == 0 ? 0 : slot_of(talks, id);

    if (talks->count == 0 || talks->slots[at] == 0)
        return false;
    *ret_number = talks->slots[at] - 1;
    return true;
}

static void grow(struct replay_talks *talks)
{
    size_t capacity = talks->capacity == 0 ? FIRST : talks->capacity * 2;

    talks->ids = x_realloc(talks->ids, capacity * sizeof *talks->ids);
    free(talks->slots);
    talks->capacity = capacity;
    talks->slot_count = capacity * 2;
    talks->slots = x_calloc(talks->slot_count, sizeof *talks->slots);
    for (size_t i = 0; i < talks->count; i++)
        talks->slots[slot_of(talks, str_of(talks->ids[i]))] = (uint32_t)i + 1;
}

bool replay_talks_add(struct replay_talks *talks, struct str id, size_t *ret_number)
{
    if (replay_talks_find(talks, id, ret_number))
        return true;
    if (!conversation_id_valid(id) || talks->count == REPLAY_TALKS_MAX)
        return false;
    if (talks->count == talks->capacity)
        grow(talks);
    memcpy(talks->ids[talks->count], id.at, id.len);
    talks->ids[talks->count][id.len] = '\0';
    talks->slots[slot_of(talks, id)] = (uint32_t)talks->count + 1;
    *ret_number = talks->count++;
    return true;
}

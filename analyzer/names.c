/* names.c - see names.h. Open addressing over hashes; their lowest bit is the mark. */
#include "analyzer/names.h"

#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/rng.h"

enum { SLOTS_FIRST = 1024 };

struct names {
    uint64_t seed;
    uint64_t *slots; /* 0 free; never more than half full */
    size_t slot_count;
    size_t count;
    size_t max;
};

struct names *names_new(size_t names_max)
{
    struct names *names = x_calloc(1, sizeof *names);

    names->seed = rng_from_system();
    names->max = names_max;
    names->slot_count = SLOTS_FIRST;
    names->slots = x_calloc(names->slot_count, sizeof *names->slots);
    return names;
}

void names_free(struct names *names)
{
    if (names == NULL)
        return;
    free(names->slots);
    free(names);
}

/* With the mark's bit clear, and never 0. */
static uint64_t hash_of(const struct names *names, struct str name)
{
    uint64_t hash = rng_hash(names->seed, name) & ~UINT64_C(1);

    return hash == 0 ? 2 : hash;
}

static uint64_t *slot_of(const struct names *names, uint64_t hash)
{
    size_t at = (size_t)(hash >> 1) & (names->slot_count - 1);

    while (names->slots[at] != 0 && (names->slots[at] & ~UINT64_C(1)) != hash)
        at = (at + 1) & (names->slot_count - 1);
    return &names->slots[at];
}

static void grow(struct names *names)
{
    uint64_t *old = names->slots;
    size_t old_count = names->slot_count;

    names->slot_count *= 2;
    names->slots = x_calloc(names->slot_count, sizeof *names->slots);
    for (size_t i = 0; i < old_count; i++)
        if (old[i] != 0)
            *slot_of(names, old[i] & ~UINT64_C(1)) = old[i];
    free(old);
}

enum names_answer names_add(struct names *names, struct str name)
{
    uint64_t hash = hash_of(names, name);
    uint64_t *slot = slot_of(names, hash);

    if (*slot != 0)
        return NAMES_KNOWN;
    if (names->count == names->max)
        return NAMES_FULL;
    *slot = hash;
    if (++names->count * 2 > names->slot_count)
        grow(names);
    return NAMES_NEW;
}

bool names_mark(struct names *names, struct str name)
{
    uint64_t *slot = slot_of(names, hash_of(names, name));

    if (*slot == 0 || (*slot & 1) != 0)
        return false;
    *slot |= 1;
    return true;
}

/* recent.c - see recent.h. Two tables: the younger one is filled; when it has
 * RECENT_NAMES names it becomes the older one, and what was that is forgotten. */
#include "analyzer/recent.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

enum { SLOTS = 2 * RECENT_NAMES };

struct recent {
    uint64_t seed;
    uint64_t *younger; /* hashes, 0 free; SLOTS of them, never more than half full */
    uint64_t *older;
    size_t count; /* in the younger */
};

struct recent *recent_new(void)
{
    struct recent *recent = x_calloc(1, sizeof *recent);

    recent->seed = rng_from_system();
    recent->younger = x_calloc(SLOTS, sizeof *recent->younger);
    recent->older = x_calloc(SLOTS, sizeof *recent->older);
    return recent;
}

void recent_free(struct recent *recent)
{
    if (recent == NULL)
        return;
    free(recent->younger);
    free(recent->older);
    free(recent);
}

/* The slot that holds the hash, or the free one where it belongs. */
static uint64_t *slot_of(uint64_t *table, uint64_t hash)
{
    size_t at = (size_t)hash % SLOTS;

    while (table[at] != 0 && table[at] != hash)
        at = (at + 1) % SLOTS;
    return &table[at];
}

static void change_tables(struct recent *recent)
{
    uint64_t *forgotten = recent->older;

    recent->older = recent->younger;
    recent->younger = forgotten;
    memset(forgotten, 0, SLOTS * sizeof *forgotten);
    recent->count = 0;
}

static uint64_t hash_of(const struct recent *recent, struct str name)
{
    uint64_t hash = rng_hash(recent->seed, name);

    return hash == 0 ? 1 : hash; /* 0 marks a free slot */
}

bool recent_knows(const struct recent *recent, struct str name)
{
    uint64_t hash = hash_of(recent, name);

    return *slot_of(recent->younger, hash) == hash
           || *slot_of(recent->older, hash) == hash;
}

bool recent_seen(struct recent *recent, struct str name)
{
    uint64_t hash = hash_of(recent, name);

    if (recent_knows(recent, name))
        return true;
    *slot_of(recent->younger, hash) = hash;
    if (++recent->count == RECENT_NAMES)
        change_tables(recent);
    return false;
}

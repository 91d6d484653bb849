/* group_table.c - see group_table.h. Open addressing over an array of groups that stay
 * in place.
 */
#include "analyzer/group_table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"

struct entry {
    size_t key_len;
    struct group group;
    char key[]; /* right behind: one look into memory less */
};
struct group_table {
    struct entry **entries;
    size_t count;
    size_t capacity;
    size_t rows_max;
    int64_t passed;    /* turns without a row */
    uint32_t *slots;   /* entry number + 1, 0 free */
    size_t slot_count; /* a power of two, never more than half full */
    uint64_t seed;     /* so that no file can be made to collide */
};

struct group_table *group_table_new(size_t rows_max)
{
    struct group_table *table = x_calloc(1, sizeof *table);

    table->rows_max = rows_max;
    table->slot_count = 64;
    table->slots = x_calloc(table->slot_count, sizeof *table->slots);
    table->seed = rng_from_system();
    return table;
}

void group_table_free(struct group_table *table, struct ration *ration)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++) {
        group_done(&table->entries[i]->group, ration);
        free(table->entries[i]);
    }
    free(table->entries);
    free(table->slots);
    free(table);
}

/* Eight bytes at a time: three keys a turn are looked up. */
static size_t hash_of(const struct group_table *table, struct str key)
{
    const uint64_t factor = UINT64_C(0x9E3779B97F4A7C15);
    uint64_t hash = table->seed ^ key.len;
    size_t at = 0;

    while (at < key.len) {
        size_t len = key.len - at < sizeof hash ? key.len - at : sizeof hash;
        uint64_t bytes = 0;

        memcpy(&bytes, key.at + at, len);
        hash = (hash ^ bytes) * factor;
        hash ^= hash >> 29;
        at += len;
    }
    return (size_t)(hash * factor >> 16);
}

/* The slot that holds the key or the free one where it belongs. */
static uint32_t *slot_of(const struct group_table *table, struct str key)
{
    size_t at = hash_of(table, key) & (table->slot_count - 1);

    for (; table->slots[at] != 0; at = (at + 1) & (table->slot_count - 1)) {
        const struct entry *entry = table->entries[table->slots[at] - 1];

        if (str_eq(key, str_make(entry->key, entry->key_len)))
            break;
    }
    return &table->slots[at];
}

static void grow_slots(struct group_table *table)
{
    free(table->slots);
    table->slot_count *= 2;
    table->slots = x_calloc(table->slot_count, sizeof *table->slots);
    for (size_t i = 0; i < table->count; i++) {
        const struct entry *entry = table->entries[i];

        *slot_of(table, str_make(entry->key, entry->key_len)) = (uint32_t)i + 1;
    }
}

static struct entry *entry_new(struct str key)
{
    struct entry *entry = x_malloc(sizeof *entry + key.len);

    group_init(&entry->group);
    memcpy(entry->key, key.at, key.len);
    entry->key_len = key.len;
    return entry;
}

int64_t group_table_find(struct group_table *table, struct str key, bool *ret_new)
{
    uint32_t *slot = slot_of(table, key);

    *ret_new = *slot == 0 && table->count < table->rows_max;
    if (*slot != 0)
        return *slot - 1;
    if (!*ret_new)
        return GROUP_NONE;
    if (table->count == table->capacity) {
        table->capacity = table->capacity * 2 + 16;
        table->entries =
            x_realloc(table->entries, table->capacity * sizeof *table->entries);
    }
    table->entries[table->count++] = entry_new(key);
    *slot = (uint32_t)table->count;
    if (table->count * 2 > table->slot_count)
        grow_slots(table);
    return (int64_t)table->count - 1;
}

void group_table_pass(struct group_table *table)
{
    table->passed++;
}

int64_t group_table_passed(const struct group_table *table)
{
    return table->passed;
}

size_t group_table_count(const struct group_table *table)
{
    return table->count;
}

struct group *group_table_at(const struct group_table *table, size_t number)
{
    assert(number < table->count);
    return &table->entries[number]->group;
}

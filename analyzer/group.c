/* group.c - see group.h. */
#include "analyzer/group.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rng.h"
#include "proto/message.h"

void group_init(struct group *group)
{
    *group = (struct group){
        .seat = -1,
        .counts = {.tokens_generated = -1, .prompt_tokens = -1, .attempts = -1},
        .first_us = -1,
        .last_us = -1};
}

void group_done(struct group *group)
{
    free(group->conversation.text);
    free(group->provider.text);
    free(group->model.text);
    free(group->name);
    free(group->state);
    free(group->reason);
    group_init(group);
}

void shared_take(struct shared *shared, const char *text)
{
    if (text == NULL || shared->differs)
        return;
    if (shared->text == NULL) {
        shared->text = x_strdup(text);
        return;
    }
    shared->differs = strcmp(shared->text, text) != 0;
    if (!shared->differs)
        return;
    free(shared->text);
    shared->text = NULL;
}

/* A sum that would pass the end of the range stays there: a file may claim anything. */
static void add_known(int64_t *sum, int64_t value)
{
    if (value < 0)
        return;
    if (*sum < 0)
        *sum = 0;
    *sum = value > INT64_MAX - *sum ? INT64_MAX : *sum + value;
}

void group_count(struct group *group, const struct message *turn)
{
    struct counts *counts = &group->counts;

    counts->turns++;
    counts->failed_turns += turn->failed;
    counts->without_counts += turn->tokens_generated < 0;
    add_known(&counts->tokens_generated, turn->tokens_generated);
    add_known(&counts->prompt_tokens, turn->prompt_tokens);
    add_known(&counts->attempts, turn->attempts);
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        double value = metric_of(turn, m);

        if (!isnan(value))
            stats_add(&group->stats[m], value);
    }
}

void group_span(struct group *group, int64_t at_us)
{
    if (at_us < 0)
        return;
    if (group->first_us < 0 || at_us < group->first_us)
        group->first_us = at_us;
    if (at_us > group->last_us)
        group->last_us = at_us;
}

double group_wall_ms(const struct group *group)
{
    if (group->first_us < 0)
        return (double)NAN;
    return (double)(group->last_us - group->first_us) / 1000;
}

double group_rate(const struct group *group, int64_t count)
{
    double wall_ms = group_wall_ms(group);

    if (isnan(wall_ms) || wall_ms <= 0 || count < 0)
        return (double)NAN;
    return (double)count / (wall_ms / 1000);
}

/* ---- the table: open addressing over an array of groups that stay in place ---- */

struct entry {
    struct group group;
    char *key;
    size_t key_len;
};
struct group_table {
    struct entry **entries;
    size_t count;
    size_t capacity;
    uint32_t *slots;   /* entry number + 1, 0 free */
    size_t slot_count; /* a power of two, never more than half full */
    uint64_t seed;     /* so that no file can be made to collide */
};

struct group_table *group_table_new(void)
{
    struct group_table *table = x_calloc(1, sizeof *table);

    table->slot_count = 64;
    table->slots = x_calloc(table->slot_count, sizeof *table->slots);
    table->seed = rng_from_system();
    return table;
}

void group_table_free(struct group_table *table)
{
    if (table == NULL)
        return;
    for (size_t i = 0; i < table->count; i++) {
        group_done(&table->entries[i]->group);
        free(table->entries[i]->key);
        free(table->entries[i]);
    }
    free(table->entries);
    free(table->slots);
    free(table);
}

/* The slot that holds the key or the free one where it belongs. */
static uint32_t *slot_of(const struct group_table *table, struct str key)
{
    size_t at = (size_t)rng_hash(table->seed, key) & (table->slot_count - 1);

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
    struct entry *entry = x_malloc(sizeof *entry);

    group_init(&entry->group);
    entry->key = x_memdup(key.at, key.len);
    entry->key_len = key.len;
    return entry;
}

uint32_t group_table_find(struct group_table *table, struct str key, bool *ret_new)
{
    uint32_t *slot = slot_of(table, key);

    *ret_new = *slot == 0;
    if (*slot != 0)
        return *slot - 1;
    assert(table->count < UINT32_MAX - 1);
    if (table->count == table->capacity) {
        table->capacity = table->capacity * 2 + 16;
        table->entries =
            x_realloc(table->entries, table->capacity * sizeof *table->entries);
    }
    table->entries[table->count++] = entry_new(key);
    *slot = (uint32_t)table->count;
    if (table->count * 2 > table->slot_count)
        grow_slots(table);
    return (uint32_t)(table->count - 1);
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

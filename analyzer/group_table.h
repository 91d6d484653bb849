/* group_table.h - groups found by a key, in the order they were met; at most so many,
 * whatever a log holds.
 */
#ifndef PARLEY_GROUP_TABLE_H
#define PARLEY_GROUP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/group.h"

enum { GROUP_NONE = -1 };

struct group_table;

struct group_table *group_table_new(size_t rows_max);
void group_table_free(struct group_table *table, struct ration *ration);
/* The number of the group with that key, made empty when it was not there: *ret_new
 * tells. Numbers count from 0. GROUP_NONE when it was not there and all rows are
 * taken. */
int64_t group_table_find(struct group_table *table, struct str key, bool *ret_new);
size_t group_table_count(const struct group_table *table);
/* Turns that found no row are counted by whoever looked for one. */
void group_table_pass(struct group_table *table);
int64_t group_table_passed(const struct group_table *table);
/* Borrowed; valid until the table is freed. */
struct group *group_table_at(const struct group_table *table, size_t number);

#endif

/* group.h - turns that are counted together: all of them, a persona's, a model's, a
 * conversation's.
 *
 * What was never counted stays unknown (-1): a sum over no known number is not 0.
 */
#ifndef PARLEY_GROUP_H
#define PARLEY_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/metric.h"
#include "base/stats.h"
#include "base/str.h"

struct message;

struct counts {
    int64_t turns;
    int64_t failed_turns;
    int64_t without_counts;   /* turns whose server told no generated tokens */
    int64_t tokens_generated; /* these three: sums of what is known, -1 nothing is */
    int64_t prompt_tokens;
    int64_t attempts;
};

/* A text that the turns of a group have in common. */
struct shared {
    char *text;   /* owned; NULL: none known, or they differ */
    bool differs; /* two were met: stays NULL from then on */
};

/* Texts are owned and NULL where unknown or where a kind of group has none. */
struct group {
    struct shared conversation; /* conversations, personas */
    struct shared provider;     /* models, personas */
    struct shared model;
    char *name;   /* a persona's */
    char *state;  /* a conversation's, the last that was told */
    char *reason; /* why it ended */
    int64_t seat; /* a persona's, else -1 */
    struct counts counts;
    int64_t first_us; /* the span of its time, -1 none */
    int64_t last_us;
    struct stats stats[METRIC_COUNT];
};

/* Embedded: group_init gives an empty one. */
void group_init(struct group *group);
void group_done(struct group *group);
/* Takes one more text; NULL says nothing. */
void shared_take(struct shared *shared, const char *text);
/* Takes a turn into counts and stats. */
void group_count(struct group *group, const struct message *turn);
/* Widens the span so that it holds that time (UTC); -1 is passed over. */
void group_span(struct group *group, int64_t at_us);
/* Milliseconds from the span's start to its end, NAN without one. */
double group_wall_ms(const struct group *group);
/* Per second of group_wall_ms; NAN when it is 0 or unknown, or `count` is -1. */
double group_rate(const struct group *group, int64_t count);

/* Groups found by a key. */
struct group_table;

struct group_table *group_table_new(void);
void group_table_free(struct group_table *table);
/* The number of the group with that key, made empty when it was not there:
 * *ret_new tells. Numbers count from 0 in the order of making. */
uint32_t group_table_find(struct group_table *table, struct str key, bool *ret_new);
size_t group_table_count(const struct group_table *table);
/* Borrowed; valid until the table is freed. */
struct group *group_table_at(const struct group_table *table, size_t number);

#endif

/* group.h - turns that are counted together: all of them, a persona's, a model's, an
 * endpoint's, those of a turn index, a conversation's.
 *
 * What was never counted stays unknown (-1): a sum over no known number is not 0.
 */
#ifndef PARLEY_GROUP_H
#define PARLEY_GROUP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/metric.h"
#include "analyzer/spread.h"
#include "base/str.h"

struct message;

struct counts {
    int64_t turns;
    int64_t failed_turns;
    int64_t fallback_turns;       /* the persona's fallback reply, no model's */
    int64_t cleaned_turns;        /* something was changed in the reply */
    int64_t truncated_turns;      /* the server cut the prompt */
    int64_t without_counts;       /* turns whose server told no generated tokens */
    int64_t without_prompt_count; /* the same of prompt tokens */
    int64_t tokens_generated; /* these three: sums of what is known, -1 nothing is */
    int64_t prompt_tokens;
    int64_t attempts;
    double cost; /* -1 nothing is known */
    int64_t without_cost;
};

/* A text that the turns of a group have in common. */
struct shared {
    char *text;   /* owned; NULL: none known, or they differ */
    bool differs; /* two were met: stays NULL from then on */
};

/* Texts are owned and NULL where unknown or where a kind of group has none. */
struct group {
    struct shared conversation; /* conversations, personas */
    struct shared provider;     /* models, personas, endpoints */
    struct shared model;
    char *endpoint; /* an endpoint's */
    char *name;     /* a persona's */
    char *state;    /* a conversation's, the last that was told */
    char *reason;   /* why it ended */
    int64_t seat;   /* a persona's, else -1 */
    int64_t
        first_turn; /* of a class of turn indexes, else -1: both ends belong to it */
    int64_t last_turn;
    struct counts counts;
    int64_t first_us; /* the span of its time, -1 none */
    int64_t last_us;
    struct spread metrics[METRIC_COUNT];
};

/* A turn's values, read once for all groups it belongs to. */
struct measured {
    double value[METRIC_COUNT]; /* NAN unknown */
    int slot[METRIC_COUNT];     /* spread_slot of a known one */
};
void measure(const struct message *turn, struct measured *ret_measured);

/* Embedded: group_init gives an empty one. */
void group_init(struct group *group);
void group_done(struct group *group, struct ration *ration);
/* Takes one more text; NULL says nothing. */
void shared_take(struct shared *shared, const char *text);
/* Takes a turn into counts and metrics. */
void group_count(struct group *group, struct ration *ration, const struct message *turn,
                 const struct measured *measured);
/* Has the processor fetch a group that will soon be counted in: with a thousand
 * conversations by turns it lies far away. */
void group_prefetch(const struct group *group);
/* Widens the span so that it holds that time (UTC); -1 is passed over. */
void group_span(struct group *group, int64_t at_us);
/* Milliseconds from the span's start to its end, NAN without one. */
double group_wall_ms(const struct group *group);
/* Per second of group_wall_ms; NAN when it is 0 or unknown, or `count` is -1. */
double group_rate(const struct group *group, int64_t count);
/* Adds to a sum of known numbers, -1 as long as there was none; below 0: unknown. */
void add_known(int64_t *sum, int64_t value);
void add_known_cost(double *sum, double value);

#endif

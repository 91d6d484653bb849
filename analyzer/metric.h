/* metric.h - what is measured of each turn: names, units, where the value stands.
 *
 * One table for the JSON, the readable report and the help.
 */
#ifndef PARLEY_METRIC_H
#define PARLEY_METRIC_H

struct message;

enum metric {
    METRIC_TOKENS_PER_SECOND,
    METRIC_TIME_TO_FIRST_TOKEN,
    METRIC_GENERATION_TIME,
    METRIC_QUEUE_WAIT,
    METRIC_ROUTING,
    METRIC_COUNT
};

const char *metric_name(enum metric metric);  /* "queue_wait_ms": the JSON's key */
const char *metric_unit(enum metric metric);  /* "ms", "tokens/s" */
const char *metric_label(enum metric metric); /* "queue wait": for people */
/* Where the value of a turn comes from, in words. */
const char *metric_formula(enum metric metric);
/* The turn's value, or NAN when it is unknown or cannot be one (negative, not finite,
 * over 1e12). */
double metric_of(const struct message *turn, enum metric metric);

#endif

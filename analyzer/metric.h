/* metric.h - what is measured of each turn: names, units, formulas, values.
 *
 * One table for the JSON, the readable reports, the limits of --goodput and the help.
 */
#ifndef PARLEY_METRIC_H
#define PARLEY_METRIC_H

#include <stdbool.h>

#include "base/str.h"

struct message;

enum metric {
    METRIC_TOKENS_PER_SECOND,
    METRIC_TIME_TO_FIRST_TOKEN,
    METRIC_INTER_TOKEN_LATENCY,
    METRIC_TIME_PER_OUTPUT_TOKEN,
    METRIC_LONGEST_GAP,
    METRIC_GENERATION_TIME,
    METRIC_TURN_TIME,
    METRIC_QUEUE_WAIT,
    METRIC_ENDPOINT_WAIT,
    METRIC_PREFILL,
    METRIC_DECODE,
    METRIC_LOAD,
    METRIC_ROUTING,
    METRIC_OVERHEAD,
    METRIC_PROMPT_TOKENS,
    METRIC_TOKENS_GENERATED,
    METRIC_COUNT
};

const char *metric_name(enum metric metric);  /* "queue_wait_ms": the JSON's key */
const char *metric_short(enum metric metric); /* "ttft", "itl", "queue": for limits */
const char *metric_unit(enum metric metric);  /* "ms", "tokens/s", "tokens" */
const char *metric_label(enum metric metric); /* "queue wait": for people */
/* Where the value of a turn comes from, in words; lines behind the first are
 * indented. */
const char *metric_formula(enum metric metric);
/* By its name, its short name or a name it has elsewhere ("e2e", "tpot"). */
bool metric_find(struct str word, enum metric *ret_metric);
/* The turn's value, or NAN when it is unknown or cannot be one (negative, not finite,
 * over 1e12). */
double metric_of(const struct message *turn, enum metric metric);

#endif

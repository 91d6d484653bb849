/* metric.c - see metric.h. The worker and the manager measured; this only reads. */
#include "analyzer/metric.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "proto/message.h"

static const double METRIC_MAX = 1e12; /* 30 years in ms: beyond it, a broken number */

struct metric_row {
    const char *name;
    const char *unit;
    const char *label;
    size_t offset; /* of the double in struct message */
    const char *formula;
};
static const struct metric_row rows[METRIC_COUNT] = {
    [METRIC_TOKENS_PER_SECOND] =
        {"tokens_per_second", "tokens/s", "tokens per second",
         offsetof(struct message, tokens_per_second),
         "while generating: tokens of a turn by the time in which the\n"
         "    server says it generated them; waits and the prompt do not count"},
    [METRIC_TIME_TO_FIRST_TOKEN] =
        {"time_to_first_token_ms", "ms", "time to first token",
         offsetof(struct message, time_to_first_token_ms),
         "from sending the model call to its first text; the\n"
         "    model's loading and the prompt's reading are in it"},
    [METRIC_GENERATION_TIME] = {"generation_time_ms", "ms", "generation time",
                                offsetof(struct message, generation_time_ms),
                                "from sending the model call to its end"},
    [METRIC_QUEUE_WAIT] = {"queue_wait_ms", "ms", "queue wait",
                           offsetof(struct message, queue_wait_ms),
                           "a worker's receipt of the request minus the Redis time\n"
                           "    at which it was written"},
    [METRIC_ROUTING] = {"routing_ms", "ms", "routing",
                        offsetof(struct message, routing_ms),
                        "the manager's sending of route minus the Redis time at which\n"
                        "    the response was written"},
};

static const struct metric_row *row_of(enum metric metric)
{
    assert((unsigned)metric < METRIC_COUNT);
    return &rows[metric];
}

const char *metric_name(enum metric metric)
{
    return row_of(metric)->name;
}

const char *metric_unit(enum metric metric)
{
    return row_of(metric)->unit;
}

const char *metric_label(enum metric metric)
{
    return row_of(metric)->label;
}

const char *metric_formula(enum metric metric)
{
    return row_of(metric)->formula;
}

double metric_of(const struct message *turn, enum metric metric)
{
    const char *at = (const char *)turn + row_of(metric)->offset;
    double value = *(const double *)(const void *)at;

    return value >= 0 && value <= METRIC_MAX ? value : (double)NAN;
}

/* metric.c - see metric.h. The worker and the manager measured; this only reads, and
 * takes one number from another. docs/metrics.md says the same at length.
 */
#include "analyzer/metric.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>

#include "proto/message.h"

static const double METRIC_MAX = 1e12; /* 30 years in ms: beyond it, a broken number */

struct metric_row {
    const char *name;
    const char *brief;
    const char *other; /* what it is called elsewhere, or "" */
    const char *unit;
    const char *label;
    double (*of)(const struct message *turn);
    const char *formula;
};

static double known(double value)
{
    return value >= 0 && value <= METRIC_MAX ? value : (double)NAN;
}

static double known_count(int64_t count)
{
    return known((double)count);
}

static double tokens_per_second(const struct message *turn)
{
    return known(turn->tokens_per_second);
}

static double first_token(const struct message *turn)
{
    return known(turn->time_to_first_token_ms);
}

static double inter_token(const struct message *turn)
{
    if (turn->tokens_generated <= 1)
        return (double)NAN;
    return known((known(turn->generation_time_ms) - first_token(turn))
                 / (double)(turn->tokens_generated - 1));
}

static double per_token(const struct message *turn)
{
    if (turn->tokens_generated <= 0)
        return (double)NAN;
    return known(turn->generation_time_ms) / (double)turn->tokens_generated;
}

static double longest_gap(const struct message *turn)
{
    return known(turn->longest_gap_ms);
}

static double generation_time(const struct message *turn)
{
    return known(turn->generation_time_ms);
}

static double turn_time(const struct message *turn)
{
    return known(known(turn->queue_wait_ms) + known(turn->worker_ms)
                 + known(turn->routing_ms));
}

static double queue_wait(const struct message *turn)
{
    return known(turn->queue_wait_ms);
}

static double endpoint_wait(const struct message *turn)
{
    return known(turn->endpoint_wait_ms);
}

static double prefill(const struct message *turn)
{
    return known(turn->prefill_ms);
}

static double decode(const struct message *turn)
{
    return known(turn->decode_ms);
}

static double load(const struct message *turn)
{
    return known(turn->load_ms);
}

static double routing(const struct message *turn)
{
    return known(turn->routing_ms);
}

/* The calls that failed before the good one are nobody's overhead, and how long they
 * took does not stand in the message: only turns of a single call are measured. */
static double overhead(const struct message *turn)
{
    if (turn->attempts != 1)
        return (double)NAN;
    return known(turn_time(turn) - endpoint_wait(turn) - generation_time(turn));
}

static double prompt_tokens(const struct message *turn)
{
    return known_count(turn->prompt_tokens);
}

static double tokens_generated(const struct message *turn)
{
    return known_count(turn->tokens_generated);
}

static const struct metric_row rows[METRIC_COUNT] = {
    [METRIC_TOKENS_PER_SECOND] =
        {"tokens_per_second", "rate", "tps", "tokens/s", "tokens per second",
         tokens_per_second,
         "while generating: tokens of a turn by the time in which the\n"
         "    server says it generated them; waits and the prompt do not count"},
    [METRIC_TIME_TO_FIRST_TOKEN] =
        {"time_to_first_token_ms", "ttft", "time_to_first_token", "ms",
         "time to first token", first_token,
         "from sending the model call to its first text or thought; the\n"
         "    model's loading and the prompt's reading are in it"},
    [METRIC_INTER_TOKEN_LATENCY] =
        {"inter_token_latency_ms", "itl", "inter_token_latency", "ms",
         "inter-token latency", inter_token,
         "(generation_time_ms - time_to_first_token_ms) / (tokens - 1), of turns\n"
         "    with more than one token; ITL of AIPerf, TPOT of vLLM"},
    [METRIC_TIME_PER_OUTPUT_TOKEN] =
        {"time_per_output_token_ms", "tpot", "time_per_output_token", "ms",
         "time per output token", per_token,
         "generation_time_ms / tokens, the first one's wait in it; TPOT of\n"
         "    GuideLLM (vLLM's is inter_token_latency_ms)"},
    [METRIC_LONGEST_GAP] =
        {"longest_gap_ms", "gap", "longest_gap", "ms", "longest gap", longest_gap,
         "the longest wait between two pieces of text or thought of the\n"
         "    call, as they came in"},
    [METRIC_GENERATION_TIME] =
        {"generation_time_ms", "e2e", "e2el", "ms", "generation time", generation_time,
         "from sending the model call to its end; end-to-end latency or\n"
         "    request latency elsewhere"},
    [METRIC_TURN_TIME] =
        {"turn_time_ms", "turn", "turn_time", "ms", "turn time", turn_time,
         "queue_wait_ms + worker_ms + routing_ms: from the request in the queue\n"
         "    to the routing of its message, all calls and waits in it"},
    [METRIC_QUEUE_WAIT] = {"queue_wait_ms", "queue", "queue_wait", "ms", "queue wait",
                           queue_wait,
                           "a worker's receipt of the request minus the Redis time\n"
                           "    at which it was written"},
    [METRIC_ENDPOINT_WAIT] =
        {"endpoint_wait_ms", "place", "endpoint_wait", "ms", "endpoint wait",
         endpoint_wait, "for a place at the model server, over all calls of the turn"},
    [METRIC_PREFILL] = {"prefill_ms", "prefill", "prompt_eval", "ms", "prefill",
                        prefill, "what the server says it took to read the prompt"},
    [METRIC_DECODE] = {"decode_ms", "decode", "eval", "ms", "decode", decode,
                       "what the server says it took to generate"},
    [METRIC_LOAD] = {"load_ms", "load", "model_load", "ms", "model loading", load,
                     "what the server says it took to load the model"},
    [METRIC_ROUTING] = {"routing_ms", "routing", "route", "ms", "routing", routing,
                        "the manager's sending of route minus the Redis time at which\n"
                        "    the response was written"},
    [METRIC_OVERHEAD] =
        {"overhead_ms", "overhead", "own", "ms", "our overhead", overhead,
         "turn_time_ms - endpoint_wait_ms - generation_time_ms, of turns that\n"
         "    took a single call"},
    [METRIC_PROMPT_TOKENS] = {"prompt_tokens", "isl", "input_tokens", "tokens",
                              "prompt tokens", prompt_tokens,
                              "as the server counted, those it had cached included"},
    [METRIC_TOKENS_GENERATED] = {"tokens_generated", "osl", "output_tokens", "tokens",
                                 "tokens generated", tokens_generated,
                                 "as the server counted, thinking included"},
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

const char *metric_short(enum metric metric)
{
    return row_of(metric)->brief;
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

bool metric_find(struct str word, enum metric *ret_metric)
{
    for (enum metric m = 0; m < METRIC_COUNT; m++) {
        if (str_is(word, rows[m].name) || str_is(word, rows[m].brief)
            || str_is(word, rows[m].other)) {
            *ret_metric = m;
            return true;
        }
    }
    return false;
}

double metric_of(const struct message *turn, enum metric metric)
{
    return row_of(metric)->of(turn);
}

/* hybrid.h - local or cloud: which tier a turn deserves, and why. Pure.
 *
 * The rules and the formula of complexity stand in docs/routing.md.
 */
#ifndef PARLEY_LLM_HYBRID_H
#define PARLEY_LLM_HYBRID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "llm/llm.h"
#include "proto/endpoint.h"

struct config;

enum hybrid_mode {
    HYBRID_OFF,  /* all turns are local */
    HYBRID_ON,   /* marks decide */
    HYBRID_AUTO, /* marks, then complexity, then the record, within the cost cap */
    HYBRID_MODE_COUNT
};
const char *hybrid_mode_name(enum hybrid_mode mode); /* "off", "on", "auto" */
MUST_USE bool hybrid_mode_parse(struct str name, enum hybrid_mode *ret_mode);

/* What is known of an endpoint, or of the best one of a tier. */
struct hybrid_record {
    double
        error_rate; /* of its last 20 calls, 0 to 1; 0 when there were fewer than 5 */
    double latency_ms;  /* mean of late; 0 unknown */
    double spent_today; /* since midnight UTC */
    bool down;          /* its breaker is open */
};
/* What is known of the turn. */
struct hybrid_question {
    int64_t seat; /* 0: the story */
    int64_t turn;
    bool spotlight; /* its persona is marked */
    bool closing;   /* the conversation's last turn */
    const struct llm_message *messages;
    size_t message_count;
};
struct hybrid_answer {
    enum endpoint_tier tier;
    const char *route; /* one word: why */
    bool stand_in;     /* the other tier may take it while this one is down */
};
/* record: the best of each tier; their spent_today is the tier's sum. */
struct hybrid_answer hybrid_choose(const struct config *config, enum hybrid_mode mode,
                                   const struct hybrid_question *question,
                                   const struct hybrid_record record[TIER_COUNT]);

/* How much a prompt asks of a model, 0 to 1, by what was said last. */
double hybrid_complexity(const struct llm_message *messages, size_t count);

#endif

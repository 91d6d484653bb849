/* param.h - the parameters of a request that a model may not take: OpenAI's reasoning
 * models refuse `max_tokens`, a `temperature`, `stop` and others, one a call, with a
 * 400. Each may be left out; what is a request's sense (model, messages, the schema)
 * may not. Pure.
 */
#ifndef PARLEY_LLM_PARAM_H
#define PARLEY_LLM_PARAM_H

#include <stdbool.h>

struct complaint;
struct llm_request;
struct model_option;

/* Sets of them are bits: 1U << param. */
enum llm_param {
    PARAM_NONE,
    PARAM_MAX_TOKENS, /* the two names of one thing: one goes, the other comes */
    PARAM_MAX_COMPLETION_TOKENS,
    PARAM_TEMPERATURE,
    PARAM_TOP_P,
    PARAM_TOP_K,
    PARAM_MIN_P,
    PARAM_TYPICAL_P,
    PARAM_REPEAT_PENALTY,
    PARAM_PRESENCE_PENALTY,
    PARAM_FREQUENCY_PENALTY,
    PARAM_SEED,
    PARAM_STOP, /* the stream ends where another one speaks all the same */
    PARAM_THINK,
    PARAM_STREAM_OPTIONS,
    PARAM_STREAM, /* then the reply comes as one document */
    PARAM_COUNT
};
/* "temperature"; that of PARAM_THINK is parley's own. */
const char *param_name(enum llm_param param);
/* What is done instead, for people: "left out". */
const char *param_instead(enum llm_param param);
/* That of a model's option; PARAM_NONE: it is none of these. */
enum llm_param param_of_option(const struct model_option *option);
/* Whether the request leaves it out. */
bool param_is_out(const struct llm_request *request, enum llm_param param);
/* Which one the server does not take, by its words; PARAM_NONE: it says nothing of that
 * kind. A value out of bounds is the asker's mistake, and none of these. */
enum llm_param param_refused(const struct complaint *complaint);

#endif

/* param.c - see param.h.
 *
 * Flow: param_refused -> the field `param`, else the first name in the text
 */
#include "llm/param.h"

#include <assert.h>
#include <ctype.h>
#include <string.h>

#include "llm/complaint.h"
#include "llm/llm.h"
#include "proto/model_options.h"

/* What servers call them; the first name of each is told. A plain word counts where
 * it is quoted, or stands behind a colon. */
static const struct {
    const char *name;
    enum llm_param param;
    bool plain;
} names[] = {
    {"max_tokens", PARAM_MAX_TOKENS, false},
    {"max_completion_tokens", PARAM_MAX_COMPLETION_TOKENS, false},
    {"temperature", PARAM_TEMPERATURE, false},
    {"top_p", PARAM_TOP_P, false},
    {"top_k", PARAM_TOP_K, false},
    {"min_p", PARAM_MIN_P, false},
    {"typical_p", PARAM_TYPICAL_P, false},
    {"repeat_penalty", PARAM_REPEAT_PENALTY, false},
    {"presence_penalty", PARAM_PRESENCE_PENALTY, false},
    {"frequency_penalty", PARAM_FREQUENCY_PENALTY, false},
    {"seed", PARAM_SEED, true},
    {"stop", PARAM_STOP, true},
    {"think", PARAM_THINK, true},
    {"thinking", PARAM_THINK, false}, /* Ollama: "x" does not support thinking */
    {"reasoning_effort", PARAM_THINK, false},
    {"stream_options", PARAM_STREAM_OPTIONS, false},
    {"stream", PARAM_STREAM, true},
};
enum { NAME_COUNT = sizeof names / sizeof *names };

const char *param_name(enum llm_param param)
{
    size_t i = 0;

    assert(param > PARAM_NONE && param < PARAM_COUNT);
    while (names[i].param != param)
        i++;
    return names[i].name;
}

const char *param_instead(enum llm_param param)
{
    switch (param) {
    case PARAM_MAX_TOKENS:
        return "max_completion_tokens is sent";
    case PARAM_MAX_COMPLETION_TOKENS:
        return "max_tokens is sent";
    default:
        return "left out";
    }
}

static enum llm_param param_named(struct str name)
{
    for (size_t i = 0; i < NAME_COUNT; i++)
        if (str_is(name, names[i].name))
            return names[i].param;
    return PARAM_NONE;
}

enum llm_param param_of_option(const struct model_option *option)
{
    return option->openai == NULL ? PARAM_NONE : param_named(str_of(option->openai));
}

bool param_is_out(const struct llm_request *request, enum llm_param param)
{
    return (request->without & 1U << param) != 0;
}

/* ---- the server's words ---- */

/* That it does not take something: each has been seen of a server. */
static bool speaks_of_refusal(const struct complaint *complaint)
{
    static const char *const phrases[] = {
        "unsupported parameter", /* OpenAI */
        "unsupported value",
        "is not supported",
        "not supported with",
        "does not support", /* Ollama */
        "unrecognized request argument",
        "incompatible request argument", /* OpenAI's models that search */
        "unknown parameter",
        "not permitted",                /* pydantic's: Mistral, Fireworks, old vLLM */
        "is deprecated for this model", /* Anthropic's */
        "is allowed for this model",    /* Moonshot: only 1 is allowed ... */
    };

    if (str_is(complaint->code, "unsupported_parameter")
        || str_is(complaint->code, "unsupported_value"))
        return true;
    for (size_t i = 0; i < sizeof phrases / sizeof *phrases; i++)
        if (str_has_nocase(complaint->text, phrases[i]))
            return true;
    return false;
}

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

static bool stands_apart(struct str text, size_t at, size_t len, bool plain)
{
    bool quoted = at > 0 && strchr("'\"`", text.at[at - 1]) != NULL;
    bool listed = at > 1 && text.at[at - 1] == ' ' && text.at[at - 2] == ':';

    if ((at > 0 && is_word_char(text.at[at - 1]))
        || (at + len < text.len && is_word_char(text.at[at + len])))
        return false;
    return !plain || quoted || listed;
}

/* "Use 'max_completion_tokens' instead." comes behind the one that is meant. */
static enum llm_param first_in(struct str text)
{
    for (size_t at = 0; at < text.len; at++) {
        struct str rest = str_make(text.at + at, text.len - at);

        for (size_t i = 0; i < NAME_COUNT; i++)
            if (str_starts(rest, names[i].name)
                && stands_apart(text, at, strlen(names[i].name), names[i].plain))
                return names[i].param;
    }
    return PARAM_NONE;
}

enum llm_param param_refused(const struct complaint *complaint)
{
    if (!speaks_of_refusal(complaint))
        return PARAM_NONE;
    if (complaint->param.len > 0)
        return param_named(complaint->param);
    return first_in(complaint->text);
}

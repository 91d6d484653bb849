/* model_options.h - the options of a model by their names in Ollama's API: what they
 * may be, what they are called in OpenAI's, and which of them make a server load a
 * model anew. Pure.
 *
 * Ollama only logs a name it does not know, so a slip would never be noticed; here it
 * is an error. `seed` and `stop` are parley's own and never options: the seed is the
 * conversation's, and replies stop where another persona would speak. Source of names
 * and kinds: Ollama's api/types.go (Options, Runner).
 */
#ifndef PARLEY_MODEL_OPTIONS_H
#define PARLEY_MODEL_OPTIONS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum model_option_kind { MODEL_OPTION_INT, MODEL_OPTION_REAL, MODEL_OPTION_BOOL };
enum model_option_api {
    API_OLLAMA, /* Ollama alone: left out of OpenAI's requests */
    API_COMMON, /* in OpenAI's own API too */
    API_OTHERS  /* in the APIs made after it (llama.cpp, vLLM, LM Studio): not for
                   api.openai.com, which refuses them */
};
struct model_option {
    const char *name;   /* "top_p" */
    const char *openai; /* what OpenAI's API calls it, NULL: API_OLLAMA */
    enum model_option_api api;
    enum model_option_kind kind;
    double min;
    double max;
    bool own;    /* has a place of its own (struct seat_model): num_ctx, ... */
    bool runner; /* another value makes the server load the model anew */
};

/* The option of that index, NULL behind the last; the one of that name, or NULL. */
const struct model_option *model_option(size_t index);
const struct model_option *model_option_find(struct str name);

/* One member: its name and value. err (ERR_FORMAT): "top_k: 1.5 is not a whole number
 * from 0 to 1000000", "top_pp: no such option, did you mean top_p?". */
MUST_USE bool model_option_check(const char *name, const json_t *value,
                                 struct err *err);
/* An object of options without those that have a place of their own, checked:
 * *ret_options, which the caller frees, is it with its names in order and no blanks;
 * NULL when there are none in it. */
MUST_USE bool model_options_parse(struct str json, char **ret_options, struct err *err);
MUST_USE bool model_options_take(const json_t *object, char **ret_options,
                                 struct err *err);

/* What a call asks of the runner that holds the model. */
struct runner_use {
    const char *who;     /* "seat 1": for the complaint */
    const char *model;   /* both ask the same one of the same endpoint */
    const char *options; /* as above, or NULL */
    int64_t num_ctx;
};
/* False (ERR_USAGE) when two who share a model would have the server load it anew
 * whenever the turn goes from one to the other. */
MUST_USE bool model_options_agree(const struct runner_use *a,
                                  const struct runner_use *b, struct err *err);

#endif

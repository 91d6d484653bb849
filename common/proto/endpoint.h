/* endpoint.h - the model servers a fleet may ask: name, address, prices, limits.
 *
 * They come from the section `endpoints` of the config file, in its order; behind them
 * stand the built-in ones, one a provider and named after it (`ollama`, `openai`,
 * `simulator`, `echo`), unless the section has that name. Pure.
 */
#ifndef PARLEY_ENDPOINT_H
#define PARLEY_ENDPOINT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct config;

enum { ENDPOINTS_MAX = 32, ENDPOINT_NAME_SIZE = 33 };
enum { WINDOW_NONE = 0, WINDOW_ASK = -1 }; /* no limit; the server is asked */
enum endpoint_tier { TIER_LOCAL, TIER_CLOUD, TIER_COUNT };
const char *endpoint_tier_name(enum endpoint_tier tier); /* "local", "cloud" */

/* How long a call may take; 0: not said, it is the next one's to say: an endpoint's,
 * its tier's, the options'. */
struct endpoint_clocks {
    int64_t connect_ms;
    int64_t first_token_ms;
    int64_t between_tokens_ms;
    int64_t total_ms;
};
struct endpoint {
    char name[ENDPOINT_NAME_SIZE]; /* [A-Za-z][A-Za-z0-9_-]* */
    char *provider;                /* owned, as all texts: "ollama", "openai", ... */
    char *url;                     /* normalized, without a / at the end; "" for echo */
    char *key_env;                 /* the variable that holds the bearer key, or NULL */
    char *key_file;                /* the file whose first line is the key, or NULL */
    char **models;                 /* what it is asked for; the first is its default */
    size_t model_count;            /* 0: whatever one asks for */
    enum endpoint_tier tier;
    bool built_in;
    int64_t window; /* calls at once in the whole fleet, or one of the two above */
    struct endpoint_clocks clocks; /* its own */
    double prompt_price;    /* per million tokens, in the user's currency; NAN: none */
    double cached_price;    /* of cached prompt tokens; NAN: as prompt_price */
    double generated_price; /* NAN: none */
};
struct endpoint_list {
    struct endpoint *items;
    size_t count;
    size_t own; /* so many of them, the first, are the config file's */
    struct endpoint_clocks tiers[TIER_COUNT]; /* what all of a tier have in common */
};

/* Reads the section of a config file; err (ERR_USAGE) begins with the key,
 * "endpoints.cloud.tier: 'space' is not local or cloud". Adds to the list. */
MUST_USE bool endpoints_parse(const json_t *section, struct endpoint_list *list,
                              struct err *err);
/* Reads the section `tiers` of a config file, as endpoints_parse. */
MUST_USE bool tiers_parse(const json_t *section, struct endpoint_list *list,
                          struct err *err);
/* Adds the built-in ones of the options (ollama_url, openai_url), as far as there is
 * room. `openai` has the key of OPENAI_API_KEY when that is set or the URL is OpenAI's
 * own. */
void endpoints_add_built_in(struct endpoint_list *list, const struct config *config);
void endpoints_done(struct endpoint_list *list);
/* NULL when there is none of that name. */
const struct endpoint *endpoint_find(const struct endpoint_list *list, struct str name);
/* True when a list's name is that model: "x" stands for "x:latest", as Ollama has it.
 */
bool endpoint_lists_as(const char *listed, const char *model);
/* The same, whichever of the two says ":latest". */
bool endpoint_same_model(const char *a, const char *b);
/* True when it may be asked for that model: it lists it ("x" also as "x:latest"), or
 * lists none. */
bool endpoint_serves(const struct endpoint *endpoint, const char *model);
/* "cloud:gpt-4o-mini" -> endpoint cloud, *ret_model "gpt-4o-mini"; a text whose part
 * before the first colon names no endpoint is all model: NULL, *ret_model = text.
 * *ret_model points into text; "cloud" and "cloud:" are the endpoint's first model
 * (*ret_model NULL when it lists none). */
const struct endpoint *endpoint_of_model(const struct endpoint_list *list,
                                         const char *text, const char **ret_model);
/* The key from its variable or file, NULL when it has no source. err (ERR_USAGE) when
 * the source holds none. The caller frees. */
MUST_USE bool endpoint_key(const struct endpoint *endpoint, char **ret_key,
                           struct err *err);
/* Its members by index, for people and for run.json: the key as in the config file, the
 * value into `value`; never a key or a password. NULL behind the last. */
const char *endpoint_member(const struct endpoint *endpoint, size_t index,
                            struct buf *value);
/* The same of a tier: its clocks. NULL behind the last. */
const char *endpoint_tier_member(const struct endpoint_list *list,
                                 enum endpoint_tier tier, size_t index,
                                 struct buf *value);
/* What is allowed and yet not wise, a line each: a key sent in the clear. */
void endpoints_warn(const struct endpoint_list *list, struct buf *into);

#endif

/* llm.h - a prompt in, deltas and exactly one result out: one call of one server.
 *
 * A request goes to its provider: `ollama` (/api/chat over HTTP), `openai` (chat
 * completions over HTTP) or `echo` (answers at once without a model). Nothing falls
 * back to another one and nothing is retried here: router.h does that. What a model
 * does not take (param.h) is learned from its refusal, and left out of the calls behind
 * it.
 *
 * Flow: llm_start -> on_delta* -> on_result (done | failed | cancelled), once.
 */
#ifndef PARLEY_LLM_H
#define PARLEY_LLM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "llm/result.h"

struct http;
struct llm;      /* one a process */
struct llm_call; /* one request; gone after on_result */
struct loop;

/* The simulator speaks Ollama's API and is asked like it; the name tells who spoke. */
enum llm_provider {
    LLM_OLLAMA,
    LLM_OPENAI,
    LLM_SIMULATOR,
    LLM_ECHO,
    LLM_PROVIDER_COUNT
};
const char *llm_provider_name(enum llm_provider provider);
MUST_USE bool llm_provider_parse(const char *name, enum llm_provider *ret_provider);

struct llm_message {
    const char *role; /* "system", "user", "assistant" */
    struct str text;
};

struct llm_request {
    enum llm_provider provider;
    const char *url;      /* "http://127.0.0.1:11434"; ignored by echo */
    const char *endpoint; /* how the result names it; NULL: the URL, without secrets */
    const char *key;      /* sent as a bearer token; NULL none */
    const char *model;
    const struct llm_message *messages;
    size_t message_count;
    const char *schema;  /* JSON Schema text for a structured reply, or NULL */
    const char *options; /* JSON object, checked by proto/model_options.h, or NULL */
    const char *think;   /* "true", "false", "low", "medium", "high", "max"; or NULL */
    const char *const *stops; /* texts at which the reply ends, at most 4 */
    size_t stop_count;
    int64_t num_ctx;     /* always sent */
    int64_t num_predict; /* always sent; most tokens of a reply */
    double temperature;
    int64_t seed;           /* -1: the server's choice */
    unsigned without;       /* bits of param.h: left out, beside what was learned */
    const char *keep_alive; /* "10m" or NULL: the server's default */
    const char *call_id;    /* sent as X-Parley-Turn, for the server's log; NULL none */
    size_t max_reply_bytes; /* 0: 1 MiB */
    int64_t connect_ms;     /* the four clocks; 0: 5 s, 300 s, 60 s, none */
    int64_t first_token_ms;
    int64_t between_tokens_ms;
    int64_t total_ms;
};

/* The HTTP request, as it leaves. */
struct llm_sent {
    const char *url; /* whole; without user and password */
    struct str body; /* JSON; keys stand in headers only */
};

struct llm_handlers {
    /* From inside llm_start; not for echo, which sends nothing. What it points to is
     * valid during the call. May be NULL. */
    void (*on_sent)(void *owner, const struct llm_sent *sent);
    /* New text, whole UTF-8 characters. May be NULL. */
    void (*on_delta)(void *owner, struct str text);
    /* The end; what it points to is valid inside the callback only. */
    void (*on_result)(void *owner, const struct llm_result *result);
    void *owner;
};

/* http is borrowed, and freed after it. */
struct llm *llm_new(struct loop *loop, struct http *http);
/* Calls that run are dropped without a word. Not from inside a callback of theirs. */
void llm_free(struct llm *llm);
/* The request is copied. Never calls back before it returned; never NULL. */
struct llm_call *llm_start(struct llm *llm, const struct llm_request *request,
                           const struct llm_handlers *handlers);
/* Closes the connection, so that the server stops; on_result with LLM_CANCELLED comes
 * from the loop, never before this returned. */
void llm_cancel(struct llm_call *call);
/* As llm_cancel, without a word: no callback comes any more (the owner goes away). Not
 * from inside a callback of this call. */
void llm_drop(struct llm_call *call);
/* What came is enough: closes the connection; on_result with LLM_DONE, what was heard
 * so far and finish_reason "enough" comes from the loop. Counts that did not come stay
 * unknown. */
void llm_enough(struct llm_call *call);

#endif

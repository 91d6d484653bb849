/* result.h - how a call of a model ended, and what it brought. */
#ifndef PARLEY_LLM_RESULT_H
#define PARLEY_LLM_RESULT_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum llm_outcome { LLM_DONE, LLM_FAILED, LLM_CANCELLED };
enum llm_error {
    LLM_ERROR_NONE,
    LLM_ERROR_REFUSED,         /* no connection: nobody there, no such host, no TLS */
    LLM_ERROR_MODEL_NOT_FOUND, /* 404 that speaks of the model */
    LLM_ERROR_AUTH,            /* 401, 402, 403: the key, or what it may do */
    LLM_ERROR_BUSY,            /* 429, 503, 529 */
    LLM_ERROR_SERVER,          /* other 5xx; 408, 409, 425 */
    LLM_ERROR_REQUEST,         /* other 4xx: asking again is no use */
    LLM_ERROR_UNSUPPORTED,     /* 400, 422: it does not take a parameter, `untaken` */
    LLM_ERROR_CONTEXT,         /* the prompt is longer than its window, `window` */
    LLM_ERROR_REDIRECT,        /* 3xx: never followed, the key would leak */
    LLM_ERROR_STREAM,          /* an error in mid-stream */
    LLM_ERROR_TRUNCATED,       /* no answer, or one without its end marker */
    LLM_ERROR_PROTOCOL,        /* not what the API promises */
    LLM_ERROR_TIMEOUT,         /* one of the four clocks */
    LLM_ERROR_EMPTY,           /* done, and nothing was said */
    LLM_ERROR_TOO_LARGE,
    LLM_ERROR_COUNT
};
const char *llm_error_name(enum llm_error error); /* "model_not_found" */

/* Counts and durations exactly as the server gave them; -1 where it gave none. */
struct llm_result {
    enum llm_outcome outcome;
    enum llm_error error;
    const char *reason;        /* one line for people, "" unless failed */
    const char *untaken;       /* that parameter's name; NULL with other errors */
    int64_t window;            /* then: tokens, as the server tells; -1: it does not */
    int http_status;           /* 0 none */
    int64_t retry_after_ms;    /* what the server asked for; -1: nothing */
    struct str text;           /* the whole reply (UTF-8, mended); "" unless done */
    struct str thinking;       /* what a thinking model thought, apart */
    const char *finish_reason; /* "stop", "length", "enough"; "" unknown */
    const char *provider;
    const char *endpoint; /* as the request named it */
    const char *model;    /* as the server names it */
    int64_t prompt_tokens;
    int64_t prompt_cached_tokens;
    int64_t tokens_generated;
    int64_t load_ns; /* the server's own durations */
    int64_t prompt_ns;
    int64_t generation_ns;
    int64_t total_ns;
    int64_t connect_us;     /* our clock: llm_start to the connection; -1 unknown */
    int64_t first_token_us; /* our clock: llm_start to the first text or thought */
    int64_t longest_gap_us; /* our clock: between two pieces of text or thought */
    int64_t duration_us;    /* our clock: llm_start to the end marker or failure */
    size_t deltas;          /* pieces of text received; not tokens */
};

#endif

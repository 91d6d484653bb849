/* verdict.h - why an answer of a model server is not the one asked for, in the kinds a
 * caller acts on and in one line a person can act on. Pure.
 */
#ifndef PARLEY_LLM_VERDICT_H
#define PARLEY_LLM_VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "llm/param.h"
#include "llm/result.h"

struct dialect;
struct http_result;

/* What was asked; all borrowed. */
struct verdict_ask {
    const struct dialect *dialect;
    bool (*type_fits)(const char *content_type); /* of a good answer */
    const char *url;                             /* without secrets (wire_shown) */
    const char *path;                            /* behind it */
    const char *model;                           /* NULL none */
    unsigned sent; /* bits of param.h: what of it the request had, and may lose */
    bool with_key;
    int64_t now_us; /* the wall clock, for dates in headers */
};
struct verdict {
    enum llm_error error;
    enum llm_param param;   /* of LLM_ERROR_UNSUPPORTED */
    int64_t window;         /* of LLM_ERROR_CONTEXT; -1: the server does not say */
    int64_t retry_after_ms; /* -1: the server does not say */
    struct err reason;      /* one harmless line, "" with LLM_ERROR_NONE */
};
/* LLM_ERROR_NONE: status 200 and a type that fits; the body then decides, also when
 * the connection broke in it. body: what came of it, of an error at least its start. */
void verdict_of(const struct verdict_ask *ask, const struct http_result *http,
                struct str body, struct verdict *ret_verdict);
/* What a status other than 200 means by itself; 404 is LLM_ERROR_REQUEST. */
enum llm_error verdict_status_error(int status);

#endif

/* flavor.h - whose dialect of OpenAI's chat completions is spoken: the ways in which
 * the servers that people run differ from each other. One row a server, no code. Pure.
 *
 * Sources: the servers' own documentation and code as of 2025 and 2026; what each
 * column means for a client is told in docs/simulator.md.
 */
#ifndef PARLEY_FLAVOR_H
#define PARLEY_FLAVOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct sim_refusal;

enum flavor_role {
    ROLE_FIRST_TEXT, /* beside the first words */
    ROLE_OWN_EMPTY,  /* in a chunk of its own, with content "" */
    ROLE_OWN_NULL,   /* with content null */
    ROLE_EVERY       /* in each chunk */
};
enum flavor_usage {
    USAGE_ASKED,    /* a chunk without choices, when include_usage asks for it */
    USAGE_ALWAYS,   /* such a chunk in any case */
    USAGE_IN_FINISH /* in the chunk with the finish_reason, in any case */
};
enum flavor_error {
    ERROR_CODED,    /* {"error":{"message","type","param","code":"text"}} */
    ERROR_UNCODED,  /* the same with code null */
    ERROR_TEXT,     /* {"error":"text"} */
    ERROR_NUMBERED, /* {"error":{"code":404,"message","type"}} */
    ERROR_OBJECT    /* {"object":"error","message","type","param","code":404} */
};
enum flavor_broken {
    BROKEN_SILENT,    /* an empty chunk, and the end without [DONE] */
    BROKEN_DATA,      /* data: {"error":...}, and the end */
    BROKEN_DATA_DONE, /* the same, and [DONE] */
    BROKEN_EVENT,     /* event: error, then its data */
    BROKEN_FIELD,     /* a field of its own, error: {...}, and [DONE] */
    BROKEN_FINISH     /* data with `error`, and a finish_reason "error" */
};

struct flavor {
    const char *name;
    const char *reasoning;   /* the field of a thought; NULL: thoughts are not shown */
    const char *fingerprint; /* NULL: none */
    const char *id;          /* what an answer's id begins with */
    const char *ping;        /* a comment while nothing else comes; NULL: none */
    int64_t ping_ms;
    enum flavor_role role;
    enum flavor_usage usage;
    enum flavor_error error;
    enum flavor_broken broken;
    bool fits;        /* drops old messages silently; else 400 when they are too many */
    bool json_object; /* response_format "json_object" is known */
    bool timings;     /* in the last chunk */
    bool native_reason;
    bool usage_null;         /* in each chunk, when include_usage asks */
    bool refusal;            /* a place for it beside the content, and a service tier */
    bool reasoning_tokens;   /* are told apart in the usage */
    const char *no_model[2]; /* what is said of one it does not have, around its name */
    int no_model_status;     /* to a call */
    const char *no_key;      /* when the wrong one came */
    const char *no_key_came; /* when none did; NULL: the same */
    bool no_key_plain;       /* that is {"error":"text"}, whatever other errors are */
    const char *model_owner; /* in the list of models */
};

/* "ollama", "openai", ... */
MUST_USE bool flavor_parse(const char *name, const struct flavor **ret_flavor);
extern const struct flavor *const flavor_ollama;
/* That there is no such model. */
void flavor_refuse_model(const struct flavor *flavor, const char *name,
                         struct sim_refusal *ret_refusal);

#endif

/* sim_chat.h - what is asked of a model. A request to /api/chat or /api/generate is
 * parsed, checked, and refused with the texts and statuses of the real server
 * (ollama/ollama, server/routes.go of 2026); sim_openai.h does it for the other API.
 * Pure.
 */
#ifndef PARLEY_SIM_CHAT_H
#define PARLEY_SIM_CHAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "simulator/sim_models.h"
#include "simulator/sim_prompt.h"
#include "simulator/sim_settings.h"

enum sim_endpoint { SIM_CHAT, SIM_GENERATE, SIM_COMPLETIONS };
/* Whose errors a path's are. */
enum sim_endpoint sim_endpoint_of(const char *path);

struct flavor;

/* All texts point into the documents. */
struct sim_request {
    enum sim_endpoint endpoint;
    const struct flavor *flavor; /* of SIM_COMPLETIONS */
    uint64_t number;             /* of the call, for its id */
    json_t *document;            /* owned */
    json_t *extra;           /* owned: what the document does not have so; or NULL */
    struct sim_model *model; /* borrowed */
    const char *model_name;  /* as the client wrote it */
    struct sim_prompt prompt;
    bool empty;  /* nothing is asked: load the model, or unload it */
    bool unload; /* the latter */
    bool stream;
    bool include_usage; /* asked for in a stream */
    bool obfuscate;
    bool think;                /* thoughts come first */
    bool strict;               /* a prompt over the window is refused, not fitted */
    bool json;                 /* format "json" */
    const json_t *schema;      /* format; NULL: none */
    struct sim_runner runner;  /* how the model is to be loaded */
    int64_t num_ctx;           /* what there is of it: no more than the model has */
    int64_t num_predict;       /* below 0: no limit but ten windows */
    int64_t seed;              /* below 0: the server's own */
    const json_t *stops;       /* list of strings, or NULL */
    int64_t keep_alive_ms;     /* below 0: for ever; SIM_KEEP_UNSAID */
    const char *refused_param; /* why it is refused; NULL: not for a parameter */
    const char *refused_code;
    int64_t arrived_wall_us;
    int64_t now_us; /* wall clock, of the piece that is being made (sim_wire.h) */
};

struct sim_refusal {
    int status;
    char text[256];
};

/* Fills in the refusal, cut to fit; returns false. */
bool sim_refuse(struct sim_refusal *refusal, int status, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* The role in small letters; what is not known speaks as a user. */
const char *sim_role_of(const char *role);

/* *ret_request is owned by the caller (sim_request_done). On false *ret_refusal is what
 * to answer. */
MUST_USE bool sim_request_parse(enum sim_endpoint endpoint, struct str body,
                                const struct sim_models *models,
                                struct sim_request *ret_request,
                                struct sim_refusal *ret_refusal);
void sim_request_done(struct sim_request *request);

#endif

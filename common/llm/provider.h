/* provider.h - what the providers of llm/ share: the client, a call's common part, and
 * how a call ends. Inside llm/ only.
 *
 * A provider embeds struct llm_call as the first member of its own call. It answers
 * from callbacks of the loop, never from its start function, and ends each call once
 * through llm_call_end; the memory goes at the end of that turn of the loop, so a call
 * may still be touched by the callback it ended in.
 *
 * Flow: <provider>_start -> llm_call_init -> llm_call_say* -> llm_call_end -> free
 */
#ifndef PARLEY_LLM_PROVIDER_H
#define PARLEY_LLM_PROVIDER_H

#include <sys/queue.h>

#include "llm/learned.h"
#include "llm/llm.h"
#include "net/loop.h"

struct models_query;
TAILQ_HEAD(llm_call_list, llm_call);
TAILQ_HEAD(models_query_list, models_query);

struct llm {
    struct loop *loop;                /* borrowed */
    struct http *http;                /* borrowed */
    struct loop_hook hook;            /* frees what is over */
    struct llm_call_list running;     /* on_result not called yet */
    struct llm_call_list over;        /* told, to be freed at the end of the turn */
    struct models_query_list queries; /* of llm_list_models */
    struct learned learned;           /* of models, from their answers */
};

struct llm_call {
    TAILQ_ENTRY(llm_call) link;
    struct llm *llm;
    struct llm_handlers handlers;
    enum llm_provider provider;
    char *endpoint;     /* owned */
    char *model;        /* owned; as it was asked for */
    int64_t started_us; /* clock_mono_us */
    bool cancelled;     /* by the owner: whatever comes, this is the outcome */
    bool enough;        /* the owner wants no more: done with what came */
    bool told;          /* on_result was called */
    /* Ends the work at once; llm_call_end must follow, not before this returned. */
    void (*cancel)(struct llm_call *call);
    /* Frees the call with all that belongs to it, in any state, without a word. */
    void (*free)(struct llm_call *call);
};

/* Puts the call among the running ones. The caller sets cancel and free. */
void llm_call_init(struct llm_call *call, struct llm *llm,
                   const struct llm_request *request,
                   const struct llm_handlers *handlers);
void llm_call_done(struct llm_call *call); /* what llm_call_init allocated */
/* on_delta, unless the text is empty, or the owner has cancelled or has enough. */
void llm_call_say(struct llm_call *call, struct str text);
/* Nothing known, failed, no error yet. */
void llm_result_unknown(struct llm_result *ret_result);
/* The same, and what the call itself knows. */
void llm_result_init(const struct llm_call *call, struct llm_result *ret_result);
/* The one on_result. Text and reason go where the outcome has none. */
void llm_call_end(struct llm_call *call, struct llm_result *result);

#endif

/* router.h - which server makes a call, and what happens when it cannot. The only place
 * that retries.
 *
 * It finds the candidates (an endpoint and the model to ask it for), asks Redis for a
 * place (script `admit`: windows and breakers are the fleet's, oldest turn first),
 * makes the call, books its end (script `report`), and on a failure that may pass tries
 * again: at most `attempts` times a turn, after a full-jitter pause or what Retry-After
 * asks, within the fleet's retry budget. While every candidate is down it waits and
 * tries nothing but probes: a turn fails by its own fault only. The formulas stand in
 * docs/routing.md. Calls of `echo` go straight through.
 *
 * Flow: router_start -> admit -> fit -> on_attempt -> on_sent -> on_delta*
 *       -> on_attempt_end [-> pause -> admit ...] -> on_result, once
 */
#ifndef PARLEY_LLM_ROUTER_H
#define PARLEY_LLM_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "llm/llm.h"
#include "proto/cast.h"
#include "proto/endpoint.h"
#include "proto/keys.h"

struct config;
struct loop;
struct redis;
struct router;      /* one a process */
struct router_call; /* one ask; gone after on_result */

struct router_options {
    struct loop *loop; /* all borrowed */
    struct redis *redis;
    struct llm *llm;
    const struct keys *keys;
    const struct config *config; /* strategy, clocks, budget, hybrid rules, defaults */
    const struct endpoint_list *endpoints;
};
struct router *router_new(const struct router_options *options);
/* Calls that run are dropped without a word. The llm goes with it: a turn of the loop
 * in between could bring an answer about a server's window. */
void router_free(struct router *router);

struct router_ask {
    const char *conversation;
    const char *call_id; /* of the first attempt; later ones are "<call_id>~2", ... */
    const struct seat_model *model; /* what the seat asks for; unknown: the options' */
    int64_t seat;                   /* 0: the story */
    int64_t turn;                   /* 0: the story */
    int64_t asked_at_us;            /* Redis' clock: the oldest gets a place first */
    bool spotlight;                 /* the persona is marked */
    bool closing;                   /* the conversation's last turn */
    /* Messages, schema, stops, num_ctx, num_predict, temperature, seed, keep_alive,
     * max_reply_bytes are used; where it goes and its clocks are the router's. Copied.
     */
    struct llm_request request;
    int64_t give_up_ms; /* from router_start, whatever happens; 0: never */
    bool load; /* only has the model loaded (models.h): one attempt, which waits for a
                  place as any call, but never for a server that is down */
};
/* One call, as it was made. */
struct router_attempt {
    const char *call_id;
    int64_t number;                  /* from 1 */
    const struct endpoint *endpoint; /* its name, tier, prices */
    const char *model;               /* as it was asked for */
    const char *route;               /* why here: one word, docs/routing.md */
    int64_t wait_us;                 /* for a place, pauses between attempts left out */
    int64_t began_us;                /* wall clock */
    bool probe;
};
struct router_handlers {
    /* There is a place at a server: true when the messages were changed to fit it; they
     * are copied. Not for echo. May be NULL, as the next six. */
    bool (*fit)(void *owner, const struct router_attempt *attempt,
                struct llm_request *request);
    /* About to be sent; for echo before router_start returns. */
    void (*on_attempt)(void *owner, const struct router_attempt *attempt);
    /* Behind on_attempt; as llm.h. */
    void (*on_sent)(void *owner, const struct router_attempt *attempt,
                    const struct llm_sent *sent);
    void (*on_delta)(void *owner, struct str text);
    /* A done result: LLM_ERROR_NONE takes it, LLM_ERROR_EMPTY has it asked once more.
     */
    enum llm_error (*judge)(void *owner, const struct llm_result *result);
    /* Each attempt, however it ended; its deltas are void unless the result is done.
     * `again`: another attempt follows. */
    void (*on_attempt_end)(void *owner, const struct router_attempt *attempt,
                           const struct llm_result *result, bool again);
    /* All servers it may ask (`servers`: "local, cloud") have been down for two
     * seconds, as was told before each further ten; `reason`: what one of them said. */
    void (*on_waiting)(void *owner, const char *servers, const char *reason);
    /* The end. attempt: the last one, NULL when none was made (cancelled, given up, or
     * no candidate: LLM_ERROR_REQUEST). Not before router_start returned. */
    void (*on_result)(void *owner, const struct llm_result *result,
                      const struct router_attempt *attempt);
    void *owner;
};

struct router_call *router_start(struct router *router, const struct router_ask *ask,
                                 const struct router_handlers *handlers);
/* As llm_cancel: the connection is closed, on_result with LLM_CANCELLED comes from the
 * loop. The place is given back. */
void router_cancel(struct router_call *call);
/* Without a word. Not from inside a callback of this call. */
void router_drop(struct router_call *call);
/* A call of another process, which died, has no end: gives back the places it may hold.
 * Where that cannot be sent, or the server is not one of ours, its lease runs out. */
void router_free_place(struct router *router, const char *call_id);
/* As llm_enough, for the attempt that runs; nothing when none runs. */
void router_enough(struct router_call *call);

/* What the call cost by the endpoint's prices; -1 without prices or counts. */
double endpoint_cost(const struct endpoint *endpoint, const struct llm_result *result);

#endif

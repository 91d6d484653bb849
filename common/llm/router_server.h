/* router_server.h - the router and the servers as this process knows them. For
 * router*.c.
 */
#ifndef PARLEY_LLM_ROUTER_SERVER_H
#define PARLEY_LLM_ROUTER_SERVER_H

#include <sys/queue.h>

#include "base/rng.h"
#include "llm/hybrid.h"
#include "llm/route_plan.h"
#include "llm/router.h"
#include "net/loop.h"

/* An endpoint as this process knows it; in the order of the list. */
struct router_server {
    const struct endpoint *endpoint; /* borrowed */
    struct router *router;
    char id[ENDPOINT_ID_SIZE]; /* in Redis */
    char *key;                 /* owned; NULL none */
    char *key_trouble;         /* owned; why there is no key, NULL all is well */
    int64_t window;            /* 0: no limit, -1: not known yet */
    int64_t slots_at_ms;       /* when it was asked for its window; 0: never */
    bool slots_untold;         /* it could not be asked then */
    bool asking_slots;
    struct hybrid_record record; /* as read last */
};

TAILQ_HEAD(router_call_list, router_call);
struct router {
    struct router_options to;
    struct rng rng;
    enum route_strategy strategy;
    struct router_server *servers; /* owned; as many as endpoints */
    struct router_call_list calls; /* not told yet */
    struct router_call_list over;  /* told, freed at the end of the turn */
    struct loop_hook hook;
    struct loop_timer lease;      /* runs while a place may be held */
    enum hybrid_mode hybrid_mode; /* as read last */
    int64_t records_at_ms;        /* when they were read; 0: never */
    int records_awaited;          /* answers */
    int64_t down_logged_ms;       /* that no server is up: when last; 0: never */
    bool down_logged;             /* and not yet that one is up again */
};

/* The lease of a place: a turn's, so that with a dead worker's turn its place is free
 * too, but never longer than this. It is renewed three times in ten seconds of it. */
enum { ROUTER_LEASE_MAX_MS = 10000 };
int64_t router_lease_ms(const struct router *router);
int64_t router_renew_ms(const struct router *router);

/* ---- router_record.c ---- */

void router_servers_init(struct router *router);
void router_servers_done(struct router *router);
struct router_server *router_server_of(const struct router *router,
                                       const struct endpoint *endpoint);
/* True when the windows of the plan and, where tiers are chosen, the records are known
 * and fresh; else asks for them: router_planned follows. */
bool router_is_informed(struct router *router, const struct route_plan *plan);
/* Puts the plan's tiers in order; fills call->tier_route. */
void call_choose_tier(struct router_call *call);
/* The day's cost is reached: asks again, without the cloud. */
void call_cost_capped(struct router_call *call);

#endif

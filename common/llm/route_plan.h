/* route_plan.h - where a call may go, those preferred first: an endpoint and the model
 * to ask it for. Pure.
 *
 * First the seat's own endpoint, or its provider's built-in one; where it names
 * neither, all of the config's that serve its model. Behind them the seat's fallback
 * order, each name a group of its own: a group is asked when all before it are down, or
 * failed this turn. docs/routing.md tells it for users.
 */
#ifndef PARLEY_LLM_ROUTE_PLAN_H
#define PARLEY_LLM_ROUTE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "proto/cast.h"
#include "proto/endpoint.h"
#include "proto/keys.h"

struct config;

enum route_strategy {
    ROUTE_FIRST,
    ROUTE_LEAST_BUSY,
    ROUTE_HYBRID,
    ROUTE_STRATEGY_COUNT
};
MUST_USE bool route_strategy_parse(const char *name, enum route_strategy *ret_strategy);

enum { ROUTE_CANDIDATES_MAX = ENDPOINTS_MAX };
struct route_candidate {
    const struct endpoint *endpoint; /* borrowed of the list */
    char *model;                     /* owned */
    int64_t group;                   /* 0: the first choice */
    size_t order;                    /* in the plan as it was made */
    bool by_tier;                    /* of the config, found by ROUTE_HYBRID */
    bool failed;                     /* this turn: all others come before it */
    bool excluded;                   /* it would fail again */
};
/* Sorted: the group, then what the strategy prefers. */
struct route_plan {
    struct route_candidate items[ROUTE_CANDIDATES_MAX];
    size_t count;
};

struct route_wish {
    const struct config *config;
    const struct endpoint_list *endpoints;
    enum route_strategy strategy;
    const struct seat_model *model; /* NULL: the options' */
    const char *conversation;
    int64_t seat;
};
/* The caller frees (route_plan_done). err (ERR_MODEL): no candidate, in a line a user
 * can act on. */
MUST_USE bool route_plan_make(const struct route_wish *wish,
                              struct route_plan *ret_plan, struct err *err);
void route_plan_done(struct route_plan *plan);
/* True when there are endpoints of both tiers to choose from. */
bool route_plan_has_tiers(const struct route_plan *plan);
/* Those of the tier come first. The others stand in while all of it are down, if they
 * may, or where the tier has none. Does nothing to what the seat itself named. */
void route_plan_set_tier(struct route_plan *plan, enum endpoint_tier tier,
                         bool stand_in);
/* True for one that is not asked once the day's cost is reached. */
bool route_is_capped(const struct route_candidate *item);
/* Sorts anew: those that failed this turn behind the others. */
void route_plan_sort(struct route_plan *plan);
/* The call needs no server: the first choice is `echo`. NULL when it is not. */
const struct endpoint *route_echo(const struct route_wish *wish);

/* How an endpoint is called in Redis: its URL without secrets, so that two names for
 * one server share a window; with a mark of its key's source, as limits are a key's.
 * What is long is cut and told apart by a hash. */
void route_endpoint_id(const struct endpoint *endpoint, char ret[ENDPOINT_ID_SIZE]);

#endif

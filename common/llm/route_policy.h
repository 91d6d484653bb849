/* route_policy.h - what a failure means: for its server, and for the turn. Pure.
 *
 * docs/routing.md holds the same table.
 */
#ifndef PARLEY_LLM_ROUTE_POLICY_H
#define PARLEY_LLM_ROUTE_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "llm/llm.h"

struct rng;

/* What a result says of its server, in the words of the script `report`. */
const char *route_verdict(const struct llm_result *result);

enum route_next {
    ROUTE_END,       /* asking again is no use */
    ROUTE_RETRY,     /* the same servers again, others first; from the retry budget */
    ROUTE_AGAIN,     /* as RETRY, but the turn is not charged: its server is down */
    ROUTE_ELSEWHERE, /* not this server with this model */
    ROUTE_REPEAT,    /* the same again: the server is well, its answer was not */
    ROUTE_WITHOUT,   /* the same less a parameter that the model does not take */
    ROUTE_SHORTER,   /* the same with a prompt that fits its window */
    ROUTE_NEXT_COUNT
};
struct route_tries {
    int64_t used;    /* attempts charged, this one not yet */
    int64_t most;    /* config->attempts */
    int64_t repeats; /* so many were made */
    bool down;       /* it was a probe, or the server's breaker is open by now */
    bool others;     /* there is another candidate */
    bool fits;       /* the caller can make a prompt shorter */
};
enum route_next route_next(enum llm_error error, const struct route_tries *tries);

/* Full jitter before the attempt behind `used` ones: evenly in
 * [0, min(8 s, 250 ms * 2^(used-1))]. */
int64_t route_pause_ms(struct rng *rng, int64_t used);

#endif

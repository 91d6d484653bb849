/* route_policy.c - see route_policy.h. */
#include "llm/route_policy.h"

#include "base/rng.h"

enum { PAUSE_MS = 250, PAUSE_MAX_MS = 8000, REPEATS_MAX = 1 };

/* What speaks against a server is what another one might do better with the same
 * request. One that answers 404 or 400 is well, and so is one that says nothing. */
static const struct {
    const char *verdict;
    enum route_next next;
} rules[LLM_ERROR_COUNT] = {
    [LLM_ERROR_NONE] = {"ok", ROUTE_END},
    [LLM_ERROR_REFUSED] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_MODEL_NOT_FOUND] = {"ok", ROUTE_ELSEWHERE},
    [LLM_ERROR_AUTH] = {"auth", ROUTE_ELSEWHERE},
    [LLM_ERROR_BUSY] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_SERVER] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_REQUEST] = {"ok", ROUTE_END},
    [LLM_ERROR_UNSUPPORTED] = {"ok", ROUTE_WITHOUT},
    [LLM_ERROR_CONTEXT] = {"ok", ROUTE_SHORTER},
    [LLM_ERROR_REDIRECT] = {"ok", ROUTE_ELSEWHERE},
    [LLM_ERROR_STREAM] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_TRUNCATED] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_PROTOCOL] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_TIMEOUT] = {"bad", ROUTE_RETRY},
    [LLM_ERROR_EMPTY] = {"ok", ROUTE_REPEAT},
    [LLM_ERROR_TOO_LARGE] = {"ok", ROUTE_ELSEWHERE},
};

const char *route_verdict(const struct llm_result *result)
{
    return result->outcome == LLM_CANCELLED ? "none" : rules[result->error].verdict;
}

enum route_next route_next(enum llm_error error, const struct route_tries *tries)
{
    enum route_next next = rules[error].next;

    if (next == ROUTE_RETRY && tries->down)
        return ROUTE_AGAIN;
    if (tries->used + 1 >= tries->most)
        return ROUTE_END;
    if (next == ROUTE_SHORTER && !tries->fits)
        next = ROUTE_ELSEWHERE;
    if (next == ROUTE_ELSEWHERE && !tries->others)
        return ROUTE_END;
    if (next == ROUTE_REPEAT && tries->repeats >= REPEATS_MAX)
        return ROUTE_END;
    return next;
}

int64_t route_pause_ms(struct rng *rng, int64_t used)
{
    int64_t most = PAUSE_MS;

    for (int64_t i = 1; i < used && most < PAUSE_MAX_MS; i++)
        most *= 2;
    if (most > PAUSE_MAX_MS)
        most = PAUSE_MAX_MS;
    return (int64_t)rng_below(rng, (uint64_t)most + 1);
}

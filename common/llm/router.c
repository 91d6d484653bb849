/* router.c - see router.h: the life of a call.
 *
 * A call of `echo` has no plan and no place: it is started at once and ends through the
 * same functions.
 *
 * Flow: router_start -> call_go_on (PLANNING) -> call_ask -> router_attempt.c
 *       -> call_ask ... -> call_tell_end
 */
#include "llm/router.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "llm/provider.h"
#include "llm/route_copy.h"
#include "llm/router_call.h"
#include "net/redis.h"
#include "proto/config.h"

/* ---- the end ---- */

static void call_stop(struct router_call *call)
{
    loop_timer_stop(&call->timer);
    loop_timer_stop(&call->give_up);
}

static void call_free(struct router_call *call)
{
    free(call->conversation);
    free(call->call_id);
    free(call->request);
    free(call->attempt_id);
    free(call->next_id);
    free(call->end_reason);
    free(call->end_model);
    route_plan_done(&call->plan);
    free(call);
}

void call_tell_attempt(struct router_call *call, const struct llm_result *result,
                       bool again)
{
    if (!call->open)
        return;
    call->open = false;
    if (call->handlers.on_attempt_end != NULL)
        call->handlers.on_attempt_end(call->handlers.owner, &call->attempt, result,
                                      again);
}

void call_tell_end(struct router_call *call, const struct llm_result *result)
{
    assert(call->state != CALL_OVER);
    call_stop(call);
    call->state = CALL_OVER;
    call_tell_attempt(call, result, false);
    TAILQ_REMOVE(&call->router->calls, call, link);
    TAILQ_INSERT_TAIL(&call->router->over, call, link);
    call->handlers.on_result(call->handlers.owner, result,
                             call->attempt.number > 0 ? &call->attempt : NULL);
}

void call_end_later(struct router_call *call)
{
    call->state = CALL_ENDING;
    loop_timer_stop(&call->give_up);
    loop_timer_start(&call->timer, 0);
}

void call_set_end(struct router_call *call, const struct llm_result *result,
                  enum llm_error error, const char *reason)
{
    char *reason_copy = x_strdup(reason); /* both may be the old ones */
    char *model_copy = result == NULL ? NULL : x_strdup(result->model);

    if (result == NULL)
        llm_result_unknown(&call->end);
    else
        call->end = *result;
    free(call->end_reason);
    free(call->end_model);
    call->end_reason = reason_copy;
    call->end_model = model_copy;
    call->end.outcome = error == LLM_ERROR_NONE ? LLM_CANCELLED : LLM_FAILED;
    call->end.error = error;
    call->end.reason = reason_copy;
    call->end.finish_reason = "";
    call->end.text = call->end.thinking = str_of("");
    call->end.provider = call->end.endpoint = "";
    if (call->attempt.number > 0) {
        call->end.provider = call->attempt.endpoint->provider;
        call->end.endpoint = call->attempt.endpoint->name;
    }
    call->end.model = model_copy != NULL         ? model_copy
                      : call->attempt.number > 0 ? call->attempt.model
                                                 : "";
}

/* ---- asking ---- */

void call_ask(struct router_call *call)
{
    call->began_us = clock_mono_us();
    call->state = CALL_ASKING;
    free(call->next_id);
    call->next_id =
        call->attempt.number == 0
            ? x_strdup(call->call_id)
            : x_printf("%s~%lld", call->call_id, (long long)call->attempt.number + 1);
    call_admit(call);
}

/* Where nothing is left for want of keys, that is the end. */
static bool has_candidate(struct router_call *call)
{
    const char *trouble = NULL;

    for (size_t i = 0; i < call->plan.count; i++) {
        const struct route_candidate *item = &call->plan.items[i];

        if (!item->excluded)
            return true;
        if (trouble == NULL)
            trouble = router_server_of(call->router, item->endpoint)->key_trouble;
    }
    assert(trouble != NULL);
    call_refused_key(call, trouble);
    return false;
}

void call_ask_left(struct router_call *call)
{
    bool any = false;

    for (size_t i = 0; i < call->plan.count; i++)
        any = any || !call->plan.items[i].excluded;
    if (any)
        call_admit(call);
    else if (call->end_reason != NULL)
        call_tell_end(call, &call->end); /* as the last attempt went */
    else
        (void)has_candidate(call);
}

/* Goes on when nothing has to be learned first. */
static void call_go_on(struct router_call *call)
{
    if (!router_is_informed(call->router, &call->plan))
        return;
    if (call->router->strategy == ROUTE_HYBRID && route_plan_has_tiers(&call->plan))
        call_choose_tier(call);
    if (has_candidate(call)) /* those left may be of the other tier */
        call_ask(call);
}

void router_planned(struct router *router)
{
    struct router_call *call = NULL;

    TAILQ_FOREACH(call, &router->calls, link)
    {
        if (call->state == CALL_PLANNING)
            call_go_on(call);
    }
}

void call_wait(struct router_call *call, int64_t ms)
{
    call->state = CALL_WAITING;
    loop_timer_start(&call->timer, ms);
}

void call_refused_key(struct router_call *call, const char *reason)
{
    call_set_end(call, NULL, LLM_ERROR_AUTH, reason);
    call_end_later(call);
}

static void on_timer(struct loop_timer *timer, void *owner)
{
    struct router_call *call = owner;

    (void)timer;
    switch (call->state) {
    case CALL_WAITING:
        call->state = CALL_ASKING;
        call_admit(call);
        break;
    case CALL_PAUSING:
        call_ask(call);
        break;
    case CALL_ENDING:
        call_tell_end(call, &call->end);
        break;
    default:
        abort(); /* no timer runs there */
    }
}

/* ---- the end from outside ---- */

/* Whatever it is doing but a call of its own: stops. */
static void call_abandon(struct router_call *call)
{
    redis_forget(call->router->to.redis, call);
    loop_timer_stop(&call->timer);
    if (call->state == CALL_ASKING || call->state == CALL_WAITING)
        call_leave(call);
}

void router_cancel(struct router_call *call)
{
    if (call->cancelled || call->state == CALL_OVER)
        return;
    call->cancelled = true;
    if (call->state == CALL_RUNNING) {
        if (call->llm_call != NULL)
            llm_cancel(call->llm_call);
        return;
    }
    call_abandon(call);
    call_set_end(call, NULL, LLM_ERROR_NONE, "");
    call_end_later(call);
}

void router_enough(struct router_call *call)
{
    if (call->state == CALL_RUNNING && call->llm_call != NULL)
        llm_enough(call->llm_call);
}

static void call_drop(struct router_call *call)
{
    struct llm_result nothing;

    llm_result_unknown(&nothing);
    nothing.outcome = LLM_CANCELLED;
    if (call->llm_call != NULL)
        llm_drop(call->llm_call);
    if (call->state == CALL_RUNNING)
        call_report(call, &nothing, false);
    else if (call->request != NULL)
        call_abandon(call);
    call_stop(call);
    TAILQ_REMOVE(&call->router->calls, call, link);
    call_free(call);
}

void router_drop(struct router_call *call)
{
    assert(call->state != CALL_OVER);
    call_drop(call);
}

/* The attempt that runs is over: a server that has said nothing for most of the time
 * there was is one that timed out; else nothing speaks against it. */
static void attempt_give_up(struct router_call *call)
{
    struct llm_result result;
    int64_t ran_us = clock_mono_us() - call->sent_us;
    bool silent = !call->heard && ran_us / 1000 > call->give_up_ms / 2;

    llm_result_unknown(&result);
    result.outcome = silent ? LLM_FAILED : LLM_CANCELLED;
    result.error = silent ? LLM_ERROR_TIMEOUT : LLM_ERROR_NONE;
    result.reason = "no word until the call was given up";
    result.duration_us = ran_us;
    llm_drop(call->llm_call);
    call->llm_call = NULL;
    call_report(call, &result, false);
}

static void on_give_up(struct loop_timer *timer, void *owner)
{
    struct router_call *call = owner;
    int64_t ran_us = call->state == CALL_RUNNING ? clock_mono_us() - call->sent_us : 0;
    char span[32];
    char *reason;

    (void)timer;
    if (call->cancelled)
        return; /* its end is on its way */
    duration_format(call->give_up_ms, span, sizeof span);
    reason = call->end_reason == NULL
                 ? x_printf("no server answered within %s", span)
                 : x_printf("no server answered within %s; last: %s", span,
                            call->end_reason);
    if (call->state == CALL_RUNNING)
        attempt_give_up(call);
    else
        call_abandon(call);
    call_set_end(call, NULL, LLM_ERROR_TIMEOUT, reason);
    call->end.duration_us = ran_us;
    free(reason);
    call_tell_end(call, &call->end);
}

/* ---- the start ---- */

static struct router_call *call_new(struct router *router, const struct router_ask *ask,
                                    const struct router_handlers *handlers)
{
    struct router_call *call = x_calloc(1, sizeof *call);

    call->router = router;
    call->handlers = *handlers;
    call->call_id = x_strdup(ask->call_id);
    call->give_up_ms = ask->give_up_ms;
    loop_timer_init(&call->timer, router->to.loop, on_timer, call);
    loop_timer_init(&call->give_up, router->to.loop, on_give_up, call);
    if (ask->give_up_ms > 0)
        loop_timer_start(&call->give_up, ask->give_up_ms);
    TAILQ_INSERT_TAIL(&router->calls, call, link);
    return call;
}

static void call_direct(struct router_call *call, const struct endpoint *endpoint,
                        const struct router_ask *ask)
{
    call->attempt.call_id = call->call_id;
    call->attempt.number = 1;
    call->attempt.endpoint = endpoint;
    call->attempt.model = "echo"; /* whatever model one would ask for */
    call->attempt.route = "only";
    call_send(call, &ask->request);
    if (call->cancelled) {
        call_set_end(call, NULL, LLM_ERROR_NONE, "");
        call_end_later(call);
    }
}

/* Takes out what cannot be asked for want of a key. */
static void leave_keyless(struct router_call *call)
{
    struct route_plan *plan = &call->plan;

    for (size_t i = 0; i < plan->count; i++)
        plan->items[i].excluded =
            router_server_of(call->router, plan->items[i].endpoint)->key_trouble
            != NULL;
}

static void call_plan(struct router_call *call, const struct router_ask *ask,
                      const struct route_wish *wish)
{
    struct err err = {0};

    call->conversation = x_strdup(ask->conversation);
    call->asked_at_us = ask->asked_at_us;
    call->request = route_copy(&ask->request);
    call->load = ask->load;
    call->charge = ask->load ? 0 : 1;
    call->question =
        (struct hybrid_question){.seat = ask->seat,
                                 .turn = ask->turn,
                                 .spotlight = ask->spotlight,
                                 .closing = ask->closing,
                                 .messages = call->request->messages,
                                 .message_count = call->request->message_count};
    if (!route_plan_make(wish, &call->plan, &err)) {
        call_set_end(call, NULL, LLM_ERROR_REQUEST, err.msg);
        call_end_later(call);
    } else {
        leave_keyless(call);
        if (has_candidate(call)) /* else there is nothing to learn */
            call_go_on(call);
    }
}

struct router_call *router_start(struct router *router, const struct router_ask *ask,
                                 const struct router_handlers *handlers)
{
    const struct route_wish wish = {.config = router->to.config,
                                    .endpoints = router->to.endpoints,
                                    .strategy = router->strategy,
                                    .model = ask->model,
                                    .conversation = ask->conversation,
                                    .seat = ask->seat};
    struct router_call *call = call_new(router, ask, handlers);
    const struct endpoint *echo = route_echo(&wish);

    assert(handlers->on_result != NULL);
    if (echo != NULL)
        call_direct(call, echo, ask);
    else
        call_plan(call, ask, &wish);
    return call;
}

/* ---- the router ---- */

int64_t router_lease_ms(const struct router *router)
{
    int64_t ms = router->to.config->lease_ms;

    return ms > 0 && ms < ROUTER_LEASE_MAX_MS ? ms : ROUTER_LEASE_MAX_MS;
}

int64_t router_renew_ms(const struct router *router)
{
    return router_lease_ms(router) * 3 / 10;
}

static void on_lease(struct loop_timer *timer, void *owner)
{
    struct router *router = owner;
    struct router_call *call = NULL;
    bool any = false;

    TAILQ_FOREACH(call, &router->calls, link)
    {
        if (call->held != NULL) {
            call_renew(call);
            any = true;
        }
    }
    if (any)
        loop_timer_start(timer, router_renew_ms(router));
}

static void on_turn(struct loop_hook *hook, void *owner)
{
    struct router *router = owner;
    struct router_call *call;

    (void)hook;
    while ((call = TAILQ_FIRST(&router->over)) != NULL) {
        TAILQ_REMOVE(&router->over, call, link);
        call_free(call);
    }
}

struct router *router_new(const struct router_options *options)
{
    struct router *router = x_calloc(1, sizeof *router);

    router->to = *options;
    rng_init(&router->rng, rng_from_system());
    if (!route_strategy_parse(options->config->strategy, &router->strategy))
        assert(!"the config lets no other strategy in");
    TAILQ_INIT(&router->calls);
    TAILQ_INIT(&router->over);
    router_servers_init(router);
    loop_timer_init(&router->lease, options->loop, on_lease, router);
    loop_hook_start(&router->hook, options->loop, on_turn, router);
    return router;
}

void router_free(struct router *router)
{
    struct router_call *call;

    if (router == NULL)
        return;
    while ((call = TAILQ_FIRST(&router->calls)) != NULL)
        call_drop(call);
    on_turn(&router->hook, router);
    redis_forget(router->to.redis, router);
    loop_timer_stop(&router->lease);
    loop_hook_stop(&router->hook);
    router_servers_done(router);
    free(router);
}

double endpoint_cost(const struct endpoint *endpoint, const struct llm_result *result)
{
    const double per_token = 1e-6; /* prices are per million */
    bool has_prompt = !isnan(endpoint->prompt_price);
    bool has_generated = !isnan(endpoint->generated_price);
    int64_t prompt = result->prompt_tokens;
    int64_t told = result->prompt_cached_tokens;
    int64_t cached = told < 0 ? 0 : told < prompt ? told : prompt;
    double cached_price =
        isnan(endpoint->cached_price) ? endpoint->prompt_price : endpoint->cached_price;
    double cost = 0.0;

    if ((!has_prompt && !has_generated) || (has_prompt && prompt < 0)
        || (has_generated && result->tokens_generated < 0))
        return -1.0;
    if (has_prompt)
        cost += (double)(prompt - cached) * endpoint->prompt_price
                + (double)cached * cached_price;
    if (has_generated)
        cost += (double)result->tokens_generated * endpoint->generated_price;
    return cost * per_token;
}

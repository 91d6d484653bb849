/* router_attempt.c - one attempt: sent, heard, judged; and what its failure leads to.
 *
 * Flow: call_admitted -> call_send -> on_llm_delta* -> on_llm_result -> call_report
 *       -> call_reported -> the end, or a pause and call_ask
 */
#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "llm/models.h"
#include "llm/request.h"
#include "llm/route_copy.h"
#include "llm/route_policy.h"
#include "llm/router_call.h"
#include "proto/config.h"

/* ---- an attempt ---- */

static void on_llm_sent(void *owner, const struct llm_sent *sent)
{
    struct router_call *call = owner;

    if (call->handlers.on_sent != NULL)
        call->handlers.on_sent(call->handlers.owner, &call->attempt, sent);
}

static void on_llm_delta(void *owner, struct str text)
{
    struct router_call *call = owner;

    call->heard = true;
    if (call->handlers.on_delta != NULL)
        call->handlers.on_delta(call->handlers.owner, text);
}

static enum llm_error judge(const struct router_call *call,
                            const struct llm_result *result)
{
    if (result->outcome != LLM_DONE || call->handlers.judge == NULL)
        return result->error;
    return call->handlers.judge(call->handlers.owner, result);
}

static const char *failure_reason(const struct llm_result *result, enum llm_error error)
{
    if (result->outcome == LLM_FAILED)
        return result->reason;
    return error == LLM_ERROR_EMPTY ? "the model said nothing"
                                    : "the model's reply is of no use";
}

static void on_llm_result(void *owner, const struct llm_result *result)
{
    struct router_call *call = owner;
    enum llm_error error;

    call->llm_call = NULL;
    error = judge(call, result);
    if (call->cancelled)
        error = LLM_ERROR_NONE;
    if (error == LLM_ERROR_NONE || call->load) {
        call_report(call, result, false);
        if (result->outcome == LLM_DONE)
            call_up(call);
        if (call->cancelled && result->outcome != LLM_CANCELLED) {
            call_set_end(call, result, LLM_ERROR_NONE, "");
            result = &call->end;
        }
        call_tell_end(call, result);
        return;
    }
    call_set_end(call, result, error, failure_reason(result, error));
    if (call->held == NULL) {
        call_tell_end(call, &call->end);
        return;
    }
    call->state = CALL_REPORTING;
    call_report(call, &call->end, true);
}

void call_send(struct router_call *call, const struct llm_request *what)
{
    const struct llm_handlers handlers = {.on_sent = on_llm_sent,
                                          .on_delta = on_llm_delta,
                                          .on_result = on_llm_result,
                                          .owner = call};
    const struct endpoint *endpoint = call->attempt.endpoint;
    struct llm_request request = *what;

    if (!llm_provider_parse(endpoint->provider, &request.provider))
        assert(!"the config lets no other provider in");
    request.url = endpoint->url;
    request.endpoint = endpoint->name;
    request.key = router_server_of(call->router, endpoint)->key;
    request.model = call->attempt.model;
    request.call_id = call->attempt.call_id;
    request_set_clocks(&request, call->router->to.config, endpoint);
    call->state = CALL_RUNNING;
    call->heard = false;
    call->open = true;
    call->attempt.began_us = clock_wall_us();
    call->sent_us = clock_mono_us();
    if (call->handlers.on_attempt != NULL)
        call->handlers.on_attempt(call->handlers.owner, &call->attempt);
    if (call->cancelled)
        return;
    call->llm_call = call->load
                         ? llm_warm(call->router->to.llm, &request, on_llm_result, call)
                         : llm_start(call->router->to.llm, &request, &handlers);
}

static bool others_failed(const struct route_plan *plan,
                          const struct route_candidate *item)
{
    for (size_t i = 0; i < plan->count; i++)
        if (&plan->items[i] != item && plan->items[i].group <= item->group
            && (plan->items[i].failed || plan->items[i].excluded))
            return true;
    return false;
}

/* Why the call goes there, in one word. */
static const char *route_word(const struct router_call *call, size_t sent, bool probe)
{
    const struct route_plan *plan = &call->plan;
    const struct route_candidate *item = &plan->items[call->sent[sent]];

    if (probe)
        return "probe";
    if (item->group > 0 || (!item->failed && others_failed(plan, item)))
        return "fallback";
    if (item->by_tier && call->tier_route != NULL)
        return call->tier_route;
    if (plan->count == 1)
        return "only";
    if (call->router->strategy == ROUTE_FIRST)
        return "first";
    return sent == 0 ? "sticky" : "least_busy";
}

static void fit(struct router_call *call)
{
    struct llm_request fitted = *call->request;
    struct llm_request *copy;

    if (call->handlers.fit == NULL
        || !call->handlers.fit(call->handlers.owner, &call->attempt, &fitted))
        return;
    copy = route_copy(&fitted);
    free(call->request);
    call->request = copy;
    call->question.messages = copy->messages;
    call->question.message_count = copy->message_count;
}

void call_admitted(struct router_call *call, size_t sent, bool probe)
{
    struct router *router = call->router;
    const struct route_candidate *item = &call->plan.items[call->sent[sent]];

    call->held = router_server_of(router, item->endpoint);
    free(call->attempt_id);
    call->attempt_id = call->next_id;
    call->next_id = NULL;
    call->attempt.call_id = call->attempt_id;
    call->attempt.number++;
    call->attempt.endpoint = item->endpoint;
    call->attempt.model = item->model;
    call->attempt.route = route_word(call, sent, probe);
    call->attempt.wait_us = clock_mono_us() - call->began_us;
    call->attempt.probe = probe;
    if (call->used == 0)
        call->first_ms = call->admitted_ms;
    if (!probe)
        call_up(call);
    if (!loop_timer_running(&router->lease))
        loop_timer_start(&router->lease, router_renew_ms(router));
    fit(call);
    call_send(call, call->request);
    if (call->cancelled) { /* inside on_attempt */
        call_set_end(call, NULL, LLM_ERROR_NONE, "");
        call_report(call, &call->end, false);
        call_end_later(call);
    }
}

/* ---- after a failure ---- */

static struct route_candidate *candidate_of_attempt(struct router_call *call)
{
    struct route_candidate *item = call->plan.items;

    while (item->model != call->attempt.model)
        item++;
    return item;
}

static bool has_other(const struct router_call *call, bool fresh)
{
    for (size_t i = 0; i < call->plan.count; i++) {
        const struct route_candidate *item = &call->plan.items[i];

        if (!item->excluded && item->model != call->attempt.model
            && !(fresh && item->failed))
            return true;
    }
    return false;
}

/* Marks what was learned; the pause before the next attempt. */
static int64_t note_failure(struct router_call *call, enum route_next next)
{
    struct route_candidate *item = candidate_of_attempt(call);

    call->charge = next == ROUTE_RETRY ? -1 : 0;
    if (next != ROUTE_AGAIN)
        call->used++;
    if (next == ROUTE_REPEAT)
        call->repeats++;
    if (next == ROUTE_ELSEWHERE)
        item->excluded = true;
    if (next == ROUTE_RETRY || next == ROUTE_AGAIN)
        item->failed = true;
    /* What Retry-After asks is kept by the server's breaker, for the whole fleet. */
    if (next != ROUTE_RETRY || has_other(call, true))
        return 0;
    return route_pause_ms(&call->router->rng, call->used);
}

/* A server that is down is no fault of the turn's; one that gave others good answers
 * while it failed at this turn's probe is not down. */
void call_reported(struct router_call *call, const struct call_report *report)
{
    const struct route_tries tries = {.used = call->used,
                                      .most = call->router->to.config->attempts,
                                      .repeats = call->repeats,
                                      .down = call->attempt.probe ? !report->others_well
                                                                  : report->down,
                                      .others = has_other(call, false),
                                      .fits = call->handlers.fit != NULL};
    enum route_next next = route_next(call->end.error, &tries);
    int64_t pause_ms;

    if (next == ROUTE_END) {
        call_tell_end(call, &call->end);
        return;
    }
    pause_ms = note_failure(call, next);
    /* Were it this turn that the server cannot bear, the next probe is another's. */
    if (call->attempt.probe && report->now_us > 0)
        call->asked_at_us = report->now_us;
    call->state = CALL_PAUSING;
    call_tell_attempt(call, &call->end, true);
    if (call->state == CALL_PAUSING) /* not cancelled in between */
        loop_timer_start(&call->timer, pause_ms);
}

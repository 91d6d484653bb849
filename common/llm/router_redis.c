/* router_redis.c - what the calls of a fleet must agree on: who has a place, script
 * `admit`.
 *
 * A call's admit, leave and report go over one connection in the order they are sent,
 * so what is left or reported afterwards undoes a place whose grant was never heard.
 *
 * Flow: call_admit -> on_admitted -> call_admitted | call_wait | call_refused_key |
 *       call_cost_capped
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/router_call.h"
#include "net/redis.h"
#include "proto/config.h"
#include "scripts/scripts.h"

enum {
    RETRY_MS = 1000,    /* after an answer nobody can make sense of, or a full queue */
    POLL_MAX_MS = 5000, /* whatever the script says */
    FAILED_GROUP = 1000,
    NUMBER_SIZE = 32,
    KEYS_EACH = 4, /* of a candidate in `admit` */
    ARGS_EACH = 5,
    ADMIT_ARGS = 7
};

static struct str number(char text[NUMBER_SIZE], int64_t value)
{
    fmt_into(text, NUMBER_SIZE, "%lld", (long long)value);
    return str_of(text);
}

/* ---- admit ---- */

/* The words of one `admit`. */
struct admit_words {
    char keys[ROUTE_CANDIDATES_MAX * KEYS_EACH][KEY_SIZE];
    char groups[ROUTE_CANDIDATES_MAX][NUMBER_SIZE];
    char windows[ROUTE_CANDIDATES_MAX][NUMBER_SIZE];
    char asked_at[NUMBER_SIZE];
    char lease[NUMBER_SIZE];
    char budget[NUMBER_SIZE];
    char cap[64];
    int64_t asked_at_us;
    double charge;
    struct str argv[ROUTE_CANDIDATES_MAX * (KEYS_EACH + ARGS_EACH) + ADMIT_ARGS];
    size_t keys_count;
    size_t argc;
};

static void add_keys(struct admit_words *words, const struct router *router,
                     const char *id)
{
    static const char *const whats[KEYS_EACH] = {NULL, "held", "waiting", "alive"};

    for (size_t i = 0; i < KEYS_EACH; i++, words->keys_count++)
        words->argv[words->argc++] =
            key_endpoint(router->to.keys, id, whats[i], words->keys[words->keys_count]);
}

/* What `ask` alone makes use of is 0 in the others. */
static void add_mode(struct admit_words *words, const struct router *router,
                     const char *id, const char *mode)
{
    fmt_into(words->budget, NUMBER_SIZE, "%.3f", words->charge);
    words->argv[words->argc++] = str_of(id);
    words->argv[words->argc++] = str_of(mode);
    words->argv[words->argc++] = number(words->asked_at, words->asked_at_us);
    words->argv[words->argc++] = number(words->lease, router_lease_ms(router));
    words->argv[words->argc++] = str_of(router->strategy == ROUTE_FIRST ? "0" : "1");
    words->argv[words->argc++] = str_of(words->budget);
    fmt_into(words->cap, sizeof words->cap, "%.9g", router->to.config->hybrid_cost_cap);
    words->argv[words->argc++] = str_of(words->cap);
}

static void add_candidate(struct admit_words *words, size_t i, int64_t group,
                          const struct router_server *server, bool capped)
{
    words->argv[words->argc++] = number(words->groups[i], group);
    words->argv[words->argc++] =
        number(words->windows[i], server->window > 0 ? server->window : 0);
    words->argv[words->argc++] = str_of(server->endpoint->name);
    words->argv[words->argc++] = str_of(endpoint_tier_name(server->endpoint->tier));
    words->argv[words->argc++] = str_of(capped ? "1" : "0");
}

static bool admit_send(struct router *router, const struct admit_words *words,
                       redis_on_answer *on_answer, void *owner)
{
    const struct redis_eval eval = {.script = script_get(SCRIPT_ADMIT),
                                    .keys = words->keys_count,
                                    .argc = words->argc,
                                    .argv = words->argv,
                                    .on_answer = on_answer,
                                    .owner = owner};

    return redis_eval(router->to.redis, &eval);
}

/* About the next attempt, at all candidates of call->sent. */
static bool admit_next(struct router_call *call, const char *mode,
                       redis_on_answer *on_answer)
{
    struct admit_words words = {
        .asked_at_us = call->asked_at_us > 0 ? call->asked_at_us : 0,
        .charge = call->charge > 0 ? call->router->to.config->retry_budget
                                   : (double)call->charge};

    for (size_t i = 0; i < call->sent_count; i++)
        add_keys(
            &words, call->router,
            router_server_of(call->router, call->plan.items[call->sent[i]].endpoint)
                ->id);
    add_mode(&words, call->router, call->next_id, mode);
    for (size_t i = 0; i < call->sent_count; i++) {
        const struct route_candidate *item = &call->plan.items[call->sent[i]];

        add_candidate(&words, i, item->group + (item->failed ? FAILED_GROUP : 0),
                      router_server_of(call->router, item->endpoint),
                      call->tier_route != NULL && route_is_capped(item));
    }
    return admit_send(call->router, &words, on_answer, call);
}

/* A server stands in `admit` once, with the model preferred. */
static bool is_sent(const struct router_call *call, const struct endpoint *endpoint)
{
    const char *id = router_server_of(call->router, endpoint)->id;

    for (size_t i = 0; i < call->sent_count; i++) {
        const struct endpoint *other = call->plan.items[call->sent[i]].endpoint;

        if (strcmp(router_server_of(call->router, other)->id, id) == 0)
            return true;
    }
    return false;
}

static void choose_sent(struct router_call *call)
{
    route_plan_sort(&call->plan);
    call->sent_count = 0;
    for (size_t i = 0; i < call->plan.count; i++) {
        const struct route_candidate *item = &call->plan.items[i];

        if (!item->excluded && !is_sent(call, item->endpoint))
            call->sent[call->sent_count++] = i;
    }
    assert(call->sent_count > 0);
}

static void admitted_down(struct router_call *call, const struct redis_value *value)
{
    struct str reason = redis_item_text(value, 3);
    char *text;

    if (call->load) {
        call_leave(call);
        text = x_printf("the server is down: %s", log_safe(reason));
        call_set_end(call, NULL, LLM_ERROR_REFUSED, text);
        call_end_later(call);
        free(text);
        return;
    }
    if (!str_is(redis_item_text(value, 2), "auth")) {
        call_wait(call, redis_item_i64(value, 1, RETRY_MS));
        text = x_memdup(reason.at, reason.len);
        call_down(call, text);
        free(text);
        return;
    }
    text = x_printf("the server refused the key before: %s", log_safe(reason));
    call_refused_key(call, text);
    free(text);
}

static int64_t poll_ms(const struct redis_value *value, size_t item)
{
    int64_t ms = redis_item_i64(value, item, RETRY_MS);

    return ms < 1 ? 1 : ms > POLL_MAX_MS ? POLL_MAX_MS : ms;
}

static void on_admitted(void *owner, const struct redis_answer *answer)
{
    struct router_call *call = owner;
    const struct redis_value *value = answer->value;
    struct str word =
        answer->outcome == REDIS_OK ? redis_item_text(value, 0) : str_of("");
    int64_t sent = str_is(word, "OK") ? redis_item_i64(value, 1, 0) : 0;

    if (answer->outcome == REDIS_CANCELLED)
        return;
    call->wakes = str_is(word, "WAIT");
    if (sent >= 1 && (size_t)sent <= call->sent_count) {
        call->admitted_ms = redis_item_i64(value, 3, 0) / 1000;
        call_admitted(call, (size_t)sent - 1, redis_item_i64(value, 2, 0) == 1);
    } else if (str_is(word, "CAP")) {
        call_cost_capped(call);
    } else if (str_is(word, "WAIT")) {
        call->down_since_ms = 0; /* one of them is up */
        call_wait(call, poll_ms(value, 2));
    } else if (str_is(word, "BUDGET")) {
        call_wait(call, poll_ms(value, 1));
    } else if (str_is(word, "DOWN")) {
        admitted_down(call, value);
    } else {
        log_warn("router", "no place could be asked for, again in %d ms reason=%s",
                 RETRY_MS, value == NULL ? "lost" : log_safe(value->text));
        call_wait(call, RETRY_MS);
    }
}

void call_admit(struct router_call *call)
{
    choose_sent(call);
    if (!admit_next(call, "ask", on_admitted))
        call_wait(call, RETRY_MS);
}

void call_leave(struct router_call *call)
{
    /* Where it cannot be sent, the lease runs out. */
    (void)admit_next(call, "leave", NULL);
}

void call_renew(const struct router_call *call)
{
    struct admit_words words = {.argc = 0};

    add_keys(&words, call->router, call->held->id);
    add_mode(&words, call->router, call->attempt.call_id, "renew");
    add_candidate(&words, 0, 0, call->held, false);
    (void)admit_send(call->router, &words, NULL, NULL); /* the next one may pass */
}

/* ---- a place is free ---- */

static bool waits_for(const struct router_call *call,
                      const struct router_server *server)
{
    return call->state == CALL_WAITING && call->wakes
           && is_sent(call, server->endpoint);
}

/* A place is free: the oldest call of this process that waits for one there need not
 * wait for its timer. */
void router_wake_oldest(struct router *router, const struct router_server *server)
{
    struct router_call *call = NULL;
    struct router_call *oldest = NULL;

    TAILQ_FOREACH(call, &router->calls, link)
    {
        if (waits_for(call, server)
            && (oldest == NULL || call->asked_at_us < oldest->asked_at_us))
            oldest = call;
    }
    if (oldest != NULL)
        loop_timer_start(&oldest->timer, 0);
}

void router_free_place(struct router *router, const char *call_id)
{
    const size_t count = router->to.endpoints->count;
    struct admit_words words = {.argc = 0};

    assert(count <= ROUTE_CANDIDATES_MAX);
    if (count == 0)
        return;
    for (size_t i = 0; i < count; i++)
        add_keys(&words, router, router->servers[i].id);
    add_mode(&words, router, call_id, "leave");
    for (size_t i = 0; i < count; i++)
        add_candidate(&words, i, 0, &router->servers[i], false);
    (void)admit_send(router, &words, NULL, NULL);
    for (size_t i = 0; i < count; i++)
        router_wake_oldest(router, &router->servers[i]);
}

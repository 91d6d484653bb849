/* router_report.c - the end of an attempt is booked: script `report`.
 *
 * A call's admit, leave and report go over one connection in the order they are sent.
 *
 * Flow: call_report -> on_reported -> call_reported
 */
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "llm/route_policy.h"
#include "llm/router_call.h"
#include "net/redis.h"
#include "proto/config.h"
#include "scripts/scripts.h"

enum { NUMBER_SIZE = 32, COST_SIZE = 64, REPORT_KEYS = 3, REPORT_ARGS = 9 };

static void on_reported(void *owner, const struct redis_answer *answer)
{
    struct router_call *call = owner;
    struct call_report report = {.down = false};

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome == REDIS_OK) {
        report.down = !str_is(redis_item_text(answer->value, 1), "closed");
        report.now_us = redis_item_i64(answer->value, 3, 0);
        report.others_well = redis_item_i64(answer->value, 4, 0) == 1;
    } else {
        log_warn("router", "a call's end could not be booked reason=%s",
                 answer->value == NULL ? "lost" : log_safe(answer->value->text));
    }
    call_reported(call, &report);
}

/* Latency is learned from what a server was given the time to finish. */
static bool is_telling(const struct llm_result *result)
{
    return result->duration_us >= 0
           && (result->outcome == LLM_DONE || result->error == LLM_ERROR_EMPTY
               || result->error == LLM_ERROR_TIMEOUT);
}

/* Whose fault a failure was is asked of a turn's last attempt and of a probe: since
 * when a good answer to anybody speaks for the server. 0: not asked. */
static int64_t blame_since_ms(const struct router_call *call,
                              const struct llm_result *result)
{
    if (strcmp(route_verdict(result), "bad") != 0)
        return 0;
    if (call->attempt.probe)
        return call->admitted_ms;
    return call->used + 1 >= call->router->to.config->attempts ? call->first_ms : 0;
}

/* The words of one `report`. */
struct report_words {
    char keys[REPORT_KEYS + ROUTE_CANDIDATES_MAX][KEY_SIZE];
    char duration[NUMBER_SIZE];
    char retry_after[NUMBER_SIZE];
    char cost[COST_SIZE];
    char jitter[NUMBER_SIZE];
    char since[NUMBER_SIZE];
    struct str argv[REPORT_KEYS + ROUTE_CANDIDATES_MAX + REPORT_ARGS];
    size_t keys_count;
    size_t argc;
};

static void report_add_key(struct report_words *words, const struct router *router,
                           const char *id, const char *what)
{
    words->argv[words->argc++] =
        key_endpoint(router->to.keys, id, what, words->keys[words->keys_count]);
    words->keys_count++;
}

/* others: also those the call could have gone to. */
static void report_add_keys(struct report_words *words, const struct router_call *call,
                            bool others)
{
    const char *held = call->held->id;

    report_add_key(words, call->router, held, NULL);
    report_add_key(words, call->router, held, "held");
    report_add_key(words, call->router, held, "alive");
    for (size_t i = 0; others && i < call->sent_count; i++) {
        const struct endpoint *one = call->plan.items[call->sent[i]].endpoint;
        const char *id = router_server_of(call->router, one)->id;

        if (strcmp(id, held) != 0)
            report_add_key(words, call->router, id, NULL);
    }
}

/* That a model could be loaded says nothing of its answers. */
static const char *verdict(const struct router_call *call,
                           const struct llm_result *result)
{
    return call->load && result->outcome == LLM_DONE ? "none" : route_verdict(result);
}

static void report_add_args(struct report_words *words, struct router_call *call,
                            const struct llm_result *result)
{
    double cost = endpoint_cost(call->held->endpoint, result);

    if (!call->load && is_telling(result))
        fmt_into(words->duration, NUMBER_SIZE, "%lld",
                 (long long)(result->duration_us / 1000));
    if (result->retry_after_ms >= 0)
        fmt_into(words->retry_after, NUMBER_SIZE, "%lld",
                 (long long)result->retry_after_ms);
    if (cost >= 0)
        fmt_into(words->cost, sizeof words->cost, "%.6f", cost);
    fmt_into(words->jitter, NUMBER_SIZE, "%.6f", rng_unit(&call->router->rng));
    words->argv[words->argc++] = str_of(call->attempt.call_id);
    words->argv[words->argc++] = str_of(verdict(call, result));
    words->argv[words->argc++] =
        str_of(result->error == LLM_ERROR_NONE ? "" : llm_error_name(result->error));
    words->argv[words->argc++] = str_of(words->duration);
    words->argv[words->argc++] = str_of(words->retry_after);
    words->argv[words->argc++] = str_of(words->cost);
    words->argv[words->argc++] = str_of(words->jitter);
    words->argv[words->argc++] =
        str_of(result->outcome == LLM_FAILED ? result->reason : "");
    words->argv[words->argc++] = str_of(words->since);
}

void call_report(struct router_call *call, const struct llm_result *result,
                 bool awaited)
{
    struct router *router = call->router;
    const struct router_server *server = call->held;
    int64_t since_ms = awaited ? blame_since_ms(call, result) : 0;
    struct report_words words = {.argc = 0};
    struct redis_eval eval = {.script = script_get(SCRIPT_REPORT),
                              .argv = words.argv,
                              .on_answer = awaited ? on_reported : NULL,
                              .owner = call};

    if (server == NULL)
        return;
    if (since_ms > 0)
        fmt_into(words.since, NUMBER_SIZE, "%lld", (long long)since_ms);
    report_add_keys(&words, call, since_ms > 0);
    report_add_args(&words, call, result);
    call->held = NULL;
    eval.keys = words.keys_count;
    eval.argc = words.argc;
    if (!redis_eval(router->to.redis, &eval) && awaited) {
        const struct call_report nothing = {.down = false};

        call_reported(call, &nothing); /* the queue is full: the lease runs out */
    }
    router_wake_oldest(router, server);
}

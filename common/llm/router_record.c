/* router_record.c - what the router knows of its servers: their keys, their windows,
 * and, where tiers are chosen, their record and the mode of the fleet.
 *
 * Windows that are not known are asked of the server when it is first a candidate, and
 * again by later calls, which do not wait for that, while it cannot be reached. Records
 * are read at most once a second, and only while calls come.
 *
 * Flow: router_is_informed -> llm_ask_slots, HMGET, GET -> on_... -> router_planned
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/models.h"
#include "llm/router_call.h"
#include "net/redis.h"
#include "proto/config.h"

enum {
    SLOTS_WAIT_MS = 2000,
    SLOTS_AGAIN_MS = 1000,
    OLLAMA_WINDOW = 1, /* its OLLAMA_NUM_PARALLEL, unless told */
    FRESH_MS = 1000,
    RECENT_MIN = 5, /* fewer calls are no record */
    DAY_S = 86400
};

/* ---- servers ---- */

static bool is_asked_for_slots(const struct endpoint *endpoint)
{
    return strcmp(endpoint->provider, "ollama") != 0
           && strcmp(endpoint->provider, "echo") != 0;
}

static int64_t window_at_first(const struct endpoint *endpoint)
{
    if (endpoint->window >= 0)
        return endpoint->window;
    if (strcmp(endpoint->provider, "ollama") == 0)
        return OLLAMA_WINDOW;
    return is_asked_for_slots(endpoint) ? -1 : 0;
}

static void server_init(struct router_server *server, struct router *router,
                        const struct endpoint *endpoint)
{
    struct err err = {0};

    server->router = router;
    server->endpoint = endpoint;
    server->window = window_at_first(endpoint);
    route_endpoint_id(endpoint, server->id);
    if (!endpoint_key(endpoint, &server->key, &err))
        server->key_trouble = x_strdup(err.msg);
}

void router_servers_init(struct router *router)
{
    const struct endpoint_list *list = router->to.endpoints;

    router->servers = x_calloc(list->count + 1, sizeof *router->servers);
    for (size_t i = 0; i < list->count; i++)
        server_init(&router->servers[i], router, &list->items[i]);
    if (!hybrid_mode_parse(str_of(router->to.config->hybrid), &router->hybrid_mode))
        router->hybrid_mode = HYBRID_OFF;
}

void router_servers_done(struct router *router)
{
    for (size_t i = 0; i < router->to.endpoints->count; i++) {
        redis_forget(router->to.redis, &router->servers[i]);
        free(router->servers[i].key);
        free(router->servers[i].key_trouble);
    }
    free(router->servers);
}

struct router_server *router_server_of(const struct router *router,
                                       const struct endpoint *endpoint)
{
    size_t at = (size_t)(endpoint - router->to.endpoints->items);

    assert(at < router->to.endpoints->count);
    return &router->servers[at];
}

/* ---- windows ---- */

static void on_slots(void *owner, int64_t slots)
{
    struct router_server *server = owner;

    bool news = server->window != (slots > 0 ? slots : 0);

    server->asking_slots = false;
    server->slots_untold = slots < 0;
    server->window = slots > 0 ? slots : 0;
    if (news)
        log_info("router", "window endpoint=%s calls=%lld", server->endpoint->name,
                 (long long)server->window);
    router_planned(server->router);
}

static void ask_slots(struct router_server *server)
{
    const struct endpoint *endpoint = server->endpoint;
    struct llm_server where = {.url = endpoint->url, .key = server->key};

    if (server->asking_slots)
        return;
    if (!llm_provider_parse(endpoint->provider, &where.provider))
        assert(!"the config lets no other provider in");
    server->asking_slots = true;
    server->slots_at_ms = clock_mono_ms();
    llm_ask_slots(server->router->to.llm, &where, SLOTS_WAIT_MS, on_slots, server);
}

/* A server that is still loading its model, or down, may tell later. */
static bool is_asked_again(const struct router_server *server)
{
    return server->slots_untold
           && clock_mono_ms() - server->slots_at_ms >= SLOTS_AGAIN_MS;
}

static bool has_windows(struct router *router, const struct route_plan *plan)
{
    bool known = true;

    for (size_t i = 0; i < plan->count; i++) {
        struct router_server *server =
            router_server_of(router, plan->items[i].endpoint);

        if (server->window < 0 || is_asked_again(server))
            ask_slots(server);
        known = known && server->window >= 0;
    }
    return known;
}

/* ---- records ---- */

static void record_came(struct router *router)
{
    if (--router->records_awaited > 0)
        return;
    router->records_at_ms = clock_mono_ms();
    router_planned(router);
}

static double error_rate(struct str recent)
{
    size_t bad = 0;

    for (size_t i = 0; i < recent.len; i++)
        bad += recent.at[i] == '0';
    return recent.len < RECENT_MIN ? 0.0 : (double)bad / (double)recent.len;
}

static double number_of(struct str text)
{
    double value = 0;

    return str_to_double(text, 0, 1e15, &value) ? value : 0;
}

static void on_record(void *owner, const struct redis_answer *answer)
{
    struct router_server *server = owner;
    int64_t today = clock_wall_us() / 1000000 / DAY_S;
    const struct redis_value *value = answer->value;

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome == REDIS_OK) {
        struct str state = redis_item_text(value, 0);

        server->record = (struct hybrid_record){
            .down = str_is(state, "open") || str_is(state, "half"),
            .error_rate = error_rate(redis_item_text(value, 1)),
            .latency_ms = number_of(redis_item_text(value, 2)),
        };
        if (redis_item_i64(value, 4, 0) == today)
            server->record.spent_today = number_of(redis_item_text(value, 3));
    }
    record_came(server->router);
}

static void on_mode(void *owner, const struct redis_answer *answer)
{
    struct router *router = owner;
    struct str name = str_of(router->to.config->hybrid);

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome == REDIS_OK && answer->value->kind == REDIS_TEXT)
        name = answer->value->text;
    if (answer->outcome == REDIS_OK && !hybrid_mode_parse(name, &router->hybrid_mode))
        log_warn("router", "no mode of hybrid, the last one stays value=%s",
                 log_safe(name));
    record_came(router);
}

static bool ask_mode(struct router *router)
{
    char key[KEY_SIZE];
    const struct str argv[] = {str_of("GET"),
                               key_endpoint(router->to.keys, "hybrid", NULL, key)};
    const struct redis_call call = {
        .argc = 2, .argv = argv, .on_answer = on_mode, .owner = router, .again = true};

    return redis_send(router->to.redis, &call);
}

static bool ask_record(struct router_server *server)
{
    char key[KEY_SIZE];
    const struct str argv[] = {
        str_of("HMGET"),
        key_endpoint(server->router->to.keys, server->id, NULL, key),
        str_of("state"),
        str_of("recent"),
        str_of("latency_ms"),
        str_of("spent"),
        str_of("day"),
    };
    const struct redis_call call = {.argc = sizeof argv / sizeof *argv,
                                    .argv = argv,
                                    .on_answer = on_record,
                                    .owner = server,
                                    .again = true};

    return redis_send(server->router->to.redis, &call);
}

/* True when nothing is awaited: all is fresh, or could not be asked for. */
static bool has_records(struct router *router)
{
    int64_t now_ms = clock_mono_ms();

    if (router->records_awaited > 0)
        return false;
    if (router->records_at_ms > 0 && now_ms - router->records_at_ms < FRESH_MS)
        return true;
    router->records_awaited += ask_mode(router);
    for (size_t i = 0; i < router->to.endpoints->own; i++)
        router->records_awaited += ask_record(&router->servers[i]);
    return router->records_awaited == 0;
}

bool router_is_informed(struct router *router, const struct route_plan *plan)
{
    bool has_all = has_windows(router, plan);

    if (router->strategy == ROUTE_HYBRID && route_plan_has_tiers(plan))
        has_all = has_records(router) && has_all;
    return has_all;
}

/* ---- the tier ---- */

static bool is_better(const struct hybrid_record *a, const struct hybrid_record *b)
{
    if (a->down != b->down)
        return b->down;
    if (a->error_rate < b->error_rate || a->error_rate > b->error_rate)
        return a->error_rate < b->error_rate;
    return a->latency_ms < b->latency_ms;
}

/* Two names of one server have one account. */
static bool is_counted(const struct router *router, size_t at)
{
    for (size_t i = 0; i < at; i++)
        if (strcmp(router->servers[i].id, router->servers[at].id) == 0)
            return true;
    return false;
}

static void best_records(const struct router_call *call,
                         struct hybrid_record ret[TIER_COUNT])
{
    const struct router *router = call->router;
    bool has[TIER_COUNT] = {false};

    memset(ret, 0, TIER_COUNT * sizeof *ret);
    for (size_t i = 0; i < call->plan.count; i++) {
        const struct route_candidate *item = &call->plan.items[i];
        enum endpoint_tier tier = item->endpoint->tier;
        const struct hybrid_record *one =
            &router_server_of(router, item->endpoint)->record;

        if (!item->by_tier || item->excluded
            || (has[tier] && !is_better(one, &ret[tier])))
            continue;
        ret[tier] = *one;
        has[tier] = true;
    }
    ret[TIER_LOCAL].spent_today = ret[TIER_CLOUD].spent_today = 0;
    for (size_t i = 0; i < router->to.endpoints->own; i++)
        if (!is_counted(router, i))
            ret[router->servers[i].endpoint->tier].spent_today +=
                router->servers[i].record.spent_today;
}

void call_choose_tier(struct router_call *call)
{
    struct hybrid_record records[TIER_COUNT];
    struct hybrid_answer answer;

    best_records(call, records);
    answer = hybrid_choose(call->router->to.config, call->router->hybrid_mode,
                           &call->question, records);
    call->tier_route = answer.route;
    call->to_cloud = answer.tier == TIER_CLOUD;
    route_plan_set_tier(&call->plan, answer.tier, answer.stand_in);
}

void call_cost_capped(struct router_call *call)
{
    if (call->to_cloud)
        call->tier_route = "cost_cap";
    call->to_cloud = false;
    route_plan_set_tier(&call->plan, TIER_LOCAL, false);
    call_ask_left(call);
}

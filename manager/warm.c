/* warm.c - see warm.h. */
#include "manager/warm.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/route_plan.h"
#include "llm/router.h"
#include "manager/begin.h"
#include "manager/manager.h"

enum {
    KEEP_ALIVE_MS = 300000, /* Ollama's own, where the option is no duration of ours */
    FRESH_MIN_MS = 10000,   /* a model that is missing may be pulled any time */
    MODELS_MAX = 1024       /* remembered: names come from outside */
};

/* A model somewhere, as it is to be loaded. */
struct warm_model {
    TAILQ_ENTRY(warm_model) in_list;
    struct manager *manager;
    const struct endpoint *endpoint;
    struct seat_model where; /* that endpoint and model; owns its texts */
    char *options;           /* owned, or NULL */
    int64_t num_ctx;
    bool asking;
    bool missing;        /* the server says it has no such model */
    struct err why;      /* then */
    int64_t fresh_to_ms; /* monotonic: not asked again before */
};

static bool same_text(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static void forget(struct warm_model *warm)
{
    TAILQ_REMOVE(&warm->manager->warm, warm, in_list);
    warm->manager->warm_count--;
    seat_model_done(&warm->where);
    free(warm->options);
    free(warm);
}

/* What is asked stays until it is answered. */
void warm_clear(struct manager *manager)
{
    struct warm_model *warm = TAILQ_FIRST(&manager->warm);

    while (warm != NULL) {
        struct warm_model *next = TAILQ_NEXT(warm, in_list);

        if (!warm->asking)
            forget(warm);
        warm = next;
    }
}

void warm_done(struct manager *manager)
{
    while (!TAILQ_EMPTY(&manager->warm))
        forget(TAILQ_FIRST(&manager->warm));
}

/* ---- asking ---- */

/* Half of the time that the server keeps it. */
static int64_t fresh_ms(const struct warm_model *warm)
{
    const char *text = warm->manager->config->keep_alive;
    int64_t keep_ms;

    if (text == NULL || !str_to_duration_ms(str_of(text), &keep_ms))
        keep_ms = KEEP_ALIVE_MS; /* -1: for ever; a look now and then does no harm */
    return warm->missing || keep_ms / 2 < FRESH_MIN_MS ? FRESH_MIN_MS : keep_ms / 2;
}

static void on_warm(void *owner, const struct llm_result *result,
                    const struct router_attempt *attempt)
{
    struct warm_model *warm = owner;
    struct manager *manager = warm->manager;

    (void)attempt;
    warm->asking = false;
    warm->missing = result->error == LLM_ERROR_MODEL_NOT_FOUND;
    warm->fresh_to_ms = clock_mono_ms() + fresh_ms(warm);
    if (warm->missing)
        err_set(&warm->why, ERR_MODEL, "%s", result->reason);
    if (result->outcome == LLM_DONE)
        log_info("warm", "loaded endpoint=%s model=%s ms=%lld", warm->endpoint->name,
                 log_safe(str_of(warm->where.model)),
                 (long long)(result->duration_us / 1000));
    else
        log_warn("warm", "not loaded endpoint=%s model=%s error=%s reason=%s",
                 warm->endpoint->name, log_safe(str_of(warm->where.model)),
                 llm_error_name(result->error), log_safe(str_of(result->reason)));
    begin_ready(manager);
}

/* As any call it takes a place at its server, so that there are never more than the
 * server's window. */
static void load(struct warm_model *warm)
{
    struct manager *manager = warm->manager;
    const struct router_handlers handlers = {.on_result = on_warm, .owner = warm};
    char call_id[MEMBER_NAME_SIZE + 64];
    const struct router_ask ask = {
        .conversation = "",
        .call_id = call_id,
        .model = &warm->where,
        .asked_at_us = redis_clock_now_us(&manager->clock),
        .request = {.num_ctx = warm->num_ctx,
                    .options = warm->options,
                    .keep_alive = manager->config->keep_alive},
        .load = true,
    };

    fmt_into(call_id, sizeof call_id, "load/%lld-%s", (long long)++manager->loads,
             manager->member.nonce);
    warm->asking = true;
    (void)router_start(manager->router, &ask, &handlers); /* ends by itself */
}

/* ---- looking ---- */

static struct warm_model *remember(struct manager *manager,
                                   const struct route_candidate *place, int64_t num_ctx,
                                   const char *options)
{
    struct warm_model *warm = x_calloc(1, sizeof *warm);
    struct warm_model *oldest = TAILQ_FIRST(&manager->warm);

    if (manager->warm_count >= MODELS_MAX && !oldest->asking)
        forget(oldest);
    warm->manager = manager;
    warm->endpoint = place->endpoint;
    warm->num_ctx = num_ctx;
    seat_model_init(&warm->where);
    warm->where.provider = x_strdup(place->endpoint->provider);
    warm->where.endpoint = x_strdup(place->endpoint->name);
    warm->where.model = x_strdup(place->model);
    warm->where.fallback = x_strdup("");
    warm->options = options == NULL ? NULL : x_strdup(options);
    TAILQ_INSERT_TAIL(&manager->warm, warm, in_list);
    manager->warm_count++;
    return warm;
}

static struct warm_model *find(struct manager *manager,
                               const struct route_candidate *place,
                               const struct seat_model *seat)
{
    int64_t num_ctx = seat->num_ctx < 0 ? manager->config->num_ctx : seat->num_ctx;
    const char *options =
        seat->options == NULL ? manager->config->options : seat->options;
    struct warm_model *warm;

    TAILQ_FOREACH(warm, &manager->warm, in_list)
    if (warm->endpoint == place->endpoint && warm->num_ctx == num_ctx
        && same_text(warm->where.model, place->model)
        && same_text(warm->options, options))
        return warm;
    return remember(manager, place, num_ctx, options);
}

static enum warm_state look(struct warm_model *warm, struct err *err)
{
    if (!warm->asking && clock_mono_ms() >= warm->fresh_to_ms)
        load(warm);
    if (warm->asking)
        return WARM_WAIT;
    if (warm->missing)
        *err = warm->why;
    return warm->missing ? WARM_FAILED : WARM_READY;
}

/* The worst of what is known about the places where a seat's turns may go first: one
 * that has the model is enough. */
static enum warm_state look_at_seat(struct manager *manager, const struct seat *seat,
                                    struct err *err)
{
    struct route_wish wish = {.config = manager->config,
                              .endpoints = &manager->config->endpoints,
                              .model = &seat->model};
    bool some_there = false;
    bool wait = false;
    struct route_plan plan;

    if (!route_strategy_parse(manager->config->strategy, &wish.strategy)
        || !route_plan_make(&wish, &plan, err))
        return WARM_FAILED;
    for (size_t i = 0; i < plan.count && plan.items[i].group == 0; i++) {
        const struct route_candidate *one = &plan.items[i];
        enum warm_state state = strcmp(one->endpoint->provider, "ollama") != 0
                                    ? WARM_READY
                                    : look(find(manager, one, &seat->model), err);

        some_there = some_there || state == WARM_READY;
        wait = wait || state == WARM_WAIT;
    }
    route_plan_done(&plan);
    if (wait)
        return WARM_WAIT;
    return some_there ? WARM_READY : WARM_FAILED;
}

enum warm_state warm_look(struct manager *manager, const struct talk *talk,
                          struct err *err)
{
    enum warm_state worst = WARM_READY;

    for (size_t i = 0; i < talk->cast->seat_count; i++) {
        enum warm_state state = look_at_seat(manager, &talk->cast->seats[i], err);

        if (state == WARM_FAILED)
            return state;
        if (state == WARM_WAIT)
            worst = state;
    }
    return worst;
}

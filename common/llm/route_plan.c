/* route_plan.c - see route_plan.h.
 *
 * Flow: the first choices (named, or all that serve, or built in) -> the fallback order
 *       -> sort
 */
#include "llm/route_plan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "proto/config.h"

enum {
    THERE_MAX_BYTES = 160,
    ID_CUT = 72
}; /* bytes of a long URL that are kept, before its hash */

bool route_strategy_parse(const char *name, enum route_strategy *ret_strategy)
{
    static const char *const names[ROUTE_STRATEGY_COUNT] = {
        [ROUTE_FIRST] = "first",
        [ROUTE_LEAST_BUSY] = "least-busy",
        [ROUTE_HYBRID] = "hybrid",
    };

    for (unsigned i = 0; i < ROUTE_STRATEGY_COUNT; i++) {
        if (str_is(str_of(name), names[i])) {
            *ret_strategy = (enum route_strategy)i;
            return true;
        }
    }
    return false;
}

/* ---- what the seat asks for ---- */

static const char *model_wanted(const struct route_wish *wish)
{
    if (wish->model != NULL && wish->model->model != NULL)
        return wish->model->model;
    return config_model(wish->config, wish->seat);
}

/* The provider the seat asks for; without one the options' stands for a config without
 * endpoints. */
static const char *provider_wanted(const struct route_wish *wish)
{
    if (wish->model != NULL && wish->model->provider != NULL)
        return wish->model->provider;
    return wish->endpoints->own == 0 ? wish->config->provider : NULL;
}

/* echo or the simulator, where that is asked for: then no name of an endpoint may lead
 * to a real server. NULL: not asked for. */
static const struct endpoint *pretended(const struct route_wish *wish)
{
    const char *provider = wish->model != NULL && wish->model->provider != NULL
                               ? wish->model->provider
                               : wish->config->provider;

    if (strcmp(provider, "echo") != 0 && strcmp(provider, "simulator") != 0)
        return NULL;
    return endpoint_find(wish->endpoints, str_of(provider));
}

/* The endpoint a seat names, alone or before the colon of its model; NULL none.
 * *ret_model: the model wanted, NULL for the endpoint's first. */
static const struct endpoint *named(const struct route_wish *wish,
                                    const char **ret_model)
{
    const char *model = model_wanted(wish);
    const struct endpoint *found = NULL;

    *ret_model = NULL;
    if (wish->model != NULL && wish->model->endpoint != NULL) {
        *ret_model = wish->model->model;
        found = endpoint_find(wish->endpoints, str_of(wish->model->endpoint));
    } else if (model != NULL) {
        found = endpoint_of_model(wish->endpoints, model, ret_model);
    }
    return pretended(wish) != NULL ? pretended(wish) : found;
}

static bool is_echo(const struct endpoint *endpoint)
{
    return endpoint != NULL && strcmp(endpoint->provider, "echo") == 0;
}

const struct endpoint *route_echo(const struct route_wish *wish)
{
    const char *model;
    const struct endpoint *first = named(wish, &model);

    return is_echo(first) ? first : NULL;
}

/* ---- candidates ---- */

static const char *first_model(const struct endpoint *endpoint)
{
    return endpoint->model_count > 0 ? endpoint->models[0] : NULL;
}

static bool has(const struct route_plan *plan, const struct endpoint *endpoint,
                const char *model)
{
    for (size_t i = 0; i < plan->count; i++) {
        assert(plan->items[i].model != NULL);
        if (plan->items[i].endpoint == endpoint
            && strcmp(plan->items[i].model, model) == 0)
            return true;
    }
    return false;
}

/* What is there already, or has no room, is passed over. */
static void add(struct route_plan *plan, const struct endpoint *endpoint,
                const char *model, int64_t group)
{
    if (plan->count == ROUTE_CANDIDATES_MAX || has(plan, endpoint, model))
        return;
    plan->items[plan->count] = (struct route_candidate){.endpoint = endpoint,
                                                        .model = x_strdup(model),
                                                        .group = group,
                                                        .order = plan->count};
    plan->count++;
}

/* All of the config's endpoints that will do. In a hybrid fleet one that does not serve
 * the model is asked for its first. */
static void add_own(const struct route_wish *wish, const char *model,
                    struct route_plan *plan)
{
    const struct endpoint_list *list = wish->endpoints;
    bool hybrid = wish->strategy == ROUTE_HYBRID;

    for (size_t i = 0; i < list->own; i++) {
        const struct endpoint *endpoint = &list->items[i];
        bool serves = model != NULL && endpoint_serves(endpoint, model);
        const char *ask = serves ? model : first_model(endpoint);

        if ((serves || hybrid || model == NULL) && ask != NULL)
            add(plan, endpoint, ask, 0);
    }
    for (size_t i = 0; i < plan->count; i++)
        plan->items[i].by_tier = hybrid;
}

/* The model of an endpoint that was named alone: its first one, else the options'. */
static const char *model_of(const struct route_wish *wish,
                            const struct endpoint *endpoint)
{
    const char *options = config_model(wish->config, wish->seat);
    const char *model = NULL;
    const struct endpoint *other;

    if (is_echo(endpoint))
        return "echo";
    if (first_model(endpoint) != NULL || options == NULL)
        return first_model(endpoint);
    other = endpoint_of_model(wish->endpoints, options, &model);
    return other == NULL || other == endpoint ? model : NULL;
}

static bool add_named(const struct route_wish *wish, const struct endpoint *endpoint,
                      const char *model, struct route_plan *plan, struct err *err)
{
    if (model == NULL)
        model = model_of(wish, endpoint);
    if (model == NULL)
        return err_set(err, ERR_MODEL,
                       "endpoint %s lists no model, so the model must be named",
                       endpoint->name);
    add(plan, endpoint, model, 0);
    return true;
}

static bool add_built_in(const struct route_wish *wish, const char *provider,
                         const char *model, struct route_plan *plan, struct err *err)
{
    const struct endpoint *endpoint = endpoint_find(wish->endpoints, str_of(provider));

    if (endpoint == NULL)
        return err_set(err, ERR_MODEL, "there is no provider %s",
                       log_safe(str_of(provider)));
    return add_named(wish, endpoint, is_echo(endpoint) ? NULL : model, plan, err);
}

/* What stands before its first colon may be an endpoint's name with a slip; else what
 * could be asked for, as it would be written. */
static bool no_server(const struct endpoint_list *endpoints, const char *model,
                      struct err *err)
{
    struct str rest;
    struct nearest nearest = nearest_to(str_cut(str_of(model), ':', &rest));
    struct buf there;

    buf_init(&there, THERE_MAX_BYTES);
    for (size_t i = 0; i < endpoints->own; i++) {
        const struct endpoint *endpoint = &endpoints->items[i];

        nearest_try(&nearest, endpoint->name);
        if (endpoint->model_count > 0)
            buf_printf(&there, "%s%s:%s", there.len == 0 ? "" : ", ", endpoint->name,
                       log_safe(str_of(endpoint->models[0])));
    }
    err_set(err, ERR_MODEL, "no endpoint of the config serves the model %s%s%s%s%s%s",
            model == NULL ? "(none is named)" : log_safe(str_of(model)),
            nearest.name == NULL ? "" : ", did you mean the endpoint ",
            nearest.name == NULL ? "" : nearest.name, nearest.name == NULL ? "" : "?",
            there.len == 0         ? ""
            : nearest.name == NULL ? "; there are "
                                   : " There are ",
            buf_text(&there));
    buf_done(&there);
    return false;
}

static bool add_first(const struct route_wish *wish, struct route_plan *plan,
                      struct err *err)
{
    const char *provider = provider_wanted(wish);
    const char *model;
    const struct endpoint *first = named(wish, &model);

    if (first != NULL)
        return add_named(wish, first, is_echo(first) ? NULL : model, plan, err);
    if (wish->model != NULL && wish->model->endpoint != NULL)
        return err_set(err, ERR_MODEL, "there is no endpoint %s",
                       log_safe(str_of(wish->model->endpoint)));
    if (provider != NULL)
        return add_built_in(wish, provider, model, plan, err);
    add_own(wish, model, plan);
    if (plan->count > 0)
        return true;
    return no_server(wish->endpoints, model, err);
}

/* One name of a fallback order. Where the endpoint does not serve the model, or none is
 * named, its first one stands in. */
static void add_fallback(const struct route_wish *wish, struct str name, int64_t group,
                         struct route_plan *plan)
{
    char *text = x_memdup(name.at, name.len);
    const char *model;
    const struct endpoint *endpoint = endpoint_of_model(wish->endpoints, text, &model);
    const char *wanted = plan->items[0].model;

    if (endpoint == NULL) { /* a bare name may be a model of any endpoint */
        for (size_t i = 0; i < wish->endpoints->own; i++)
            if (wish->endpoints->items[i].model_count > 0
                && endpoint_serves(&wish->endpoints->items[i], text))
                add(plan, &wish->endpoints->items[i], text, group);
        free(text);
        return;
    }
    if ((strchr(text, ':') == NULL || text[strlen(text) - 1] == ':')
        && endpoint_serves(endpoint, wanted))
        model = wanted;
    if (model == NULL || is_echo(endpoint))
        model = model_of(wish, endpoint);
    if (model != NULL)
        add(plan, endpoint, model, group);
    free(text);
}

static void add_fallbacks(const struct route_wish *wish, struct route_plan *plan)
{
    const char *order = wish->model != NULL && wish->model->fallback != NULL
                            ? wish->model->fallback
                            : wish->config->fallback;
    struct str rest = str_of(order); /* NULL: empty */
    int64_t group = 2;               /* 1 is the other tier's */

    if (pretended(wish) != NULL)
        return;
    while (rest.len > 0) {
        struct str name = str_trim(str_cut(rest, ',', &rest));

        if (name.len > 0)
            add_fallback(wish, name, group++, plan);
    }
}

/* ---- the order ---- */

/* Rendezvous hashing (Thaler and Ravishankar, 1998): each conversation's seat has an
 * order of its own over the endpoints, the same in every process and without any
 * memory; when one endpoint goes, only its conversations move. */
static uint64_t weight(const struct route_wish *wish, const struct endpoint *endpoint)
{
    char id[ENDPOINT_ID_SIZE];
    uint64_t seed = rng_hash((uint64_t)wish->seat, str_of(wish->conversation));

    route_endpoint_id(endpoint, id);
    return rng_hash(seed, str_of(id));
}

static bool comes_before(const struct route_candidate *a,
                         const struct route_candidate *b)
{
    if (a->failed != b->failed)
        return b->failed;
    if (a->group != b->group)
        return a->group < b->group;
    return a->order < b->order;
}

bool route_plan_has_tiers(const struct route_plan *plan)
{
    bool has_tier[TIER_COUNT] = {false};

    for (size_t i = 0; i < plan->count; i++)
        if (plan->items[i].by_tier)
            has_tier[plan->items[i].endpoint->tier] = true;
    return has_tier[TIER_LOCAL] && has_tier[TIER_CLOUD];
}

void route_plan_set_tier(struct route_plan *plan, enum endpoint_tier tier,
                         bool stand_in)
{
    bool both = route_plan_has_tiers(plan);

    for (size_t i = 0; i < plan->count; i++) {
        struct route_candidate *item = &plan->items[i];

        if (!item->by_tier)
            continue;
        item->group = item->endpoint->tier == tier ? 0 : 1;
        item->excluded = item->excluded || (item->group == 1 && both && !stand_in);
    }
    route_plan_sort(plan);
}

bool route_is_capped(const struct route_candidate *item)
{
    return item->by_tier && item->endpoint->tier == TIER_CLOUD;
}

/* Few items, and mostly in order: sorted by insertion. */
void route_plan_sort(struct route_plan *plan)
{
    for (size_t i = 1; i < plan->count; i++) {
        struct route_candidate item = plan->items[i];
        size_t at = i;

        for (; at > 0 && comes_before(&item, &plan->items[at - 1]); at--)
            plan->items[at] = plan->items[at - 1];
        plan->items[at] = item;
    }
}

/* Numbers the candidates so that each group stands in the order of its weights. */
static void prefer_by_weight(const struct route_wish *wish, struct route_plan *plan)
{
    uint64_t weights[ROUTE_CANDIDATES_MAX];

    for (size_t i = 0; i < plan->count; i++)
        weights[i] = weight(wish, plan->items[i].endpoint);
    for (size_t i = 0; i < plan->count; i++) {
        plan->items[i].order = 0;
        for (size_t j = 0; j < plan->count; j++)
            plan->items[i].order +=
                weights[j] > weights[i] || (j < i && weights[j] == weights[i]);
    }
}

bool route_plan_make(const struct route_wish *wish, struct route_plan *ret_plan,
                     struct err *err)
{
    struct route_plan plan = {.count = 0};

    if (!add_first(wish, &plan, err)) {
        route_plan_done(&plan);
        return false;
    }
    add_fallbacks(wish, &plan);
    if (wish->strategy != ROUTE_FIRST)
        prefer_by_weight(wish, &plan);
    route_plan_sort(&plan);
    *ret_plan = plan;
    return true;
}

void route_plan_done(struct route_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        free(plan->items[i].model);
    plan->count = 0;
}

/* ---- names in Redis ---- */

static struct str without_secrets(struct str url, struct buf *into)
{
    struct str rest;
    struct str scheme = str_cut(url, '/', &rest); /* "http:", then "/host..." */
    struct str path;
    struct str authority;
    struct str host;

    if (rest.len == 0 || rest.at[0] != '/')
        return url;
    authority = str_cut(str_make(rest.at + 1, rest.len - 1), '/', &path);
    for (host = authority; memchr(host.at, '@', host.len) != NULL;)
        (void)str_cut(host, '@', &host);
    buf_add_str(into, scheme);
    buf_add_text(into, "//");
    buf_add_str(into, host);
    if (path.len > 0)
        buf_printf(into, "/%.*s", (int)path.len, path.at);
    return buf_str(into);
}

void route_endpoint_id(const struct endpoint *endpoint, char ret[ENDPOINT_ID_SIZE])
{
    const char *source =
        endpoint->key_env != NULL ? endpoint->key_env : endpoint->key_file;
    struct buf whole;
    struct str url;
    char mark[12] = "";

    buf_init(&whole, endpoint->url == NULL ? 1 : strlen(endpoint->url) + 8);
    url = without_secrets(str_of(endpoint->url), &whole);
    if (url.len == 0)
        url = str_of(endpoint->provider);
    if (source != NULL)
        fmt_into(mark, sizeof mark, "#%08x",
                 (unsigned)(rng_hash(0, str_of(source)) & 0xffffffffU));
    if (url.len + strlen(mark) < ENDPOINT_ID_SIZE - 1)
        fmt_into(ret, ENDPOINT_ID_SIZE, "%.*s%s", (int)url.len, url.at, mark);
    else
        fmt_into(ret, ENDPOINT_ID_SIZE, "%.*s~%08x%s", ID_CUT, url.at,
                 (unsigned)(rng_hash(0, url) & 0xffffffffU), mark);
    buf_done(&whole);
}

/* check_models.c - see check_models.h.
 *
 * Flow: the plans of all seats -> llm_list_models of each of their endpoints, at once
 *       -> each seat judged -> what else is wrong, told
 */
#include "cli/check_models.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "cli/advice.h"
#include "cli/wish_cast.h"
#include "llm/llm.h"
#include "llm/models.h"
#include "llm/route_plan.h"
#include "net/http.h"
#include "net/loop.h"

enum { LIST_TIMEOUT_MS = 5000, PATIENCE_MS = 1000, PLANS_MAX = SEATS_MAX + 1 };

/* An endpoint that a seat may ask for a model, and whether it will do. */
struct place {
    struct checking *checking;
    const struct endpoint *endpoint;
    const char *model; /* of a plan */
    char *key;         /* owned, or NULL */
    bool good;
    bool told;      /* it has answered, or cannot be asked */
    bool lacks;     /* it answers, and has no such model */
    struct err why; /* it is not good */
};
struct checking {
    const char *who; /* warns */
    size_t warnings;
    struct loop *loop;
    struct llm *llm;
    const struct config *config;
    struct route_plan plans[PLANS_MAX]; /* of the seats, then the story's */
    size_t plan_count;
    struct place *places; /* owned */
    size_t place_count;
    size_t open; /* not answered yet */
};

/* ---- the plans ---- */

static bool add_plan(struct checking *checking, const struct seat_model *model,
                     int64_t seat, struct err *err)
{
    struct route_wish wish = {.config = checking->config,
                              .endpoints = &checking->config->endpoints,
                              .model = model,
                              .seat = seat};
    struct route_plan *plan = &checking->plans[checking->plan_count];

    if (!route_strategy_parse(checking->config->strategy, &wish.strategy))
        return err_set(err, ERR_USAGE, "--strategy: there is no '%s'",
                       checking->config->strategy);
    if (!route_plan_make(&wish, plan, err))
        return false;
    checking->plan_count++;
    return true;
}

/* A name that is neither an endpoint nor a model one lists leads nowhere. */
static bool leads(const struct endpoint_list *endpoints, const char *name)
{
    const char *model;

    if (endpoint_of_model(endpoints, name, &model) != NULL)
        return true;
    for (size_t i = 0; i < endpoints->own; i++)
        if (endpoints->items[i].model_count > 0
            && endpoint_serves(&endpoints->items[i], name))
            return true;
    return false;
}

static void warn_of_fallbacks(struct checking *checking, const char *order)
{
    const struct endpoint_list *endpoints = &checking->config->endpoints;
    struct str rest = str_of(order);

    while (rest.len > 0) {
        struct str part = str_trim(str_cut(rest, ',', &rest));
        char *name = x_memdup(part.at, part.len);

        if (part.len > 0 && !leads(endpoints, name)) {
            fprintf(stderr,
                    "%s: warning: fallback %s: there is no such endpoint, and none "
                    "lists such a model: left out\n",
                    checking->who, log_safe(part));
            checking->warnings++;
        }
        free(name);
    }
}

/* echo and the simulator have no fallback. */
static bool is_pretended(const struct route_plan *plan)
{
    const char *provider =
        plan->count == 0 ? "echo" : plan->items[0].endpoint->provider;

    return strcmp(provider, "echo") == 0 || strcmp(provider, "simulator") == 0;
}

/* Once each, though all seats may have the same. */
static void check_fallbacks(struct checking *checking, const struct cast *cast)
{
    const char *last = NULL;

    for (size_t i = 0; i < cast->seat_count && i < checking->plan_count; i++) {
        const char *order = cast->seats[i].model.fallback;

        if (order == NULL || (last != NULL && strcmp(order, last) == 0)
            || is_pretended(&checking->plans[i]))
            continue;
        warn_of_fallbacks(checking, order);
        last = order;
    }
}

static bool make_plans(struct checking *checking, const struct wish *wish,
                       struct err *err)
{
    const struct endpoint_list *endpoints = &checking->config->endpoints;
    struct cast cast;
    struct seat story;
    bool ok;

    if (!wish_cast_make(wish, endpoints, &cast, err))
        return false;
    seat_init(&story);
    wish_equip(wish, 0, endpoints, &story);
    ok = true;
    for (size_t i = 0; ok && i < cast.seat_count; i++)
        ok = add_plan(checking, &cast.seats[i].model, (int64_t)i + 1, err);
    if (ok)
        check_fallbacks(checking, &cast);
    if (ok && wish->story_file == NULL)
        ok = add_plan(checking, &story.model, 0, err);
    seat_done(&story);
    cast_done(&cast);
    return ok;
}

static struct place *find_place(struct checking *checking,
                                const struct route_candidate *candidate)
{
    for (size_t i = 0; i < checking->place_count; i++) {
        struct place *place = &checking->places[i];

        if (place->endpoint == candidate->endpoint
            && strcmp(place->model, candidate->model) == 0)
            return place;
    }
    return NULL;
}

static void add_places(struct checking *checking, const struct route_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        const struct route_candidate *candidate = &plan->items[i];

        if (find_place(checking, candidate) == NULL)
            checking->places[checking->place_count++] =
                (struct place){.checking = checking,
                               .endpoint = candidate->endpoint,
                               .model = candidate->model};
    }
}

/* ---- asking ---- */

static void on_models(void *owner, const struct llm_models *models)
{
    struct place *place = owner;
    struct checking *checking = place->checking;

    place->told = true;
    place->good = models->ok && llm_models_have(models, place->model);
    place->lacks = models->ok && !place->good;
    if (!models->ok)
        advice_make(
            place->endpoint,
            &(struct advice_case){models->error, models->reason, models->http_status},
            &place->why);
    else if (place->lacks)
        advice_no_model(place->endpoint, place->model, models, &place->why);
    checking->open--;
    if (checking->open == 0)
        loop_stop(checking->loop);
}

static void ask(struct place *place)
{
    const struct endpoint *endpoint = place->endpoint;
    struct llm_server server = {.url = endpoint->url};

    place->told = true;
    if (strcmp(endpoint->provider, "echo") == 0) {
        place->good = true;
        return;
    }
    if (!llm_provider_parse(endpoint->provider, &server.provider)
        || !endpoint_key(endpoint, &place->key, &place->why))
        return;
    server.key = place->key;
    place->told = false;
    place->checking->open++;
    llm_list_models(place->checking->llm, &server, LIST_TIMEOUT_MS, on_models, place);
}

/* Whoever looks on is told that nothing hangs. */
static void on_patience(struct loop_timer *timer, void *owner)
{
    const struct checking *checking = owner;

    (void)timer;
    for (size_t i = 0; i < checking->place_count; i++)
        if (!checking->places[i].told)
            fprintf(stderr, "%s: waits up to %d s for an answer of %s\n", checking->who,
                    LIST_TIMEOUT_MS / 1000, checking->places[i].endpoint->name);
}

static void wait_for_answers(struct checking *checking)
{
    struct loop_timer patience;

    loop_timer_init(&patience, checking->loop, on_patience, checking);
    if (isatty(STDERR_FILENO))
        loop_timer_start(&patience, PATIENCE_MS);
    if (checking->open > 0)
        loop_run(checking->loop);
    loop_timer_stop(&patience);
}

/* ---- judging ---- */

/* One first choice that will do is enough; else what is wrong with the first. */
static bool judge(struct checking *checking, const struct route_plan *plan,
                  struct err *err)
{
    const struct place *first = NULL;

    for (size_t i = 0; i < plan->count && plan->items[i].group == 0; i++) {
        const struct place *place = find_place(checking, &plan->items[i]);

        if (place->good)
            return true;
        if (first == NULL)
            first = place;
    }
    if (first == NULL)
        return err_set(err, ERR_MODEL, "a seat has no model server");
    *err = first->why;
    err->code = ERR_MODEL;
    if (first->endpoint->built_in && !first->lacks)
        err_set(err, ERR_MODEL, "%s; name another with --%s URL, or try --simulate",
                first->why.msg, first->endpoint->provider);
    return false;
}

static void warn_of_others(const struct checking *checking)
{
    for (size_t i = 0; i < checking->place_count; i++)
        if (!checking->places[i].good)
            fprintf(stderr, "parley run: warning: %s\n", checking->places[i].why.msg);
}

static bool ask_and_judge(struct checking *checking, struct err *err)
{
    size_t most = 0;
    bool ok = true;

    for (size_t i = 0; i < checking->plan_count; i++)
        most += checking->plans[i].count;
    checking->places = x_calloc(most + 1, sizeof *checking->places);
    for (size_t i = 0; i < checking->plan_count; i++)
        add_places(checking, &checking->plans[i]);
    for (size_t i = 0; i < checking->place_count; i++)
        ask(&checking->places[i]);
    wait_for_answers(checking);
    if (checking->open > 0)
        return err_set(err, ERR_SYSTEM, "interrupted");
    for (size_t i = 0; ok && i < checking->plan_count; i++)
        ok = judge(checking, &checking->plans[i], err);
    if (ok)
        warn_of_others(checking);
    return ok;
}

static void free_plans(struct checking *checking)
{
    for (size_t i = 0; i < checking->plan_count; i++)
        route_plan_done(&checking->plans[i]);
}

bool check_plans(const struct config *config, const struct wish *wish,
                 size_t *ret_warnings, struct err *err)
{
    struct checking checking = {.who = "parley check-config", .config = config};
    bool ok = make_plans(&checking, wish, err);

    free_plans(&checking);
    if (ok)
        *ret_warnings = checking.warnings;
    return ok;
}

bool check_models(struct loop *loop, const struct config *config,
                  const struct wish *wish, struct err *err)
{
    struct checking checking = {.who = "parley run", .loop = loop, .config = config};
    struct http *http = http_new(loop);
    bool ok;

    checking.llm = llm_new(loop, http);
    ok = make_plans(&checking, wish, err) && ask_and_judge(&checking, err);
    llm_free(checking.llm);
    http_free(http);
    for (size_t i = 0; i < checking.place_count; i++)
        free(checking.places[i].key);
    free(checking.places);
    free_plans(&checking);
    return ok;
}

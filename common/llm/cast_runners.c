/* cast_runners.c - see cast_runners.h. */
#include "llm/cast_runners.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "llm/route_plan.h"
#include "proto/config.h"
#include "proto/model_options.h"

/* A seat's first choices; without any where there is no candidate, which others tell.
 */
static struct route_plan plan_of(const struct seat_model *model,
                                 const struct config *config)
{
    struct route_wish wish = {
        .config = config, .endpoints = &config->endpoints, .model = model};
    struct route_plan plan;

    if (!route_strategy_parse(config->strategy, &wish.strategy)
        || !route_plan_make(&wish, &plan, NULL))
        plan = (struct route_plan){0};
    return plan;
}

/* The model that both may be asked for at one Ollama server; NULL none. */
static const char *shared_model(const struct route_plan *a, const struct route_plan *b)
{
    for (size_t i = 0; i < a->count && a->items[i].group == 0; i++)
        for (size_t j = 0; j < b->count && b->items[j].group == 0; j++)
            if (a->items[i].endpoint == b->items[j].endpoint
                && strcmp(a->items[i].endpoint->provider, "ollama") == 0
                && endpoint_same_model(a->items[i].model, b->items[j].model))
                return a->items[i].model;
    return NULL;
}

static struct runner_use use_of(const struct seat_model *seat, const char *who,
                                const char *model)
{
    return (struct runner_use){
        .who = who, .model = model, .options = seat->options, .num_ctx = seat->num_ctx};
}

static void fill_open(struct runner_use *use, int64_t num_ctx, const char *options)
{
    if (use->num_ctx < 0)
        use->num_ctx = num_ctx;
    if (use->options == NULL)
        use->options = options;
}

static bool pair_agrees(struct runner_use *a, struct runner_use *b,
                        const struct config *defaults, struct err *err)
{
    const struct runner_use first = *a;

    fill_open(a, defaults != NULL ? defaults->num_ctx : b->num_ctx,
              defaults != NULL ? defaults->options : b->options);
    fill_open(b, defaults != NULL ? defaults->num_ctx : first.num_ctx,
              defaults != NULL ? defaults->options : first.options);
    return model_options_agree(a, b, err);
}

/* Seats i and j, by their plans. */
static bool seats_agree(const struct cast *cast, const struct route_plan *plans,
                        const size_t pair[2], const struct config *defaults,
                        struct err *err)
{
    const char *model = shared_model(&plans[pair[0]], &plans[pair[1]]);
    struct runner_use uses[2];
    char who[2][24];

    for (size_t i = 0; i < 2; i++) {
        fmt_into(who[i], sizeof who[i], "seat %zu", pair[i] + 1);
        uses[i] = use_of(&cast->seats[pair[i]].model, who[i], model);
    }
    return model == NULL || pair_agrees(&uses[0], &uses[1], defaults, err);
}

bool cast_runners_agree(const struct cast *cast, const struct config *config,
                        bool defaults_known, struct err *err)
{
    struct route_plan *plans = x_calloc(cast->seat_count + 1, sizeof *plans);
    bool ok = true;

    for (size_t i = 0; i < cast->seat_count; i++)
        plans[i] = plan_of(&cast->seats[i].model, config);
    for (size_t i = 0; ok && i < cast->seat_count; i++)
        for (size_t j = i + 1; ok && j < cast->seat_count; j++)
            ok = seats_agree(cast, plans, (const size_t[]){i, j},
                             defaults_known ? config : NULL, err);
    for (size_t i = 0; i < cast->seat_count; i++)
        route_plan_done(&plans[i]);
    free(plans);
    return ok;
}

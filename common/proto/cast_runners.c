/* cast_runners.c - see cast_runners.h. */
#include "proto/cast_runners.h"

#include <string.h>

#include "proto/config.h"
#include "proto/model_options.h"

/* Where a seat's turns go first, as far as its cast says. */
struct place {
    const char *endpoint; /* NULL: any of the provider */
    const char *provider;
    const char *model;
};

static struct place place_of(const struct seat_model *seat, const struct config *config)
{
    const struct endpoint *endpoint =
        seat->endpoint == NULL
            ? NULL
            : endpoint_find(&config->endpoints, str_of(seat->endpoint));
    struct place place = {
        .endpoint = seat->endpoint, .provider = seat->provider, .model = seat->model};

    if (endpoint != NULL)
        place.provider = endpoint->provider;
    if (place.provider == NULL)
        place.provider = config->provider;
    if (place.model == NULL && endpoint != NULL && endpoint->model_count > 0)
        place.model = endpoint->models[0];
    if (place.model == NULL)
        place.model = config->models[0];
    return place;
}

/* "x" is "x:latest", as Ollama has it. */
static bool same_model(const char *a, const char *b)
{
    size_t len;

    if (a == NULL || b == NULL)
        return a == b;
    len = strlen(strlen(a) < strlen(b) ? a : b);
    return strncmp(a, b, len) == 0
           && (a[len] == '\0' || strcmp(a + len, ":latest") == 0)
           && (b[len] == '\0' || strcmp(b + len, ":latest") == 0);
}

static bool may_share(const struct place *a, const struct place *b)
{
    bool same_endpoint = a->endpoint == NULL || b->endpoint == NULL
                         || strcmp(a->endpoint, b->endpoint) == 0;

    return same_endpoint && strcmp(a->provider, "ollama") == 0
           && strcmp(b->provider, "ollama") == 0 && same_model(a->model, b->model);
}

static struct runner_use use_of(const struct seat_model *seat,
                                const struct config *config, const char *who)
{
    return (struct runner_use){
        .who = who,
        .model = place_of(seat, config).model,
        .options = seat->options == NULL ? config->options : seat->options,
        .num_ctx = seat->num_ctx < 0 ? config->num_ctx : seat->num_ctx,
    };
}

static bool pair_agrees(const struct cast *cast, size_t i, size_t j,
                        const struct config *config, struct err *err)
{
    const struct seat_model *a = &cast->seats[i].model;
    const struct seat_model *b = &cast->seats[j].model;
    struct place places[] = {place_of(a, config), place_of(b, config)};
    char who[2][24];
    struct runner_use uses[2];

    if (!may_share(&places[0], &places[1]))
        return true;
    fmt_into(who[0], sizeof who[0], "seat %zu", i + 1);
    fmt_into(who[1], sizeof who[1], "seat %zu", j + 1);
    uses[0] = use_of(a, config, who[0]);
    uses[1] = use_of(b, config, who[1]);
    return model_options_agree(&uses[0], &uses[1], err);
}

bool cast_runners_agree(const struct cast *cast, const struct config *config,
                        struct err *err)
{
    for (size_t i = 0; i < cast->seat_count; i++)
        for (size_t j = i + 1; j < cast->seat_count; j++)
            if (!pair_agrees(cast, i, j, config, err))
                return false;
    return true;
}

/* untaken.c - see untaken.h. */
#include "llm/untaken.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

static void forget(struct untaken_model *item)
{
    free(item->url);
    free(item->model);
    *item = (struct untaken_model){0};
}

void untaken_done(struct untaken *untaken)
{
    for (size_t i = 0; i < UNTAKEN_MODELS; i++)
        forget(&untaken->models[i]);
}

/* Its index, or UNTAKEN_MODELS. */
static size_t index_of(const struct untaken *untaken, const char *url,
                       const char *model)
{
    size_t i = 0;

    while (i < UNTAKEN_MODELS
           && (untaken->models[i].url == NULL
               || strcmp(untaken->models[i].url, url) != 0
               || strcmp(untaken->models[i].model, model) != 0))
        i++;
    return i;
}

void untaken_add(struct untaken *untaken, const char *url, const char *model,
                 enum llm_param param)
{
    size_t i = index_of(untaken, url, model);

    if (i == UNTAKEN_MODELS) {
        i = untaken->next;
        untaken->next = (i + 1) % UNTAKEN_MODELS;
        forget(&untaken->models[i]);
        untaken->models[i].url = x_strdup(url);
        untaken->models[i].model = x_strdup(model);
    }
    untaken->models[i].params |= 1U << param;
}

unsigned untaken_find(const struct untaken *untaken, const char *url, const char *model)
{
    size_t i = index_of(untaken, url, model);

    return i == UNTAKEN_MODELS ? 0 : untaken->models[i].params;
}

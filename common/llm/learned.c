/* learned.c - see learned.h. */
#include "llm/learned.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { ROOM_MIN_TOKENS = 1024, ROOM_MAX_TOKENS = 32768 };

static void forget(struct learned_model *item)
{
    free(item->url);
    free(item->model);
    *item = (struct learned_model){0};
}

void learned_done(struct learned *learned)
{
    for (size_t i = 0; i < LEARNED_MODELS; i++)
        forget(&learned->models[i]);
}

/* Its index, or LEARNED_MODELS. */
static size_t index_of(const struct learned *learned, const char *url,
                       const char *model)
{
    size_t i = 0;

    while (i < LEARNED_MODELS
           && (learned->models[i].url == NULL
               || strcmp(learned->models[i].url, url) != 0
               || strcmp(learned->models[i].model, model) != 0))
        i++;
    return i;
}

static struct learned_model *find_or_add(struct learned *learned, const char *url,
                                         const char *model)
{
    size_t i = index_of(learned, url, model);

    if (i == LEARNED_MODELS) {
        i = learned->next;
        learned->next = (i + 1) % LEARNED_MODELS;
        forget(&learned->models[i]);
        learned->models[i].url = x_strdup(url);
        learned->models[i].model = x_strdup(model);
    }
    return &learned->models[i];
}

void learned_untaken(struct learned *learned, const char *url, const char *model,
                     enum llm_param param)
{
    find_or_add(learned, url, model)->untaken |= 1U << param;
}

void learned_thought(struct learned *learned, const char *url, const char *model,
                     int64_t tokens)
{
    struct learned_model *item;

    if (tokens <= 0)
        return;
    item = find_or_add(learned, url, model);
    if (tokens > item->thought_tokens)
        item->thought_tokens = tokens;
}

const struct learned_model *learned_find(const struct learned *learned, const char *url,
                                         const char *model)
{
    size_t i = index_of(learned, url, model);

    return i == LEARNED_MODELS ? NULL : &learned->models[i];
}

int64_t learned_room(const struct learned_model *model)
{
    if (model == NULL || model->thought_tokens == 0)
        return 0;
    if (model->thought_tokens >= ROOM_MAX_TOKENS / 2)
        return ROOM_MAX_TOKENS;
    return model->thought_tokens <= ROOM_MIN_TOKENS / 2 ? ROOM_MIN_TOKENS
                                                        : model->thought_tokens * 2;
}

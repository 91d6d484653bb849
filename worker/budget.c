/* budget.c - see budget.h. */
#include "worker/budget.h"

#include <stdio.h>
#include <string.h>

enum {
    MARGIN_TOKENS = 16,
    MARGIN_PART = 64,
    MOST_BYTES_A_TOKEN = 12, /* no tokenizer comes near it over a whole prompt */
    GROWN_BYTES = 400
};
static const double start_ratio = 3.0;
static const double least_ratio = 0.5; /* an emoji may be eight tokens of half a byte */
static const double caution = 0.95;
static const double shrink_part = 0.75;

static struct budget_model *find(struct budget *budget, const char *model)
{
    struct budget_model *oldest = &budget->models[0];
    char name[BUDGET_MODEL_SIZE];

    (void)snprintf(name, sizeof name, "%s", model); /* cut */
    for (size_t i = 0; i < BUDGET_MODELS; i++) {
        struct budget_model *here = &budget->models[i];

        if (strcmp(here->name, name) == 0) {
            here->used = ++budget->uses;
            return here;
        }
        if (here->used < oldest->used)
            oldest = here;
    }
    *oldest = (struct budget_model){.used = ++budget->uses};
    memcpy(oldest->name, name, sizeof name);
    return oldest;
}

static double ratio_of(const struct budget_model *model)
{
    unsigned count = model->count < BUDGET_LAST ? model->count : BUDGET_LAST;
    double lowest = model->last[0];

    if (count == 0)
        return start_ratio;
    for (unsigned i = 1; i < count; i++)
        if (model->last[i] < lowest)
            lowest = model->last[i];
    return lowest * caution;
}

static void note(struct budget_model *model, double ratio)
{
    model->last[model->count % BUDGET_LAST] =
        (float)(ratio < least_ratio ? least_ratio : ratio);
    model->count++;
}

double budget_bytes_per_token(struct budget *budget, const char *model)
{
    return ratio_of(find(budget, model));
}

size_t budget_room_bytes(struct budget *budget, const char *model, int64_t num_ctx,
                         int64_t num_predict)
{
    const struct budget_model *here = find(budget, model);
    int64_t tokens;

    if (here->window > 0 && here->window < num_ctx)
        num_ctx = here->window;
    tokens = num_ctx - num_predict - MARGIN_TOKENS - num_ctx / MARGIN_PART;
    if (num_predict > num_ctx / 2) /* the prompt has half of it at least */
        tokens = num_ctx / 2 - MARGIN_TOKENS - num_ctx / MARGIN_PART;
    if (tokens < 1)
        tokens = 1;
    return (size_t)((double)tokens * ratio_of(here));
}

void budget_learn(struct budget *budget, const char *model,
                  const struct budget_count *count)
{
    struct budget_model *here = find(budget, model);
    double ratio;

    if (count->tokens <= 0 || count->bytes == 0)
        return;
    ratio = (double)count->bytes / (double)count->tokens;
    if (ratio > MOST_BYTES_A_TOKEN)
        return;
    if (count->whole || ratio * caution < ratio_of(here))
        note(here, ratio);
}

void budget_shrink(struct budget *budget, const char *model, size_t bytes,
                   size_t room_bytes)
{
    struct budget_model *here = find(budget, model);

    if (bytes <= room_bytes)
        note(here, ratio_of(here) / caution * shrink_part);
}

void budget_refused(struct budget *budget, const char *model,
                    const struct budget_refusal *refusal)
{
    struct budget_model *here = find(budget, model);
    int64_t known = here->window > 0 && here->window < refusal->num_ctx
                        ? here->window
                        : refusal->num_ctx;

    if (refusal->window > 0 && refusal->window < known)
        here->window = refusal->window;
    else
        budget_shrink(budget, model, refusal->bytes, refusal->room_bytes);
}

bool budget_was_cut(const struct budget_count *count,
                    const struct budget_before *before)
{
    if (count->tokens < 0)
        return false;
    if (count->num_ctx > 0 && count->tokens >= count->num_ctx - 1)
        return true;
    if (!count->whole)
        return false;
    if ((double)count->bytes > (double)count->tokens * MOST_BYTES_A_TOKEN)
        return true;
    return before->bytes > 0 && before->tokens >= 0
           && count->bytes > before->bytes + GROWN_BYTES
           && count->tokens <= before->tokens;
}

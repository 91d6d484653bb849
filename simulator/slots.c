/* slots.c - see slots.h. */
#include "simulator/slots.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "simulator/sim_prompt.h"

enum { LOOKED_AT = 64 }; /* for a common start */

struct slot {
    bool taken;
    char *model; /* owned, as the prompt: what it was used for last; NULL: nothing */
    char *prompt;
    size_t prompt_len;
};

struct slots {
    size_t count;
    struct slot list[];
};

struct slots *slots_new(size_t count)
{
    struct slots *slots = NULL;

    assert(count >= 1);
    slots = x_calloc(1, sizeof(*slots) + count * sizeof(slots->list[0]));
    slots->count = count;
    return slots;
}

void slots_free(struct slots *slots)
{
    if (slots == NULL)
        return;
    for (size_t i = 0; i < slots->count; i++) {
        assert(!slots->list[i].taken);
        free(slots->list[i].model);
        free(slots->list[i].prompt);
    }
    free(slots);
}

static size_t common_tokens(const struct slot *slot, const char *model,
                            struct str prompt)
{
    if (slot->model == NULL || !str_is(str_of(slot->model), model))
        return 0;
    return sim_prompt_common_tokens(str_make(slot->prompt, slot->prompt_len), prompt);
}

static struct slot *find(struct slots *slots, const char *model, struct str prompt,
                         size_t *ret_common)
{
    struct slot *best = NULL;
    size_t looked_at = 0;

    for (size_t i = 0; i < slots->count && looked_at < LOOKED_AT; i++) {
        struct slot *slot = &slots->list[i];
        size_t common = 0;

        if (slot->taken)
            continue;
        common = common_tokens(slot, model, prompt);
        /* An unused one is better than overwriting what another may come back for. */
        if (best == NULL || common > *ret_common
            || (common == *ret_common && best->model && slot->model == NULL)) {
            best = slot;
            *ret_common = common;
        }
        looked_at++;
    }
    return best;
}

struct slot *slots_enter_take(struct slots *slots, const char *model,
                              struct buf *prompt, size_t *ret_common)
{
    size_t common = 0;
    struct slot *slot = find(slots, model, buf_str(prompt), &common);

    if (slot == NULL)
        return NULL;
    slot->taken = true;
    free(slot->model);
    free(slot->prompt);
    slot->model = x_strdup(model);
    slot->prompt_len = prompt->len;
    slot->prompt = buf_take(prompt);
    *ret_common = common;
    return slot;
}

void slots_leave(struct slot *slot)
{
    slot->taken = false;
}

/* calls.c - see calls.h. */
#include "analyzer/calls.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/group.h"
#include "analyzer/recent.h"
#include "base/alloc.h"

void calls_init(struct calls *calls)
{
    *calls = (struct calls){.ended = -1,
                            .failed = -1,
                            .cancelled = -1,
                            .wasted = {.tokens_generated = -1, .prompt_tokens = -1},
                            .total_cost = {.cost = -1}};
    calls->ids = recent_new();
}

void calls_done(struct calls *calls)
{
    recent_free(calls->ids);
    recent_free(calls->lost_ids);
    for (size_t i = 0; i < calls->cost_count; i++) {
        free(calls->costs[i].provider);
        free(calls->costs[i].model);
    }
}

void calls_expect(struct calls *calls)
{
    if (calls->ended < 0)
        calls->ended = calls->failed = calls->cancelled = 0;
}

/* ---- what was wasted ---- */

static struct waste *waste_of(struct calls *calls, struct str reason)
{
    char word[WORD_SIZE];
    struct waste *waste;

    word_copy(reason, word);
    for (size_t i = 0; i < calls->reason_count; i++)
        if (strcmp(calls->reasons[i].reason, word) == 0)
            return &calls->reasons[i];
    if (calls->reason_count == WASTE_REASONS_MAX)
        return &calls->reasons[WASTE_REASONS_MAX - 1];
    waste = &calls->reasons[calls->reason_count++];
    *waste = (struct waste){.tokens_generated = -1, .prompt_tokens = -1};
    word_copy(calls->reason_count == WASTE_REASONS_MAX ? str_of("others")
                                                       : str_of(word),
              waste->reason);
    return waste;
}

static void waste_add(struct waste *waste, const struct call *call)
{
    waste->calls++;
    waste->without_counts += call->tokens_generated < 0;
    add_known(&waste->tokens_generated, call->tokens_generated);
    add_known(&waste->prompt_tokens, call->prompt_tokens);
}

static void take_waste(struct calls *calls, const struct call *call)
{
    bool failed = str_is(call->outcome, "failed");

    waste_add(&calls->wasted, call);
    waste_add(waste_of(calls, failed ? call->error : call->outcome), call);
}

/* A lost call proved to be none: it goes out of the sums again. It had no counts. */
static void take_back_lost(struct calls *calls)
{
    struct waste *waste = waste_of(calls, str_of("lost"));

    calls->lost--;
    waste->calls--;
    waste->without_counts--;
    calls->wasted.calls--;
    calls->wasted.without_counts--;
}

/* ---- what it cost ---- */

static bool same_text(const char *kept, struct str text)
{
    return kept == NULL ? text.len == 0 : str_is(text, kept);
}

static char *copy_of(struct str text)
{
    return text.len == 0 ? NULL : x_memdup(text.at, text.len);
}

static struct call_cost *cost_of(struct calls *calls, const struct call *call)
{
    struct call_cost *row;

    for (size_t i = 0; i < calls->cost_count; i++)
        if (same_text(calls->costs[i].provider, call->provider)
            && same_text(calls->costs[i].model, call->model))
            return &calls->costs[i];
    if (calls->cost_count == COST_ROWS_MAX)
        return &calls->costs[COST_ROWS_MAX - 1];
    row = &calls->costs[calls->cost_count++];
    *row = (struct call_cost){.cost = -1};
    if (calls->cost_count < COST_ROWS_MAX) {
        row->provider = copy_of(call->provider);
        row->model = copy_of(call->model);
    }
    return row;
}

static void cost_add(struct call_cost *row, const struct call *call)
{
    row->calls++;
    row->without_cost += !(call->cost >= 0);
    add_known_cost(&row->cost, call->cost);
}

/* ---- records ---- */

static bool take_lost(struct calls *calls, const struct call *call)
{
    if (calls->lost_ids == NULL)
        calls->lost_ids = recent_new();
    if (call->id.len > 0
        && (recent_knows(calls->ids, call->id)
            || recent_seen(calls->lost_ids, call->id)))
        return false;
    calls->ended++;
    calls->lost++;
    /* It has no counts by nature; were there any, they could not be taken back. */
    take_waste(calls, &(struct call){.outcome = call->outcome,
                                     .tokens_generated = -1,
                                     .prompt_tokens = -1,
                                     .cost = -1});
    return true;
}

bool calls_take(struct calls *calls, const struct call *call)
{
    calls_expect(calls);
    if (str_is(call->outcome, "lost"))
        return take_lost(calls, call);
    if (call->id.len > 0 && recent_seen(calls->ids, call->id))
        return false;
    if (call->id.len > 0 && calls->lost_ids != NULL
        && recent_knows(calls->lost_ids, call->id))
        take_back_lost(calls); /* it was not: it counts already */
    else
        calls->ended++;
    calls->preparing += call->turn < 0;
    calls->failed += str_is(call->outcome, "failed");
    calls->cancelled += str_is(call->outcome, "cancelled");
    if (!str_is(call->outcome, "done"))
        take_waste(calls, call);
    cost_add(&calls->total_cost, call);
    cost_add(cost_of(calls, call), call);
    return true;
}

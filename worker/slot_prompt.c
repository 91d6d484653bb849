/* slot_prompt.c - the prompt of a call: as much of the history as fits the server that
 * is about to be asked, and what its counts teach; parts of slot.c.
 *
 * Which server that is, is known when it has a place for us: until then the prompt is
 * the one for the server that answered this seat last.
 *
 * Flow: slot_make_prompt -> slot_fit_prompt (each attempt) -> slot_learn
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/utf8.h"
#include "llm/router.h"
#include "proto/endpoint.h"
#include "worker/slot_call.h"
#include "worker/worker.h"

/* What the budget learns under. */
static void name_model(const struct router_attempt *attempt,
                       char ret_model[BUDGET_MODEL_SIZE])
{
    (void)snprintf(ret_model, BUDGET_MODEL_SIZE, "%s %s", attempt->endpoint->name,
                   attempt->model); /* cut */
}

static size_t room_bytes(struct slot *slot, const char *model,
                         const struct llm_request *request)
{
    return budget_room_bytes(&slot->worker->budget, model, request->num_ctx,
                             request->num_predict);
}

static bool build(struct slot *slot, struct llm_request *request, size_t room)
{
    struct worker *worker = slot->worker;
    const struct prompt_wish wish = {.page = slot->page,
                                     .seat = slot->seat,
                                     .window = slot->window,
                                     .room_bytes = room,
                                     .rejected = buf_str(&slot->rejected),
                                     .complaint = slot->complaint};
    struct err err = {0};

    prompt_done(&slot->prompt);
    if (!prompt_system(&worker->templates, worker->memory, slot->page, slot->seat,
                       slot->structured, &err)
        || !prompt_build(&worker->templates, &wish, &slot->prompt, &err))
        return slot_spoiled(slot, "prompt", "%s", err.msg);
    memcpy(slot->new_window, slot->prompt.window, sizeof slot->new_window);
    slot->room_bytes = room;
    request->messages = slot->prompt.messages;
    request->message_count = slot->prompt.count;
    return true;
}

bool slot_make_prompt(struct slot *slot, struct llm_request *request)
{
    const struct memory_prompt *sent = &slot->page->sent;
    const char *model = sent->seat == slot->seat ? sent->model : "";

    return build(slot, request, room_bytes(slot, model, request));
}

bool slot_can_prompt(const struct slot *slot)
{
    return slot->page->known == slot->lines
           && (size_t)slot->seat <= slot->page->cast.seat_count;
}

/* What is as it would be built anew stays: so does one that cannot be. */
bool slot_fit_prompt(void *owner, const struct router_attempt *attempt,
                     struct llm_request *request)
{
    struct slot *slot = owner;
    char model[BUDGET_MODEL_SIZE];
    size_t room;

    name_model(attempt, model);
    room = room_bytes(slot, model, request);
    return room != slot->room_bytes && slot_can_prompt(slot)
           && build(slot, request, room);
}

/* ---- what a call's counts teach ---- */

static bool counts_are_whole(const struct llm_result *result)
{
    return strcmp(result->provider, "openai") == 0 || result->prompt_cached_tokens >= 0;
}

static void tell_truncated(struct slot *slot, const struct router_attempt *attempt,
                           const struct budget_count *count)
{
    slot->context_truncated = true;
    log_warn("context.truncated",
             "the server cut the prompt%s message=%s:%lld "
             "prompt_tokens=%lld prompt_bytes=%zu num_ctx=%lld endpoint=%s model=%s",
             count->bytes > slot->room_bytes
                 ? ", which is larger than its window without any history"
                 : ", a shorter one next time",
             slot->conversation, (long long)slot->turn, (long long)count->tokens,
             count->bytes, (long long)slot->num_ctx, attempt->endpoint->name,
             log_safe(str_of(attempt->model)));
}

static void learn_window(struct slot *slot, const struct llm_result *result,
                         const char *model)
{
    const struct budget_refusal refusal = {.bytes = slot->prompt.bytes,
                                           .room_bytes = slot->room_bytes,
                                           .num_ctx = slot->num_ctx,
                                           .window = result->window};

    budget_refused(&slot->worker->budget, model, &refusal);
}

void slot_learn(struct slot *slot, const struct llm_result *result,
                const struct router_attempt *attempt)
{
    struct budget *budget = &slot->worker->budget;
    bool openai = strcmp(result->provider, "openai") == 0;
    const struct budget_count count = {.bytes = slot->prompt.bytes,
                                       .tokens = result->prompt_tokens,
                                       .whole = counts_are_whole(result),
                                       .num_ctx = openai ? 0 : slot->num_ctx};
    struct memory_prompt *sent = &slot->page->sent;
    const char *window = slot->new_window[0] == '\0' ? slot->window : slot->new_window;
    char model[BUDGET_MODEL_SIZE];
    bool same;
    struct budget_before before;

    name_model(attempt, model);
    if (result->error == LLM_ERROR_CONTEXT)
        learn_window(slot, result, model);
    if (count.tokens < 0)
        return;
    same = sent->seat == slot->seat && strcmp(sent->model, model) == 0
           && strcmp(sent->window, window) == 0;
    before = (struct budget_before){same ? sent->bytes : 0, sent->tokens};
    if (budget_was_cut(&count, &before)) {
        tell_truncated(slot, attempt, &count);
        budget_shrink(budget, model, count.bytes, slot->room_bytes);
    } else {
        budget_learn(budget, model, &count);
    }
    *sent = (struct memory_prompt){
        .seat = slot->seat, .bytes = count.bytes, .tokens = count.tokens};
    fmt_into(sent->model, sizeof sent->model, "%s", model);
    fmt_into(sent->window, sizeof sent->window, "%s", window);
}

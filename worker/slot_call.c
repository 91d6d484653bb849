/* slot_call.c - see slot_call.h.
 *
 * Flow: slot_call -> on_delta* -> on_result -> slot_settle -> on_settled
 */
#include "worker/slot_call.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/call_record.h"
#include "llm/llm.h"
#include "proto/message.h"
#include "scripts/scripts.h"
#include "worker/worker.h"

enum { NUMBER_SIZE = 32 };

static void on_delta(void *owner, struct str text)
{
    struct slot *slot = owner;

    if (slot->state == TURN_CALLING)
        live_add(&slot->live, text);
}

/* ---- the message ---- */

/* -1 stays -1: unknown. */
static double us_to_ms(int64_t us)
{
    return us < 0 ? -1 : (double)us / 1e3;
}

static double rate(const struct llm_result *result)
{
    if (result->tokens_generated <= 0 || result->generation_ns <= 0)
        return -1;
    return (double)result->tokens_generated * 1e9 / (double)result->generation_ns;
}

static bool write_message(struct slot *slot, const struct llm_result *result)
{
    char id[CONVERSATION_SIZE + 24];
    double wait_us = (double)(slot->received_at_us - slot->asked_at_us);
    struct message message;
    bool ok;

    fmt_into(id, sizeof id, "%s:%lld", slot->conversation, (long long)slot->turn);
    message_init(&message, MESSAGE_TURN);
    message.message_id = x_strdup(id);
    message.role = x_strdup("assistant");
    message.text = x_memdup(result->text.at, result->text.len);
    message.conversation_id = x_strdup(slot->conversation);
    message.sequence_number = slot->turn;
    message.seat = slot->seat;
    message.author = x_strdup(slot->author);
    message.tokens_generated = result->tokens_generated;
    message.generation_time_ms = us_to_ms(result->duration_us);
    message.prompt_tokens = result->prompt_tokens;
    message.time_to_first_token_ms = us_to_ms(result->first_token_us);
    message.tokens_per_second = rate(result);
    message.queue_wait_ms =
        wait_us < 0 ? 0 : wait_us / 1e3; /* clocks agree to a hair */
    message.issue = slot->issue;
    message.provider = x_strdup(result->provider);
    message.endpoint = x_strdup(result->endpoint);
    message.model = x_strdup(result->model);
    message.finish_reason =
        result->finish_reason[0] == '\0' ? NULL : x_strdup(result->finish_reason);
    ok = message_format(&message, &slot->message);
    message_done(&message);
    return ok;
}

static void record_call(const struct slot *slot, const struct llm_result *result)
{
    const struct call_record record = {.conversation = slot->conversation,
                                       .call = slot->call_id,
                                       .worker = slot->name,
                                       .turn = slot->turn,
                                       .issue = slot->issue,
                                       .delivery = slot->deliveries,
                                       .seat = slot->seat,
                                       .began_us = slot->call_began_us};

    if (!call_record_send(slot->worker->redis, &slot->worker->keys, &record, result))
        log_warn("turn", "the record of a call is lost call=%s", slot->call_id);
}

/* ---- the call ---- */

static void on_done(struct slot *slot, const struct llm_result *result)
{
    slot->tokens = result->tokens_generated;
    if (!buf_add_str(&slot->said, result->text) || !write_message(slot, result)) {
        slot_spoiled(slot, "too_large", "the reply does not fit a message");
        slot_feed(slot, TURN_BROKE);
        return;
    }
    slot_feed(slot, TURN_REPLIED);
}

static void on_result(void *owner, const struct llm_result *result)
{
    struct slot *slot = owner;

    slot->call = NULL;
    switch (result->outcome) {
    case LLM_DONE:
        live_end(&slot->live, "done");
        on_done(slot, result);
        break;
    case LLM_FAILED:
        live_end(&slot->live, "failed");
        slot_spoiled(slot, llm_error_name(result->error), "%s", result->reason);
        log_warn("turn", "call failed message=%s:%lld error=%s reason=%s",
                 slot->conversation, (long long)slot->turn, slot->error, slot->reason);
        slot_feed(slot, TURN_BROKE);
        break;
    default:
        live_end(&slot->live, "cancelled");
        slot_feed(slot, TURN_CLOSED);
        break;
    }
    record_call(slot, result); /* behind the commit: nobody waits for it */
}

static bool fill_request(const struct slot *slot, const struct seat *seat,
                         struct llm_request *request)
{
    const struct config *config = slot->worker->config;
    const struct seat_model *own = &seat->model;
    const char *provider = own->provider == NULL ? config->provider : own->provider;

    *request = (struct llm_request){
        .url = config->ollama_url,
        .model = own->model == NULL ? config_model(config, slot->seat) : own->model,
        .num_ctx = own->num_ctx < 0 ? config->num_ctx : own->num_ctx,
        .num_predict = own->num_predict < 0 ? config->num_predict : own->num_predict,
        .temperature = isnan(own->temperature) ? config->temperature : own->temperature,
        .seed = own->seed < 0 ? -1 : own->seed + slot->turn,
        .keep_alive = config->keep_alive,
        .call_id = slot->call_id,
        .connect_ms = config->connect_ms,
        .first_token_ms = config->first_token_ms,
        .between_tokens_ms = config->between_tokens_ms,
        .total_ms = config->total_ms,
    };
    if (!llm_provider_parse(provider, &request->provider))
        return false;
    if (request->provider == LLM_ECHO)
        request->model =
            "echo"; /* no model speaks, whatever one would be the default */
    return true;
}

void slot_call(struct slot *slot)
{
    struct worker *worker = slot->worker;
    const struct memory_page *page = slot->page;
    const struct seat *seat = &page->cast.seats[slot->seat - 1];
    const struct llm_handlers handlers = {on_delta, on_result, slot};
    struct llm_request request;
    struct prompt_wish wish = {
        .page = page, .seat = slot->seat, .window = slot->window};
    struct prompt prompt;
    struct err err = {0};

    if (!fill_request(slot, seat, &request)) {
        slot_spoiled(slot, "provider", "this worker does not know the provider %s",
                     log_safe(str_of(seat->model.provider)));
        slot_feed(slot, TURN_BROKE);
        return;
    }
    wish.room_bytes = budget_room_bytes(&worker->budget, request.model, request.num_ctx,
                                        request.num_predict);
    if (!prompt_system(&worker->templates, worker->memory, slot->page, slot->seat, false,
                       &err)
        || !prompt_build(&worker->templates, &wish, &prompt, &err)) {
        slot_spoiled(slot, "prompt", "%s", err.msg);
        slot_feed(slot, TURN_BROKE);
        return;
    }
    request.messages = prompt.messages;
    request.message_count = prompt.count;
    memcpy(slot->new_window, prompt.window, sizeof slot->new_window);
    slot->author = x_strdup(seat->persona.name);
    slot->live.author = slot->author;
    slot->live.turn = slot->turn;
    slot->live.seat = slot->seat;
    live_begin(&slot->live, slot->conversation, slot->call_id);
    slot->call_began_us = clock_wall_us();
    slot->call = llm_start(worker->llm, &request, &handlers);
    prompt_done(&prompt);
}

void slot_close_call(struct slot *slot)
{
    llm_cancel(slot->call);
}

/* ---- the outcome ---- */

static void on_settled(void *owner, const struct redis_answer *answer)
{
    struct slot *slot = owner;
    struct worker *worker = slot->worker;
    struct str word;

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome != REDIS_OK) {
        log_warn("turn", "refused, trying again message=%s:%lld reason=%s",
                 slot->conversation, (long long)slot->turn,
                 answer->value == NULL ? "lost" : log_safe(answer->value->text));
        slot_settle_later(slot);
        return;
    }
    word = redis_item_text(answer->value, 0);
    if (str_is(word, "OK") && slot->settling == TURN_COMMIT) {
        if (slot->page->known == slot->lines) /* not forgotten meanwhile */
            memory_add_own(worker->memory, slot->page, slot->turn, slot->seat,
                           slot->author, buf_str(&slot->said));
        worker->turns_done++;
    } else if (str_is(word, "OK")) {
        worker->turns_failed++;
    } else {
        log_info("turn", "thrown away message=%s:%lld answer=%s", slot->conversation,
                 (long long)slot->turn, log_safe(word));
    }
    slot_feed(slot, TURN_SETTLED);
}

static const char *count_text(char text[NUMBER_SIZE], int64_t count)
{
    fmt_into(text, NUMBER_SIZE, "%lld", (long long)count);
    return count < 0 ? "" : text;
}

static enum script_id script_of(enum turn_action settling)
{
    if (settling == TURN_COMMIT)
        return SCRIPT_COMMIT;
    return settling == TURN_FAIL ? SCRIPT_FAIL : SCRIPT_DEAD;
}

void slot_settle(struct slot *slot)
{
    struct worker *worker = slot->worker;
    char conversation[KEY_SIZE];
    char request[KEY_SIZE];
    char response[KEY_SIZE];
    char dead[KEY_SIZE];
    char number[4][NUMBER_SIZE];
    struct str argv[12];
    struct redis_eval eval = {.script = script_get(script_of(slot->settling)),
                              .argv = argv,
                              .on_answer = on_settled,
                              .owner = slot};
    size_t n = 0;

    argv[n++] =
        key_make(&worker->keys, "conversation", slot->conversation, conversation);
    argv[n++] = key_lane(&worker->keys, "request", worker->config->seat, request);
    argv[n++] = key_lane(&worker->keys, "response", worker->config->seat, response);
    if (slot->settling == TURN_BURY)
        argv[n++] = key_make(&worker->keys, "dead", NULL, dead);
    eval.keys = n;
    argv[n++] = str_of(slot->conversation);
    argv[n++] = str_of(slot->name);
    argv[n++] = str_of(slot->entry);
    argv[n++] = str_of(count_text(number[0], slot->deliveries));
    /* A request without a proper turn: 0 is over long ago, and acked as such. */
    argv[n++] = str_of(count_text(number[1], slot->turn < 1 ? 0 : slot->turn));
    if (slot->settling == TURN_BURY) {
        argv[n++] = str_of(count_text(number[2], worker->config->max_deliveries));
        argv[n++] = str_of("delivered too often without an answer");
    } else {
        argv[n++] = str_of(count_text(number[2], slot->tokens));
        argv[n++] =
            str_of(slot->settling == TURN_COMMIT ? slot->new_window : slot->error);
        argv[n++] = slot->settling == TURN_COMMIT ? buf_str(&slot->message)
                                                  : str_of(slot->reason);
    }
    eval.argc = n;
    if (!redis_eval(worker->redis, &eval))
        slot_settle_later(slot);
}

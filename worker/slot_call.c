/* slot_call.c - see slot_call.h.
 *
 * An ask is what the router is given: it makes one attempt or more, each a call with an
 * id of its own. A structured reply that is none is asked for once more, with what was
 * wrong: a second ask.
 *
 * Flow: slot_call -> on_attempt -> on_delta* -> judge -> on_attempt_end [-> on_attempt
 *       ...] -> on_result [-> repair] -> TURN_REPLIED, TURN_BROKE or TURN_CLOSED
 */
#include "worker/slot_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "llm/request.h"
#include "llm/router.h"
#include "proto/schema.h"
#include "worker/worker.h"

enum {
    BYTES_A_TOKEN = 16, /* more than any text has, see max_bytes */
    REPLY_MIN_BYTES = 2048,
    REPLY_MAX_BYTES = 256 * 1024,
    OTHER_BYTES = 16 * 1024, /* thinking and JSON around a short reply */
    REJECTED_MAX_BYTES = 4096,
    GIVE_UP_MS = 30000, /* where a fallback reply stands ready */
    STOPS_MAX = 4
};

/* ---- while it is spoken ---- */

static void show(struct slot *slot)
{
    bool anew;
    struct str words = utterance_fresh(&slot->utterance, &anew);

    if (slot->state != TURN_CALLING)
        return;
    if (anew)
        live_restart(&slot->live);
    live_add(&slot->live, words);
}

static void on_delta(void *owner, struct str text)
{
    struct slot *slot = owner;
    bool more = utterance_feed(&slot->utterance, text);

    fault_point("worker.stream");

    show(slot);
    if (!more && !slot->enough) {
        slot->enough = true;
        router_enough(slot->call);
    }
}

/* A reply has num_predict tokens at most; a server that does not keep to it is cut
 * where no text of so many tokens can reach. */
static size_t max_bytes(const struct llm_request *request)
{
    int64_t bytes = request->num_predict * BYTES_A_TOKEN;

    if (bytes < REPLY_MIN_BYTES)
        return REPLY_MIN_BYTES;
    return bytes > REPLY_MAX_BYTES ? REPLY_MAX_BYTES : (size_t)bytes;
}

static void on_attempt(void *owner, const struct router_attempt *attempt)
{
    struct slot *slot = owner;

    fault_point("worker.call");
    fmt_into(slot->call_id, sizeof slot->call_id, "%s", attempt->call_id);
    slot_renew_call(slot);
    slot->enough = false;
    slot->context_truncated = false;
    slot->endpoint_wait_us += attempt->wait_us;
    utterance_begin(&slot->utterance, &slot->page->cast, slot->seat,
                    slot->reply_max_bytes, slot->structured);
    live_begin(&slot->live, slot->conversation, slot->call_id);
}

/* Leaves Redis with the renewal that on_attempt sent: one write for both. */
static void on_sent(void *owner, const struct router_attempt *attempt,
                    const struct llm_sent *sent)
{
    struct slot *slot = owner;

    (void)attempt;
    if (strcmp(slot->worker->config->live_requests, "yes") == 0)
        live_asked(&slot->live, sent->url, sent->body);
}

static void on_waiting(void *owner, const char *servers, const char *reason)
{
    struct slot *slot = owner;

    if (slot->state == TURN_CALLING)
        live_waiting(&slot->live, slot->conversation, servers, reason);
}

/* ---- a call has ended ---- */

static enum llm_error judge(void *owner, const struct llm_result *result)
{
    struct slot *slot = owner;

    utterance_end(&slot->utterance, result->text,
                  strcmp(result->finish_reason, "length") == 0);
    if (slot->structured || utterance_text(&slot->utterance).len > 0)
        return LLM_ERROR_NONE;
    return LLM_ERROR_EMPTY;
}

/* The entry of a call stands before what ends its turn, or lets another call begin: who
 * takes over after us tells of a call as lost that has none. */
static void on_attempt_end(void *owner, const struct router_attempt *attempt,
                           const struct llm_result *result, bool again)
{
    struct slot *slot = owner;

    slot_learn(slot, result, attempt);
    if (result->outcome == LLM_DONE && !again)
        return;
    if (result->outcome == LLM_FAILED) /* of probes the router tells, more seldom */
        log_line(attempt->probe && again ? LOG_DEBUG : LOG_WARN, "turn",
                 "call failed message=%s:%lld call=%s error=%s again=%d "
                 "reason=%s",
                 slot->conversation, (long long)slot->turn, attempt->call_id,
                 llm_error_name(result->error), again, result->reason);
    live_end(&slot->live, result->outcome == LLM_CANCELLED ? "cancelled" : "failed");
    slot_record(slot, result, attempt, NULL);
    if (again)
        slot->call_id[0] = '\0';
}

/* ---- the end of an ask ---- */

/* No server has said anything that can be used: the persona may have words for that. */
static void give_up(struct slot *slot, const struct llm_result *result,
                    const struct router_attempt *attempt)
{
    if (slot->fallback == NULL || slot->state != TURN_CALLING
        || !buf_add_text(&slot->said, slot->fallback)
        || !slot_write_fallback(slot, result, attempt)) {
        slot_feed(slot, TURN_BROKE);
        return;
    }
    log_warn("turn", "the fallback reply is said message=%s:%lld error=%s reason=%s",
             slot->conversation, (long long)slot->turn, slot->error, slot->reason);
    slot_feed(slot, TURN_REPLIED);
}

static void take_reply(struct slot *slot, const struct llm_result *result,
                       const struct router_attempt *attempt)
{
    show(slot); /* what had been held back */
    live_end(&slot->live, "done");
    slot->tokens = result->tokens_generated;
    if (!buf_add_str(&slot->said, utterance_text(&slot->utterance))
        || !slot_write_message(slot, result, attempt)) {
        slot_spoiled(slot, "too_large", "the reply does not fit a message");
        slot_feed(slot, TURN_BROKE);
        return;
    }
    fault_point("worker.reply");
    slot_feed(slot, TURN_REPLIED);
}

static bool ask(struct slot *slot);

/* A structured reply that is none. Once more, unless the turn is on its way out or its
 * history was forgotten meanwhile: the prompt could not be built again. */
static void reject(struct slot *slot, const struct llm_result *result,
                   const struct router_attempt *attempt, const char *complaint)
{
    struct str rejected = utterance_document(&slot->utterance);
    bool first = !slot->repairing;

    live_end(&slot->live, "failed");
    slot_record(slot, result, attempt, "structure");
    log_warn("turn", "not the reply asked for message=%s:%lld call=%s reason=%s",
             slot->conversation, (long long)slot->turn, slot->call_id, complaint);
    slot->call_id[0] = '\0';
    if (first)
        fmt_into(slot->ask_id + strlen(slot->ask_id), 2, "r");
    slot->repairing = true;
    if (rejected.len > REJECTED_MAX_BYTES)
        rejected.len = REJECTED_MAX_BYTES; /* mended where it is written */
    (void)buf_add_str(&slot->rejected, rejected);
    fmt_into(slot->complaint, sizeof slot->complaint, "%s", complaint);
    if (first && slot->state == TURN_CALLING && slot_can_prompt(slot) && ask(slot))
        return;
    slot_spoiled(slot, "structure", "%s", complaint);
    give_up(slot, result, attempt);
}

static void on_done(struct slot *slot, const struct llm_result *result,
                    const struct router_attempt *attempt)
{
    struct err err = {0};

    if (slot->structured && !utterance_check(&slot->utterance, &err)) {
        reject(slot, result, attempt, err.msg);
        return;
    }
    slot_record(slot, result, attempt, NULL);
    take_reply(slot, result, attempt);
}

static void on_result(void *owner, const struct llm_result *result,
                      const struct router_attempt *attempt)
{
    struct slot *slot = owner;

    slot->call = NULL;
    switch (result->outcome) {
    case LLM_DONE:
        on_done(slot, result, attempt);
        break;
    case LLM_FAILED:
        slot_spoiled(slot, llm_error_name(result->error), "%s", result->reason);
        give_up(slot, result, attempt);
        break;
    case LLM_CANCELLED:
        slot_feed(slot, TURN_CLOSED);
        break;
    }
}

/* ---- the start ---- */

/* "\nBen Oak:" ends a reply: the server need not say what is cut off here anyway. */
struct stops {
    char *texts[STOPS_MAX]; /* owned */
    size_t count;
};

static void make_stops(const struct slot *slot, struct stops *stops)
{
    const struct cast *cast = &slot->page->cast;

    stops->count = 0;
    if (slot->structured)
        return; /* there a name stands inside a JSON text */
    for (size_t i = 0; i < cast->seat_count && stops->count < STOPS_MAX; i++)
        if (i + 1 != (size_t)slot->seat)
            stops->texts[stops->count++] =
                x_printf("\n%s:", cast->seats[i].persona.name);
}

static void free_stops(struct stops *stops)
{
    for (size_t i = 0; i < stops->count; i++)
        free(stops->texts[i]);
}

/* From the first ask on: a second one has what is left. 0: there is no limit. */
static int64_t give_up_ms(const struct slot *slot)
{
    int64_t wanted_ms = slot->worker->config->give_up_ms;
    int64_t all_ms = wanted_ms != OPT_NONE    ? wanted_ms
                     : slot->fallback != NULL ? GIVE_UP_MS
                                              : 0;
    int64_t left_ms = slot->called_ms + all_ms - clock_mono_ms();

    if (all_ms == 0)
        return 0;
    return left_ms < 1 ? 1 : left_ms;
}

static void fill_request(const struct slot *slot, const struct seat_model *own,
                         struct llm_request *request)
{
    const struct config *config = slot->worker->config;

    *request = request_of_seat(config, own, slot->turn);
    request->model = own->model == NULL ? config_model(config, slot->seat) : own->model;
    if (slot->structured)
        request->schema = schema_for_model("reply");
}

static bool ask(struct slot *slot)
{
    static const struct router_handlers handlers = {.fit = slot_fit_prompt,
                                                    .on_attempt = on_attempt,
                                                    .on_sent = on_sent,
                                                    .on_delta = on_delta,
                                                    .judge = judge,
                                                    .on_attempt_end = on_attempt_end,
                                                    .on_waiting = on_waiting,
                                                    .on_result = on_result};
    const struct seat *seat = &slot->page->cast.seats[slot->seat - 1];
    struct router_handlers mine = handlers;
    struct router_ask wanted = {.conversation = slot->conversation,
                                .call_id = slot->ask_id,
                                .model = &seat->model,
                                .seat = slot->seat,
                                .turn = slot->turn,
                                .asked_at_us = slot->asked_at_us,
                                .spotlight = seat->spotlight,
                                .closing = slot->closing,
                                .give_up_ms = give_up_ms(slot)};
    struct stops stops;

    fill_request(slot, &seat->model, &wanted.request);
    if (!slot_make_prompt(slot, &wanted.request))
        return false;
    fault_point("worker.prompt");
    slot->num_ctx = wanted.request.num_ctx;
    slot->reply_max_bytes = max_bytes(&wanted.request);
    make_stops(slot, &stops);
    wanted.request.stops = (const char *const *)stops.texts;
    wanted.request.stop_count = stops.count;
    wanted.request.max_reply_bytes = 4 * slot->reply_max_bytes + OTHER_BYTES;
    mine.owner = slot;
    slot->call = router_start(slot->worker->router, &wanted, &mine);
    free_stops(&stops);
    return true;
}

static bool is_echo(const char *word)
{
    return word != NULL && strcmp(word, "echo") == 0;
}

/* Nothing speaks JSON in a dry run. */
static bool is_structured(const struct slot *slot, const struct seat *seat)
{
    const struct config *config = slot->worker->config;
    const struct seat_model *own = &seat->model;

    return (seat->structured || config->structured) && !is_echo(own->endpoint)
           && !is_echo(own->provider == NULL ? config->provider : own->provider);
}

void slot_call(struct slot *slot)
{
    const struct seat *seat = &slot->page->cast.seats[slot->seat - 1];

    slot->author = x_strdup(seat->persona.name);
    slot->fallback =
        seat->fallback_reply == NULL ? NULL : x_strdup(seat->fallback_reply);
    slot->structured = is_structured(slot, seat);
    slot->live.author = slot->author;
    slot->live.turn = slot->turn;
    slot->live.seat = slot->seat;
    slot->called_ms = clock_mono_ms();
    slot->repairing = false;
    slot->context_truncated = false;
    slot->endpoint_wait_us = 0;
    buf_clear(&slot->rejected);
    if (!ask(slot))
        slot_feed(slot, TURN_BROKE);
}

void slot_close_call(struct slot *slot)
{
    router_cancel(slot->call);
}

/* slot_write.c - what a call leaves in writing: the message of its turn, its entry in
 * K:calls, and the process' counters; parts of slot.c.
 */
#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/log.h"
#include "llm/call_record.h"
#include "llm/router.h"
#include "proto/message.h"
#include "worker/slot_call.h"
#include "worker/worker.h"

/* -1 stays -1: unknown. */
static double us_to_ms(int64_t us)
{
    return us < 0 ? -1 : (double)us / 1e3;
}

static double ns_to_ms(int64_t ns)
{
    return ns < 0 ? -1 : (double)ns / 1e6;
}

static double rate(const struct llm_result *result)
{
    if (result->tokens_generated <= 0 || result->generation_ns <= 0)
        return -1;
    return (double)result->tokens_generated * 1e9 / (double)result->generation_ns;
}

/* What is known without any call. */
static void begin_message(const struct slot *slot, struct message *message)
{
    char id[CONVERSATION_SIZE + 24];
    double wait_us = (double)(slot->received_at_us - slot->asked_at_us);

    fmt_into(id, sizeof id, "%s:%lld", slot->conversation, (long long)slot->turn);
    message_init(message, MESSAGE_TURN);
    message->message_id = x_strdup(id);
    message->role = x_strdup("assistant");
    message->conversation_id = x_strdup(slot->conversation);
    message->sequence_number = slot->turn;
    message->seat = slot->seat;
    message->author = x_strdup(slot->author);
    message->queue_wait_ms =
        wait_us < 0 ? 0 : wait_us / 1e3; /* clocks agree to a hair */
    message->endpoint_wait_ms = us_to_ms(slot->endpoint_wait_us);
    message->issue = slot->issue;
    message->num_ctx = slot->num_ctx > 0 ? slot->num_ctx : -1;
    message->worker_ms =
        us_to_ms(redis_clock_now_us(&slot->worker->clock) - slot->received_at_us);
    message->context_truncated = slot->context_truncated;
}

static void name_server(struct message *message, const struct llm_result *result,
                        const struct router_attempt *attempt)
{
    if (attempt == NULL)
        return;
    message->provider = x_strdup(result->provider);
    message->endpoint = x_strdup(attempt->endpoint->name);
    message->model = x_strdup(result->model);
    message->cost = endpoint_cost(attempt->endpoint, result);
}

static void add_times(struct message *message, const struct llm_result *result)
{
    message->chunks = result->deltas > 0 ? (int64_t)result->deltas : -1;
    message->longest_gap_ms = us_to_ms(result->longest_gap_us);
    message->prefill_ms = ns_to_ms(result->prompt_ns);
    message->decode_ms = ns_to_ms(result->generation_ns);
    message->load_ms = ns_to_ms(result->load_ns);
}

static void add_counts(struct message *message, const struct llm_result *result)
{
    message->tokens_generated = result->tokens_generated;
    message->generation_time_ms = us_to_ms(result->duration_us);
    message->prompt_tokens = result->prompt_tokens;
    message->time_to_first_token_ms = us_to_ms(result->first_token_us);
    message->tokens_per_second = rate(result);
    message->prompt_cached_tokens = result->prompt_cached_tokens;
    if (result->finish_reason[0] != '\0')
        message->finish_reason = x_strdup(result->finish_reason);
}

/* The reply's own: structured replies have been checked. */
static void add_reply(struct message *message, const struct utterance *utterance)
{
    struct str text = utterance_text(utterance);
    char words[CLEAN_WORDS_SIZE];

    message->text = x_memdup(text.at, text.len);
    clean_words(utterance->clean.changes, words);
    if (words[0] != '\0')
        message->cleaned = x_strdup(words);
    message->sentiment = utterance->sentiment;
    message->references =
        x_calloc(utterance->reference_count + 1, sizeof *message->references);
    for (size_t i = 0; i < utterance->reference_count; i++)
        message->references[message->reference_count++] =
            x_strdup(utterance->references[i]);
}

static bool format(struct slot *slot, struct message *message)
{
    bool ok = message_format(message, &slot->message);

    message_done(message);
    return ok;
}

bool slot_write_message(struct slot *slot, const struct llm_result *result,
                        const struct router_attempt *attempt)
{
    struct message message;

    begin_message(slot, &message);
    name_server(&message, result, attempt);
    add_counts(&message, result);
    add_times(&message, result);
    add_reply(&message, &slot->utterance);
    return format(slot, &message);
}

bool slot_write_fallback(struct slot *slot, const struct llm_result *result,
                         const struct router_attempt *attempt)
{
    struct message message;

    begin_message(slot, &message);
    name_server(&message, result, attempt);
    message.text = x_strdup(slot->fallback);
    message.finish_reason = x_strdup("fallback");
    message.fallback = true;
    return format(slot, &message);
}

static void count(struct worker *worker, const struct llm_result *result,
                  unsigned changes, bool failed)
{
    worker->calls_ended++;
    worker->calls_failed += failed;
    if (result->outcome != LLM_DONE)
        return;
    for (unsigned i = 0; i < CLEAN_CHANGE_COUNT; i++)
        worker->cleaned[i] += (changes & 1U << i) != 0;
}

/* Those a server told apart are bounded as those within a reply are, in whole
 * characters. */
static struct str thoughts(const struct slot *slot, const struct llm_result *result)
{
    struct str text = result->thinking;

    if (!slot->worker->config->keep_thinking)
        return str_of("");
    if (text.len == 0)
        return utterance_thoughts(&slot->utterance);
    if (text.len <= THOUGHTS_MAX_BYTES)
        return text;
    text.len = THOUGHTS_MAX_BYTES;
    while (((unsigned char)text.at[text.len] & 0xC0) == 0x80)
        text.len--;
    return text;
}

void slot_record(struct slot *slot, const struct llm_result *result,
                 const struct router_attempt *attempt, const char *error)
{
    struct worker *worker = slot->worker;
    unsigned changes = slot->utterance.clean.changes;
    char words[CLEAN_WORDS_SIZE] = "";
    const struct call_record record = {.conversation = slot->conversation,
                                       .call = attempt->call_id,
                                       .worker = slot->name,
                                       .turn = slot->turn,
                                       .issue = slot->issue,
                                       .delivery = slot->deliveries,
                                       .seat = slot->seat,
                                       .num_ctx = slot->num_ctx,
                                       .began_us = attempt->began_us,
                                       .attempt = attempt,
                                       .cleaned = words,
                                       .context_truncated = slot->context_truncated,
                                       .thinking = thoughts(slot, result),
                                       .error = error};

    if (result->outcome == LLM_DONE)
        clean_words(changes, words);
    count(worker, result, changes, result->outcome == LLM_FAILED || error != NULL);
    if (!call_record_send(worker->redis, &worker->keys, &record, result))
        log_warn("turn", "the record of a call is lost call=%s", attempt->call_id);
    fault_point("worker.recorded");
}

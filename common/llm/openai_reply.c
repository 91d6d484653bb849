/* openai_reply.c - see openai_reply.h.
 *
 * Flow: event -> [DONE]? -> (the usual piece of text: picked) | parse -> error? ->
 *       usage, timings -> choices[0]: thinking, text, refusal, finish_reason
 */
#include "llm/openai_reply.h"

#include <string.h>

#include "proto/json_pick.h"

#define NS_A_MS 1e6

/* ---- the usual event ---- */

enum {
    SLOT_OBJECT,
    SLOT_MODEL,
    SLOT_TEXT,
    SLOT_REASONING,
    SLOT_REASONING_CONTENT,
    SLOT_COUNT
};
#define FORM(keys)                       \
    {                                    \
        keys, sizeof keys / sizeof *keys \
    }

/* {"id":"x","object":"chat.completion.chunk","created":1,"model":"m",
 * "choices":[{"index":0,"delta":{"content":" tea"},"finish_reason":null}]}, with what
 * the servers add. */
static bool take_usual_event(struct reply *reply, struct str data)
{
    static const struct json_pick_key delta_keys[] = {
        {.name = "role", .kind = PICK_IGNORE},
        {.name = "content", .kind = PICK_TEXT, .slot = SLOT_TEXT},
        {.name = "reasoning_content",
         .kind = PICK_TEXT,
         .slot = SLOT_REASONING_CONTENT},
        {.name = "reasoning", .kind = PICK_TEXT, .slot = SLOT_REASONING},
        {.name = "refusal", .kind = PICK_NULL},
        {.name = "tool_calls", .kind = PICK_NULL},
        {.name = "function_call", .kind = PICK_NULL},
    };
    static const struct json_pick_form delta = FORM(delta_keys);
    static const struct json_pick_key choice_keys[] = {
        {.name = "index", .kind = PICK_IGNORE},
        {.name = "delta", .kind = PICK_OBJECT, .form = &delta},
        {.name = "logprobs", .kind = PICK_NULL},
        {.name = "finish_reason", .kind = PICK_NULL},
        {.name = "native_finish_reason", .kind = PICK_NULL},
        {.name = "matched_stop", .kind = PICK_NULL},
        {.name = "stop_reason", .kind = PICK_NULL},
        {.name = "token_ids", .kind = PICK_NULL},
    };
    static const struct json_pick_form choice = FORM(choice_keys);
    static const struct json_pick_key keys[] = {
        {.name = "id", .kind = PICK_IGNORE},
        {.name = "provider", .kind = PICK_IGNORE},
        {.name = "object", .kind = PICK_TEXT, .slot = SLOT_OBJECT},
        {.name = "created", .kind = PICK_IGNORE},
        {.name = "model", .kind = PICK_TEXT, .slot = SLOT_MODEL},
        {.name = "service_tier", .kind = PICK_IGNORE},
        {.name = "system_fingerprint", .kind = PICK_IGNORE},
        {.name = "choices", .kind = PICK_ONLY_ITEM, .form = &choice},
        {.name = "usage", .kind = PICK_NULL},
        {.name = "obfuscation", .kind = PICK_IGNORE},
    };
    static const struct json_pick_form form = FORM(keys);
    struct json_pick_text slots[SLOT_COUNT] = {0};
    const struct json_pick_text *thought = &slots[SLOT_REASONING_CONTENT];

    if (reply->finished || !json_pick(data, &form, slots))
        return false;
    /* An error, or an escape in a text that would not be looked at. */
    if (str_is(slots[SLOT_OBJECT].raw, "error") || slots[SLOT_OBJECT].escaped
        || slots[SLOT_REASONING].escaped)
        return false;
    if (thought->raw.len == 0)
        thought = &slots[SLOT_REASONING];
    return reply_take_picked(reply, &slots[SLOT_MODEL], thought, &slots[SLOT_TEXT]);
}

/* ---- counts ---- */

static void take_usage(struct reply *reply, const json_t *usage)
{
    const json_t *details = json_object_get(usage, "prompt_tokens_details");

    reply_count(json_object_get(usage, "prompt_tokens"), &reply->prompt_tokens);
    reply_count(json_object_get(usage, "completion_tokens"), &reply->tokens_generated);
    reply_count(json_object_get(details, "cached_tokens"),
                &reply->prompt_cached_tokens);
    details = json_object_get(usage, "completion_tokens_details");
    reply_count(json_object_get(details, "reasoning_tokens"), &reply->thought_tokens);
}

static int64_t ns_of(const json_t *ms)
{
    double ns = json_is_number(ms) ? json_number_value(ms) * NS_A_MS : -1;

    return ns >= 0 && ns < (double)INT64_MAX ? (int64_t)ns : -1;
}

static void fill_unknown(int64_t *count, int64_t value)
{
    if (*count < 0)
        *count = value;
}

/* llama.cpp's: prompt_n were computed, cache_n came from its cache. What the usage says
 * goes first: it is the API's own. */
static void take_timings(struct reply *reply, const json_t *timings)
{
    int64_t computed = -1;
    int64_t cached = -1;
    int64_t generated = -1;

    if (!json_is_whole(json_object_get(timings, "prompt_n"), &computed) || computed < 0)
        return;
    if (json_is_whole(json_object_get(timings, "cache_n"), &cached) && cached >= 0) {
        fill_unknown(&reply->prompt_cached_tokens, cached);
        fill_unknown(&reply->prompt_tokens, computed + cached);
    }
    if (json_is_whole(json_object_get(timings, "predicted_n"), &generated)
        && generated >= 0)
        fill_unknown(&reply->tokens_generated, generated);
    reply->prompt_ns = ns_of(json_object_get(timings, "prompt_ms"));
    reply->generation_ns = ns_of(json_object_get(timings, "predicted_ms"));
}

/* ---- a choice ---- */

/* vLLM has sent the same thought under both names at once. */
static bool take_thought(struct reply *reply, const struct json_place *delta)
{
    struct str thought = str_of("");

    if (!reply_text(reply, json_member(delta, "reasoning_content"), &thought))
        return false;
    if (thought.len == 0
        && !reply_text(reply, json_member(delta, "reasoning"), &thought))
        return false;
    return reply_think(reply, thought);
}

static bool take_delta(struct reply *reply, const struct json_place *delta)
{
    struct str piece = str_of("");

    if (!take_thought(reply, delta)
        || !reply_text(reply, json_member(delta, "content"), &piece)
        || !reply_say(reply, piece)
        || !reply_text(reply, json_member(delta, "refusal"), &piece))
        return false;
    (void)utf8_mend(piece, &reply->refusal); /* what does not fit is left out */
    return true;
}

static bool take_finish(struct reply *reply, const struct json_place *choice)
{
    struct str reason = str_of("");

    if (!reply_text(reply, json_member(choice, "finish_reason"), &reason))
        return false;
    if (reason.len == 0) /* null, or "" of old servers */
        return true;
    if (str_is(reason, "error"))
        return reply_fail(reply, LLM_ERROR_STREAM,
                          "the server broke off (finish reason \"error\")");
    reply_name_finish(reply, reason);
    reply->finished = true;
    return true;
}

/* A chunk with the usage alone has no choice; other choices were not asked for. */
static bool take_choice(struct reply *reply, const struct json_place *root)
{
    struct json_place choices = json_member(root, "choices");
    struct json_place choice = json_item(&choices, 0);
    struct json_place delta = json_member(&choice, "delta");
    struct err err = {0};
    bool there;

    if (choices.value != NULL && !json_is_null(choices.value)
        && !json_is_array(choices.value)) {
        (void)json_fail(&choices, "an array", &err);
        return reply_fail_here(reply, &err);
    }
    if (choice.value == NULL || reply->finished)
        return true;
    if (delta.value == NULL)
        delta = json_member(&choice, "message"); /* of an answer that is no stream */
    return reply_object(reply, choice, &there) && reply_object(reply, delta, &there)
           && take_delta(reply, &delta) && take_finish(reply, &choice);
}

/* ---- an event ---- */

static bool take_chunk(struct reply *reply, const struct json_place *root, bool bad)
{
    struct str model = str_of("");
    struct err err = {0};

    if (!json_is_object(root->value)) {
        (void)json_fail(root, "an object", &err);
        return reply_fail_here(reply, &err);
    }
    if (!reply_check_complaint(reply, root->value, bad)
        || !reply_text(reply, json_member(root, "model"), &model))
        return false;
    reply_name_model(reply, model);
    take_usage(reply, json_object_get(root->value, "usage"));
    take_timings(reply, json_object_get(root->value, "timings"));
    return take_choice(reply, root);
}

/* `bad`: the event itself says that it is an error. */
static bool take_data(struct reply *reply, struct str data, bool bad)
{
    json_t *document = NULL;
    struct err err = {0};
    struct json_place root;
    bool more;

    if (!bad && take_usual_event(reply, data))
        return reply->error == LLM_ERROR_NONE;
    if (!reply_read(reply, data, &document, &err))
        return bad ? reply_fail(reply, LLM_ERROR_STREAM, "the server broke off: %s",
                                log_safe(data))
                   : reply_fail(reply, LLM_ERROR_PROTOCOL,
                                "event %zu of the reply is not JSON: %s", reply->steps,
                                err.msg);
    root = json_root(document);
    more = take_chunk(reply, &root, bad);
    json_decref(document);
    return more;
}

static bool is_end_marker(struct str data)
{
    return str_is(str_trim(data), "[DONE]");
}

bool openai_reply_event(struct reply *reply, const struct sse_event *event)
{
    reply->steps++;
    if (event->error.len > 0)
        return take_data(reply, event->error, true);
    if (is_end_marker(event->data)) {
        reply_close(reply);
        return false;
    }
    return take_data(reply, event->data, str_is(event->name, "error"));
}

/* ---- the end ---- */

/* Broken off in the middle of its JSON? */
static bool is_whole(struct reply *reply, struct str data)
{
    json_t *document = NULL;

    if (is_end_marker(data))
        return true;
    if (!reply_read(reply, data, &document, NULL))
        return false;
    json_decref(document);
    return true;
}

void openai_reply_rest(struct reply *reply, const struct sse_event *event)
{
    if (is_whole(reply, event->error.len > 0 ? event->error : event->data))
        (void)openai_reply_event(reply, event); /* done and error say the rest */
}

void openai_reply_document(struct reply *reply, struct str document)
{
    reply->steps++;
    if (!is_whole(reply, document))
        return; /* cut, so there is no end either */
    if (take_data(reply, document, false) && reply->text.len + reply->refusal.len > 0)
        reply->finished = true;
}

void openai_reply_end(struct reply *reply, const char *broken)
{
    if (reply->done || reply->error != LLM_ERROR_NONE)
        return;
    if (reply->finished)
        reply_close(reply);
    else
        reply_cut(reply, broken);
}

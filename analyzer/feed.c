/* feed.c - see feed.h. */
#include "analyzer/feed.h"

#include <jansson.h>

#include "analyzer/tally.h"
#include "base/clock.h"
#include "proto/message.h"
#include "proto/message_scan.h"
#include "proto/schema.h"

bool feed_message(struct tally *tally, struct str json, struct err *err)
{
    struct message message;

    /* Nearly all lines are turns as we write them: no memory is asked for then. */
    if (json.len <= MESSAGE_MAX_BYTES
        && message_scan_into(json, tally_room(tally, json.len), &message)) {
        tally_message(tally, &message);
        return true;
    }
    if (!message_parse(json, &message, err))
        return false;
    tally_message(tally, &message);
    message_done(&message);
    return true;
}

/* Empty when the key is missing or no text. Borrowed from the document. */
static struct str text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value)
               ? str_make(json_string_value(value), json_string_length(value))
               : str_of("");
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) ? json_number_value(value) : -1;
}

static int64_t count_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : -1;
}

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t at_us = -1;

    return clock_parse_us(text_of(object, key), &at_us) ? at_us : -1;
}

static void take_call(struct tally *tally, const json_t *call)
{
    tally_call(
        tally,
        &(struct call){.id = text_of(call, "call"),
                       .outcome = text_of(call, "outcome"),
                       .error = text_of(call, "error"),
                       .conversation = text_of(call, "conversation"),
                       .provider = text_of(call, "provider"),
                       .model = text_of(call, "model"),
                       .turn = count_of(call, "turn"),
                       .seat = count_of(call, "seat"),
                       .started_us = time_of(call, "started_at"),
                       .ended_us = time_of(call, "ended_at"),
                       .first_token_ms = number_of(call, "time_to_first_token_ms"),
                       .tokens_generated = count_of(call, "tokens_generated"),
                       .prompt_tokens = count_of(call, "prompt_tokens"),
                       .prompt_cached_tokens = count_of(call, "prompt_cached_tokens"),
                       .cost = number_of(call, "cost")});
}

bool feed_call(struct tally *tally, struct str json, struct err *err)
{
    json_t *call = NULL;
    bool ok;

    if (!json_read(json, &call, err))
        return false;
    ok = text_of(call, "outcome").len > 0;
    if (ok)
        take_call(tally, call);
    else
        err_set(err, ERR_FORMAT, "/outcome: expected a text");
    json_decref(call);
    return ok;
}

static void take_event(struct tally *tally, const json_t *event)
{
    struct str conversation = text_of(event, "conversation");
    int64_t at_us;

    tally_state(tally, conversation, text_of(event, "state"), text_of(event, "reason"));
    if (str_is(text_of(event, "event"), "dialogue.initiate")
        && clock_parse_us(text_of(event, "at"), &at_us))
        tally_begin(tally, conversation, at_us);
}

bool feed_event(struct tally *tally, struct str json, struct err *err)
{
    json_t *event = NULL;
    bool ok;

    if (!json_read(json, &event, err))
        return false;
    ok = text_of(event, "conversation").len > 0;
    if (ok)
        take_event(tally, event);
    else
        err_set(err, ERR_FORMAT, "/conversation: expected a text");
    json_decref(event);
    return ok;
}

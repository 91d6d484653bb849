/* feed.c - see feed.h. */
#include "analyzer/feed.h"

#include <jansson.h>

#include "analyzer/tally.h"
#include "base/clock.h"
#include "proto/message.h"
#include "proto/schema.h"

bool feed_message(struct tally *tally, struct str json, struct err *err)
{
    struct message message;

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

bool feed_call(struct tally *tally, struct str json, struct err *err)
{
    json_t *call = NULL;
    struct str outcome;
    bool ok;

    if (!json_read(json, &call, err))
        return false;
    outcome = text_of(call, "outcome");
    ok = outcome.len > 0;
    if (ok)
        tally_call(tally, text_of(call, "call"), outcome);
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

/* replay_parse.c - see replay_parse.h. */
#include "observer/source/replay_parse.h"

#include <jansson.h>

#include "base/clock.h"
#include "proto/schema.h"

static struct str text_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value)
               ? str_make(json_string_value(value), json_string_length(value))
               : str_of("");
}

static int64_t count_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) && json_integer_value(value) >= 0
               ? json_integer_value(value)
               : -1;
}

static double number_of(const json_t *object, const char *key)
{
    const json_t *value = json_object_get(object, key);

    return json_is_number(value) && json_number_value(value) >= 0
               ? json_number_value(value)
               : -1;
}

static int64_t time_of(const json_t *object, const char *key)
{
    int64_t at_us;

    return clock_parse_us(text_of(object, key), &at_us) ? at_us : -1;
}

bool replay_call_parse(struct str line, struct replay_call *ret_call, struct err *err)
{
    json_t *call = NULL;

    if (!json_read(line, &call, err))
        return false;
    *ret_call = (struct replay_call){
        .document = call,
        .call = text_of(call, "call"),
        .endpoint = text_of(call, "endpoint"),
        .tier = text_of(call, "tier"),
        .worker = text_of(call, "worker"),
        .outcome = text_of(call, "outcome"),
        .error = text_of(call, "error"),
        .turn = count_of(call, "turn"),
        .seat = count_of(call, "seat"),
        .started_us = time_of(call, "started_at"),
        .ended_us = time_of(call, "ended_at"),
        .tokens = count_of(call, "tokens_generated"),
        .first_token_ms = number_of(call, "time_to_first_token_ms"),
    };
    if (ret_call->outcome.len > 0 && ret_call->call.len > 0)
        return true;
    replay_call_done(ret_call);
    return err_set(err, ERR_FORMAT, "/outcome, /call: expected texts");
}

void replay_call_done(struct replay_call *call)
{
    json_decref(call->document);
    *call = (struct replay_call){.document = NULL};
}

bool replay_event_parse(struct str line, struct replay_event *ret_event,
                        struct err *err)
{
    json_t *event = NULL;

    if (!json_read(line, &event, err))
        return false;
    *ret_event = (struct replay_event){
        .document = event,
        .event = text_of(event, "event"),
        .state = text_of(event, "state"),
        .reason = text_of(event, "reason"),
        .at_us = time_of(event, "at"),
        .turn = count_of(event, "turn"),
    };
    if (ret_event->event.len > 0)
        return true;
    replay_event_done(ret_event);
    return err_set(err, ERR_FORMAT, "/event: expected a text");
}

void replay_event_done(struct replay_event *event)
{
    json_decref(event->document);
    *event = (struct replay_event){.document = NULL};
}

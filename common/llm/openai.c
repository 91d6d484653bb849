/* openai.c - what is sent to a server of the OpenAI API, and its answer cut into
 * events.
 *
 * A server that does not stream, or that puts an error under status 200, answers with
 * one JSON document: its first byte tells it from a stream of events.
 */
#include "llm/openai.h"

#include <assert.h>
#include <string.h>

#include "llm/openai_reply.h"
#include "llm/reader.h"
#include "llm/wire.h"
#include "proto/json_write.h"
#include "proto/model_options.h"

/* ---- out ---- */

/* OpenAI itself refuses what the servers that copy it have added. */
static const char *name_of(const struct llm_request *request,
                           const struct model_option *option)
{
    static const char strict[] = "https://api.openai.com";

    if (option->own
        || (option->api == API_OTHERS && str_starts(str_of(request->url), strict)))
        return NULL;
    return option->openai;
}

static bool write_max_tokens(const struct llm_request *request, struct buf *into)
{
    return request->num_predict <= 0
           || (buf_add_text(into, ",\"max_tokens\":")
               && json_write_i64(into, request->num_predict));
}

/* The levels this API has; a model that thinks anyway ("true") needs no word. */
static bool write_think(const char *think, struct buf *into)
{
    if (think == NULL || strcmp(think, "true") == 0)
        return true;
    if (strcmp(think, "false") == 0)
        think = "none";
    else if (strcmp(think, "max") == 0)
        think = "high";
    return buf_add_text(into, ",\"reasoning_effort\":") && json_write_text(into, think);
}

static bool write_schema(const char *schema, struct buf *into)
{
    return schema == NULL
           || (buf_add_text(into, ",\"response_format\":{\"type\":\"json_schema\","
                                  "\"json_schema\":{\"name\":\"reply\",\"strict\":true,"
                                  "\"schema\":")
               && buf_add_str(into, str_trim(str_of(schema)))
               && buf_add_text(into, "}}"));
}

static bool openai_write(const struct llm_request *request, struct buf *into)
{
    assert(request->model != NULL);
    return buf_add_text(into, "{\"model\":") && json_write_text(into, request->model)
           && wire_write_messages(request, into)
           && buf_add_text(into, ",\"stream\":true,"
                                 "\"stream_options\":{\"include_usage\":true}")
           && write_max_tokens(request, into) && wire_write_temperature(request, into)
           && wire_write_seed(request, into) && wire_write_stops(request, into)
           && write_think(request->think, into) && write_schema(request->schema, into)
           && wire_write_options(request, name_of, into) && buf_add_char(into, '}');
}

/* ---- in ---- */

static bool openai_type_fits(const char *content_type)
{
    return wire_type_is(content_type, "text/event-stream")
           || wire_type_is(content_type, "application/json");
}

static bool on_event(void *owner, const struct sse_event *event)
{
    struct reader *reader = owner;
    bool more = openai_reply_event(&reader->reply, event);

    return reader->on_step(reader->owner) && more;
}

static bool openai_feed(struct reader *reader, struct str bytes, struct err *err)
{
    if (!reader->is_document)
        return sse_feed(&reader->events, bytes, on_event, reader, err);
    return buf_add_str(&reader->document, bytes)
           || err_set(err, ERR_LIMIT, "more than %zu bytes", reader->document.max);
}

static void openai_end(struct reader *reader, const char *broken)
{
    struct reply *reply = &reader->reply;
    struct sse_event event;

    if (reader->is_document)
        openai_reply_document(reply, buf_str(&reader->document));
    else if (sse_rest(&reader->events, &event))
        openai_reply_rest(reply, &event);
    if (!reply->done && reply->error == LLM_ERROR_NONE && reply->steps == 0
        && reader->events.foreign_lines > 0)
        reply_fail(reply, LLM_ERROR_PROTOCOL, "the answer is not a stream of events");
    openai_reply_end(reply, broken);
    (void)reader->on_step(reader->owner); /* there is nothing left to stop */
}

const struct dialect *openai_dialect(void)
{
    static const struct dialect openai = {
        .api = "the OpenAI API",
        .usual_path = "/v1",
        .chat_path = "/chat/completions",
        .list_path = "/models",
        .unit = "event",
        .write = openai_write,
        .type_fits = openai_type_fits,
        .feed = openai_feed,
        .end = openai_end,
    };

    return &openai;
}

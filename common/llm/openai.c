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
#include "llm/param.h"
#include "llm/reader.h"
#include "llm/wire.h"
#include "proto/json_write.h"
#include "proto/model_options.h"

/* ---- out ---- */

/* OpenAI itself, in any of its regions (https://eu.api.openai.com). */
static bool is_openai(const char *url)
{
    static const char scheme[] = "https://";
    static const char host[] = "api.openai.com";
    struct str rest = str_of(url);
    struct str name;
    size_t len = strlen(host);

    if (!str_starts(rest, scheme))
        return false;
    name = str_cut(str_make(rest.at + strlen(scheme), rest.len - strlen(scheme)), '/',
                   &rest);
    name = str_cut(name, ':', &rest);
    return str_is(name, host)
           || (name.len > len && name.at[name.len - len - 1] == '.'
               && memcmp(name.at + name.len - len, host, len) == 0);
}

/* It refuses what the servers that copy it have added. */
bool openai_takes(const char *url, const struct model_option *option)
{
    return option->openai != NULL && !(option->api == API_OTHERS && is_openai(url));
}

static const char *name_of(const struct llm_request *request,
                           const struct model_option *option)
{
    return !option->own && openai_takes(request->url, option) ? option->openai : NULL;
}

/* OpenAI has given it another name, which its copies may not know; its reasoning models
 * refuse the old one wherever they are served. */
static enum llm_param max_tokens_of(const struct llm_request *request)
{
    bool now = is_openai(request->url);

    if (param_is_out(request, PARAM_MAX_TOKENS))
        now = true;
    else if (param_is_out(request, PARAM_MAX_COMPLETION_TOKENS))
        now = false;
    return now ? PARAM_MAX_COMPLETION_TOKENS : PARAM_MAX_TOKENS;
}

static bool write_max_tokens(const struct llm_request *request, struct buf *into)
{
    return request->num_predict <= 0
           || (buf_add_text(into, ",\"")
               && buf_add_text(into, param_name(max_tokens_of(request)))
               && buf_add_text(into, "\":")
               && json_write_i64(into, request->num_predict));
}

/* A model that is not allowed to stream answers with one document. The padding against
 * listeners who count bytes would double what travels, and TLS is between us. */
static bool write_stream(const struct llm_request *request, struct buf *into)
{
    if (param_is_out(request, PARAM_STREAM))
        return true;
    if (param_is_out(request, PARAM_STREAM_OPTIONS))
        return buf_add_text(into, ",\"stream\":true");
    return buf_add_text(into,
                        ",\"stream\":true,\"stream_options\":{\"include_usage\":true")
           && (!is_openai(request->url)
               || buf_add_text(into, ",\"include_obfuscation\":false"))
           && buf_add_char(into, '}');
}

/* A model that thinks anyway ("true") needs no word. */
static bool has_effort(const struct llm_request *request)
{
    return request->think != NULL && strcmp(request->think, "true") != 0
           && !param_is_out(request, PARAM_THINK);
}

/* The levels this API has. */
static bool write_think(const struct llm_request *request, struct buf *into)
{
    const char *think = request->think;

    if (!has_effort(request))
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

static unsigned openai_params(const struct llm_request *request)
{
    unsigned both = 1U << PARAM_MAX_TOKENS | 1U << PARAM_MAX_COMPLETION_TOKENS;
    unsigned params = wire_params(request);

    if (request->num_predict > 0 && (request->without & both) == 0)
        params |= 1U << max_tokens_of(request);
    if (has_effort(request))
        params |= 1U << PARAM_THINK;
    if (!param_is_out(request, PARAM_STREAM))
        params |= 1U << PARAM_STREAM | (1U << PARAM_STREAM_OPTIONS & ~request->without);
    return params;
}

static bool openai_write(const struct llm_request *request, struct buf *into)
{
    assert(request->model != NULL);
    return buf_add_text(into, "{\"model\":") && json_write_text(into, request->model)
           && wire_write_messages(request, into) && write_stream(request, into)
           && write_max_tokens(request, into) && wire_write_temperature(request, into)
           && wire_write_seed(request, into) && wire_write_stops(request, into)
           && write_think(request, into) && write_schema(request->schema, into)
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
        .params = openai_params,
        .write = openai_write,
        .type_fits = openai_type_fits,
        .feed = openai_feed,
        .end = openai_end,
    };

    return &openai;
}

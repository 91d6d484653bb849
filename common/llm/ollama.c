/* ollama.c - what is sent to an Ollama server, and its answer cut into lines.
 *
 * Unknown option names are passed over by the server in silence, so what is in
 * `options` has been checked before.
 */
#include "llm/ollama.h"

#include <assert.h>
#include <string.h>

#include "llm/ollama_reply.h"
#include "llm/param.h"
#include "llm/reader.h"
#include "llm/wire.h"
#include "proto/json_write.h"
#include "proto/model_options.h"

/* ---- out ---- */

/* A whole number is sent as one (seconds), anything else as text: a Go duration needs
 * its unit. */
static bool write_keep_alive(const char *keep_alive, struct buf *into)
{
    int64_t seconds;

    if (keep_alive == NULL)
        return true;
    return buf_add_text(into, ",\"keep_alive\":")
           && (str_to_i64(str_of(keep_alive), INT32_MIN, INT32_MAX, &seconds)
                   ? json_write_i64(into, seconds)
                   : json_write_text(into, keep_alive));
}

/* A level is a text, on and off are not. */
static bool write_think(const struct llm_request *request, struct buf *into)
{
    const char *think = request->think;

    if (think == NULL || param_is_out(request, PARAM_THINK))
        return true;
    return buf_add_text(into, ",\"think\":")
           && (strcmp(think, "true") == 0 || strcmp(think, "false") == 0
                   ? buf_add_text(into, think)
                   : json_write_text(into, think));
}

static const char *name_of(const struct llm_request *request,
                           const struct model_option *option)
{
    (void)request;
    return option->own ? NULL : option->name;
}

static bool write_options(const struct llm_request *request, struct buf *into)
{
    return buf_add_text(into, ",\"options\":{\"num_ctx\":")
           && json_write_i64(into, request->num_ctx)
           && buf_add_text(into, ",\"num_predict\":")
           && json_write_i64(into, request->num_predict)
           && wire_write_temperature(request, into) && wire_write_seed(request, into)
           && wire_write_stops(request, into)
           && wire_write_options(request, name_of, into) && buf_add_char(into, '}');
}

/* Options that it does not know it passes over. */
static unsigned ollama_params(const struct llm_request *request)
{
    bool sent = request->think != NULL && !param_is_out(request, PARAM_THINK);

    return sent ? 1U << PARAM_THINK : 0;
}

static bool ollama_write(const struct llm_request *request, struct buf *into)
{
    assert(request->model != NULL);
    return buf_add_text(into, "{\"model\":") && json_write_text(into, request->model)
           && wire_write_messages(request, into)
           && buf_add_text(into, ",\"stream\":true")
           && (request->schema == NULL
               || (buf_add_text(into, ",\"format\":")
                   && buf_add_str(into, str_trim(str_of(request->schema)))))
           && write_think(request, into) && write_keep_alive(request->keep_alive, into)
           && write_options(request, into) && buf_add_char(into, '}');
}

/* ---- in ---- */

static bool ollama_type_fits(const char *content_type)
{
    return wire_type_is(content_type, "application/x-ndjson")
           || wire_type_is(content_type, "application/json");
}

static bool on_line(void *owner, struct str line)
{
    struct reader *reader = owner;
    bool more = ollama_reply_line(&reader->reply, line);

    return reader->on_step(reader->owner) && more;
}

static bool ollama_feed(struct reader *reader, struct str bytes, struct err *err)
{
    return ndjson_feed(&reader->lines, bytes, on_line, reader, err);
}

static void ollama_end(struct reader *reader, const char *broken)
{
    ollama_reply_end(&reader->reply, ndjson_rest(&reader->lines), broken);
    (void)reader->on_step(reader->owner); /* there is nothing left to stop */
}

const struct dialect *ollama_dialect(void)
{
    static const struct dialect ollama = {
        .api = "Ollama's API",
        .usual_path = "",
        .chat_path = "/api/chat",
        .list_path = "/api/tags",
        .loaded_path = "/api/ps",
        .unit = "line",
        .params = ollama_params,
        .write = ollama_write,
        .type_fits = ollama_type_fits,
        .feed = ollama_feed,
        .end = ollama_end,
    };

    return &ollama;
}

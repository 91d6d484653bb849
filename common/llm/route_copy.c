/* route_copy.c - see route_copy.h. The block holds the request, then the arrays, then
 * the texts.
 */
#include "llm/route_copy.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"

static size_t size_of(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static size_t texts_size(const struct llm_request *request)
{
    size_t size = size_of(request->schema) + size_of(request->options)
                  + size_of(request->think) + size_of(request->keep_alive);

    for (size_t i = 0; i < request->message_count; i++)
        size += strlen(request->messages[i].role) + 1 + request->messages[i].text.len;
    for (size_t i = 0; i < request->stop_count; i++)
        size += size_of(request->stops[i]);
    return size;
}

static char *put(char **at, const char *from, size_t len)
{
    char *text = *at;

    if (len > 0)
        memcpy(text, from, len);
    *at += len;
    return text;
}

static const char *put_text(char **at, const char *from)
{
    return from == NULL ? NULL : put(at, from, strlen(from) + 1);
}

struct llm_request *route_copy(const struct llm_request *request)
{
    size_t messages_size = request->message_count * sizeof(struct llm_message);
    size_t stops_size = request->stop_count * sizeof(char *);
    size_t arrays_size = sizeof(struct llm_request) + messages_size + stops_size;
    size_t size = arrays_size + texts_size(request);
    char *block = x_malloc(size);
    struct llm_request *copy = (struct llm_request *)(void *)block;
    struct llm_message *messages =
        (struct llm_message *)(void *)(block + sizeof(struct llm_request));
    const char **stops = (const char **)(void *)((char *)messages + messages_size);
    char *at = block + arrays_size;

    *copy = *request;
    copy->url = copy->endpoint = copy->key = copy->model = copy->call_id = NULL;
    copy->schema = put_text(&at, request->schema);
    copy->options = put_text(&at, request->options);
    copy->think = put_text(&at, request->think);
    copy->keep_alive = put_text(&at, request->keep_alive);
    for (size_t i = 0; i < request->message_count; i++) {
        struct str text = request->messages[i].text;

        messages[i].role = put_text(&at, request->messages[i].role);
        messages[i].text = str_make(put(&at, text.at, text.len), text.len);
    }
    for (size_t i = 0; i < request->stop_count; i++)
        stops[i] = put_text(&at, request->stops[i]);
    copy->messages = messages;
    copy->stops = request->stop_count > 0 ? stops : NULL;
    assert(at == block + size);
    return copy;
}

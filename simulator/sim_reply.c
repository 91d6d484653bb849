/* sim_reply.c - see sim_reply.h.
 *
 * Flow: sim_reply_make -> sim_prompt_fit -> talk_reply | fill_schema -> apply_stops
 *       -> apply_limit
 */
#include "simulator/sim_reply.h"

#include <string.h>

#include "simulator/fill.h"
#include "simulator/talk.h"
#include "simulator/tokens.h"

enum { REPLY_MAX_BYTES = 64 << 20, WINDOWS_MAX = 10 };

static bool fill_format(const struct sim_request *request, const struct talk_ask *ask,
                        struct buf *into, struct err *err)
{
    json_t *any = NULL;
    bool ok = false;

    if (request->schema)
        return fill_schema(request->schema, ask, into, err);
    any = json_pack("{s:s, s:{s:{s:s}}}", "type", "object", "properties", "message",
                    "type", "string");
    ok = fill_schema(any, ask, into, err);
    json_decref(any);
    return ok;
}

/* Ends the text before the first stop that is in it. */
static void apply_stops(const json_t *stops, struct buf *text)
{
    size_t end = text->len;

    for (size_t i = 0; i < json_array_size(stops); i++) {
        const char *stop = json_string_value(json_array_get(stops, i));
        const char *at = stop[0] ? strstr(buf_text(text), stop) : NULL;

        if (at && (size_t)(at - text->at) < end)
            end = (size_t)(at - text->at);
    }
    if (end < text->len) {
        text->len = end;
        text->at[end] = '\0';
    }
}

static void apply_limit(const struct sim_request *request, struct sim_reply *reply)
{
    int64_t limit = WINDOWS_MAX * request->num_ctx;

    if (request->num_predict >= 0 && request->num_predict < limit)
        limit = request->num_predict;
    reply->tokens = tokens_count(buf_str(&reply->text));
    if ((int64_t)reply->tokens <= limit)
        return;
    reply->cut = true;
    reply->tokens = (size_t)limit;
    reply->text.len = tokens_take(buf_str(&reply->text), reply->tokens).len;
    reply->text.at[reply->text.len] = '\0';
}

bool sim_reply_make(const struct sim_options *options, struct sim_request *request,
                    struct sim_reply *ret_reply, struct err *err)
{
    struct sim_reply reply = {0};
    struct talk_ask ask = {.prompt = &request->prompt,
                           .seed = request->seed >= 0 ? (uint64_t)request->seed
                                                      : options->seed,
                           .min_tokens = options->reply_min,
                           .max_tokens = options->reply_max};

    buf_init(&reply.text, REPLY_MAX_BYTES);
    buf_init(&reply.prompt, REPLY_MAX_BYTES);
    sim_prompt_fit(&request->prompt, (size_t)request->num_ctx);
    sim_prompt_render(&request->prompt, &reply.prompt);
    reply.prompt_tokens = tokens_count(buf_str(&reply.prompt));
    if (request->schema || request->json) {
        if (!fill_format(request, &ask, &reply.text, err)) {
            sim_reply_done(&reply);
            return false;
        }
    } else {
        talk_reply(&ask, &reply.text);
    }
    apply_stops(request->stops, &reply.text);
    apply_limit(request, &reply);
    *ret_reply = reply;
    return true;
}

void sim_reply_done(struct sim_reply *reply)
{
    buf_done(&reply->text);
    buf_done(&reply->prompt);
}

/* sim_reply.c - see sim_reply.h.
 *
 * Flow: sim_reply_make -> sim_prompt_fit -> cut_prompt -> make_words -> apply_stops
 *       -> apply_limit -> apply_fault
 */
#include "simulator/sim_reply.h"

#include <string.h>

#include "simulator/fill.h"
#include "simulator/talk.h"
#include "simulator/tokens.h"

enum {
    REPLY_MAX_BYTES = 64 << 20,
    FORMAT_MAX_BYTES = 1 << 20,
    WINDOWS_MAX = 10,
    SMALL_WINDOW = 2048
};

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

static void keep_tokens(struct buf *text, size_t count)
{
    if (text->len == 0)
        return;
    text->len = tokens_take(buf_str(text), count).len;
    text->at[text->len] = '\0';
}

/* Thoughts count, and come first. */
static void cut_words(struct sim_reply *reply, size_t tokens)
{
    size_t thoughts = tokens_count(buf_str(&reply->thinking));

    reply->cut = true;
    reply->tokens = tokens;
    keep_tokens(&reply->text, tokens > thoughts ? tokens - thoughts : 0);
    keep_tokens(&reply->thinking, tokens);
}

static void apply_limit(const struct sim_request *request, struct sim_reply *reply)
{
    int64_t limit = WINDOWS_MAX * request->num_ctx;

    /* Who may not shift its window ends where it is full. */
    if (request->runner.no_shift)
        limit = request->num_ctx - (int64_t)reply->prompt_tokens;
    if (request->num_predict >= 0 && request->num_predict < limit)
        limit = request->num_predict;
    reply->tokens =
        tokens_count(buf_str(&reply->text)) + tokens_count(buf_str(&reply->thinking));
    if ((int64_t)reply->tokens > limit)
        cut_words(reply, (size_t)limit);
}

/* What cannot be dropped from a prompt is cut in its middle, as the real server does.
 */
static void cut_prompt(struct sim_reply *reply, size_t window)
{
    struct str all = buf_str(&reply->prompt);
    size_t head = tokens_take(all, window / 2).len;
    size_t count = tokens_count(all);
    size_t tail = 0;

    reply->prompt_tokens = count < window ? count : window;
    if (count <= window)
        return;
    tail = tokens_take(all, count - (window - window / 2)).len;
    memmove(reply->prompt.at + head, all.at + tail, all.len - tail + 1);
    reply->prompt.len = head + all.len - tail;
}

/* Where nothing is said there may be something else. */
static void say_nothing(const struct fault *fault, struct sim_reply *reply)
{
    if (fault->kind != FAULT_THINKING_ONLY)
        buf_clear(&reply->thinking);
    else if (reply->thinking.len == 0)
        (void)buf_add_str(&reply->thinking, buf_str(&reply->text)); /* the same bound */
    reply->tokens = tokens_count(buf_str(&reply->thinking));
    reply->tool = fault->kind == FAULT_TOOL_ONLY;
    reply->load = fault->kind == FAULT_LOAD;
    buf_clear(&reply->text);
}

static void apply_fault(const struct fault *fault, struct sim_reply *reply)
{
    switch (fault->kind) {
    case FAULT_LENGTH:
        cut_words(reply, (reply->tokens + 1) / 2);
        break;
    case FAULT_EMPTY:
    case FAULT_LOAD:
    case FAULT_TOOL_ONLY:
    case FAULT_THINKING_ONLY:
        say_nothing(fault, reply);
        break;
    default:
        break;
    }
}

/* A thought is what would have been said with another seed. */
static void think(const struct talk_ask *said, struct buf *into)
{
    struct talk_ask ask = *said;

    ask.seed++;
    (void)buf_add_text(into, "Let me think. "); /* far from the bound */
    talk_reply(&ask, into);
}

static bool make_words(const struct sim_options *options, const struct fault *fault,
                       const struct sim_request *request, struct sim_reply *reply,
                       struct err *err)
{
    struct talk_ask ask = {.prompt = &request->prompt,
                           .seed = request->seed >= 0 ? (uint64_t)request->seed
                                                      : options->seed,
                           .min_tokens = options->reply_min,
                           .max_tokens = options->reply_max};

    if (options->vary)
        ask.seed += request->number;
    if (request->think)
        think(&ask, &reply->thinking);
    if (fault->text)
        return buf_add_text(&reply->text, fault->text)
               || err_set(err, ERR_LIMIT, "the fault's text is too long");
    if (request->schema || request->json)
        return fill_format(request, &ask, &reply->text, err);
    talk_reply(&ask, &reply->text);
    return true;
}

static bool check_window(struct sim_request *request, size_t tokens, struct err *err)
{
    if ((int64_t)tokens <= request->num_ctx)
        return true;
    if (request->endpoint == SIM_COMPLETIONS) {
        request->refused_param = "messages";
        request->refused_code = "context_length_exceeded";
        return err_set(err, ERR_LIMIT,
                       "This model's maximum context length is %lld tokens. However, "
                       "your messages resulted in %zu tokens. Please reduce the length "
                       "of the messages.",
                       (long long)request->num_ctx, tokens);
    }
    return err_set(err, ERR_LIMIT,
                   "the prompt is longer than the context length currently available "
                   "to the model; it has %zu tokens, at most %lld are possible",
                   tokens, (long long)request->num_ctx);
}

/* The prompt as the model gets it. False: it may not be cut as it would have to be. */
static bool fit(struct sim_request *request, struct err *err)
{
    struct sim_prompt *prompt = &request->prompt;

    if (request->strict && !check_window(request, sim_prompt_tokens(prompt), err))
        return false;
    sim_prompt_fit(prompt, (size_t)request->num_ctx);
    return !request->runner.no_shift
           || check_window(request, sim_prompt_tokens(prompt), err);
}

bool sim_reply_make(const struct sim_options *options, const struct fault *fault,
                    struct sim_request *request, struct sim_reply *ret_reply,
                    struct err *err)
{
    struct sim_reply reply = {0};

    buf_init(&reply.thinking, REPLY_MAX_BYTES);
    buf_init(&reply.text,
             request->schema && !fault->text ? FORMAT_MAX_BYTES : REPLY_MAX_BYTES);
    buf_init(&reply.prompt, REPLY_MAX_BYTES);
    if (fault->kind == FAULT_TRUNCATE
        && fault_or(fault->num_ctx, SMALL_WINDOW) < request->num_ctx)
        request->num_ctx = fault_or(fault->num_ctx, SMALL_WINDOW);
    if (!fit(request, err))
        return false;
    sim_prompt_render(&request->prompt, &reply.prompt);
    cut_prompt(&reply, (size_t)request->num_ctx);
    if (!make_words(options, fault, request, &reply, err)) {
        sim_reply_done(&reply);
        return false;
    }
    apply_stops(request->stops, &reply.text);
    apply_limit(request, &reply);
    apply_fault(fault, &reply);
    *ret_reply = reply;
    return true;
}

void sim_reply_done(struct sim_reply *reply)
{
    buf_done(&reply->thinking);
    buf_done(&reply->text);
    buf_done(&reply->prompt);
}

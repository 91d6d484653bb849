/* ollama.c - a call of POST /api/chat from its sending to its result.
 *
 * The clocks of tokens are our own, since bytes are not tokens: a server that sends
 * lines without text all day has said nothing. Connecting and the total time are
 * watched by the HTTP client. What the reply says, and whether it is one, is judged in
 * ollama_reply.c; here only what happens to the connection.
 *
 * Flow: ollama_start -> on_data -> on_line ... -> (end marker | failure | on_clock |
 *       cancel) -> on_done -> on_result
 */
#include "llm/ollama.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "llm/ollama_reply.h"
#include "llm/ollama_wire.h"
#include "llm/provider.h"
#include "net/http.h"
#include "proto/ndjson.h"

#define REPLY_BYTES_DEFAULT ((size_t)1024 * 1024)

enum {
    FIRST_TOKEN_MS_DEFAULT = 300000, /* a model that is loaded first takes minutes */
    BETWEEN_TOKENS_MS_DEFAULT = 60000,
    /* After the end marker the server should close; waiting for that lets it see a
     * call that ended well. */
    LINGER_MS = 1000,
    ERROR_BODY_BYTES_MAX = 16 * 1024,
    LINE_BYTES_EXTRA = 64 * 1024, /* what stands around the text */
    ESCAPED_BYTES_MAX = 6,        /* a byte of text as \u00XX */
    WIRE_BYTES_A_BYTE = 256       /* a line for each byte of text */
};

struct ollama_call {
    struct llm_call call;   /* first */
    struct http_call *http; /* NULL once it has ended */
    struct loop_timer timer;
    struct ndjson lines;
    struct ollama_reply reply;
    struct buf error_body; /* of a status other than 200 */
    int64_t first_token_ms;
    int64_t between_tokens_ms;
    int64_t heard_at_us;    /* the last text or thought; the start before any */
    int64_t first_token_us; /* -1 none yet */
    int64_t duration_us;    /* -1 not over */
    int status;             /* 0 none */
    bool looked;            /* a clock is over; sockets get a last chance to be read */
};

static struct ollama_call *ollama_of(struct llm_call *call)
{
    return (struct ollama_call *)(void *)call;
}

/* ---- what is heard ---- */

static void ollama_heard(struct ollama_call *ollama)
{
    bool first = ollama->first_token_us < 0;

    ollama->heard_at_us = clock_mono_us();
    ollama->looked = false;
    if (!first)
        return; /* the timer fires when it was due, and looks again */
    ollama->first_token_us = ollama->heard_at_us - ollama->call.started_us;
    loop_timer_start(&ollama->timer, ollama->between_tokens_ms);
}

static void ollama_over(struct ollama_call *ollama)
{
    ollama->duration_us = clock_mono_us() - ollama->call.started_us;
    loop_timer_start(&ollama->timer, LINGER_MS);
}

/* What has been added to the text since it had that length. */
static struct str text_since(const struct ollama_reply *reply, size_t had_bytes)
{
    struct str text = buf_str(&reply->text);

    return str_make(text.at + had_bytes, text.len - had_bytes);
}

static bool on_line(void *owner, struct str line)
{
    struct ollama_call *ollama = owner;
    struct ollama_reply *reply = &ollama->reply;
    size_t had_bytes = reply->text.len;
    size_t had_pieces = reply->pieces + reply->thoughts;
    bool more = ollama_reply_line(reply, line);

    if (reply->pieces + reply->thoughts > had_pieces)
        ollama_heard(ollama);
    if (reply->done)
        ollama_over(ollama);
    llm_call_say(&ollama->call, text_since(reply, had_bytes));
    return more;
}

static bool ollama_check_type(struct ollama_call *ollama, const char *content_type)
{
    if (ollama_type_fits(content_type))
        return true;
    return ollama_reply_fail(&ollama->reply, LLM_ERROR_PROTOCOL,
                             "the answer is \"%s\", not JSON lines: no Ollama server?",
                             log_safe(str_of(content_type)));
}

/* Enough of the body to tell what is wrong; there is no more to wait for then. */
static bool keep_error(struct ollama_call *ollama, struct str bytes)
{
    size_t room = ollama->error_body.max - ollama->error_body.len;

    if (bytes.len > room)
        bytes.len = room;
    return buf_add_str(&ollama->error_body, bytes) && bytes.len < room;
}

static bool on_data(void *owner, int status, const char *content_type, struct str bytes)
{
    struct ollama_call *ollama = owner;
    struct err err = {0};

    ollama->status = status;
    if (ollama->reply.done)
        return true; /* only the end of the connection is waited for */
    if (status != 200)
        return keep_error(ollama, bytes);
    if (!ollama_check_type(ollama, content_type))
        return false;
    if (!ndjson_feed(&ollama->lines, bytes, on_line, ollama, &err))
        return ollama_reply_fail(&ollama->reply, LLM_ERROR_TOO_LARGE, "the reply: %s",
                                 err.msg);
    return ollama->reply.error == LLM_ERROR_NONE || ollama->reply.done;
}

/* ---- the clocks ---- */

static void ollama_time_out(struct ollama_call *ollama)
{
    bool first = ollama->first_token_us < 0;
    char wait[32];

    duration_format(first ? ollama->first_token_ms : ollama->between_tokens_ms, wait,
                    sizeof wait);
    ollama_reply_fail(&ollama->reply, LLM_ERROR_TIMEOUT,
                      first ? "no first token within %s" : "no further token within %s",
                      wait);
    http_cancel(ollama->http);
}

static void on_clock(struct loop_timer *timer, void *owner)
{
    struct ollama_call *ollama = owner;
    int64_t wait_ms =
        ollama->first_token_us < 0 ? ollama->first_token_ms : ollama->between_tokens_ms;
    int64_t left_us = ollama->heard_at_us + wait_ms * 1000 - clock_mono_us();

    if (ollama->reply.done) {
        http_cancel(ollama->http);
    } else if (left_us > 0) {
        ollama->looked = false;
        loop_timer_start_us(timer, left_us);
    } else if (!ollama->looked) {
        /* After a pause of our own timers come before sockets: what has arrived
         * meanwhile is read first. */
        ollama->looked = true;
        loop_timer_start(timer, 0);
    } else {
        ollama_time_out(ollama);
    }
}

/* ---- the end ---- */

static void judge_stream(struct ollama_call *ollama, const struct http_result *http)
{
    struct ollama_reply *reply = &ollama->reply;
    size_t had_bytes = reply->text.len;

    if (!ollama_check_type(ollama, http->content_type))
        return;
    ollama_reply_end(reply, ndjson_rest(&ollama->lines), http->reason);
    llm_call_say(&ollama->call, text_since(reply, had_bytes));
}

/* Nothing was settled while the reply came in: the end of the connection decides. */
static void ollama_judge(struct ollama_call *ollama, const struct http_result *http)
{
    static const enum llm_error errors[HTTP_OUTCOME_COUNT] = {
        [HTTP_REFUSED] = LLM_ERROR_REFUSED,
        [HTTP_TIMEOUT] = LLM_ERROR_TIMEOUT,
        [HTTP_TOO_LARGE] = LLM_ERROR_TOO_LARGE,
    };
    struct ollama_reply *reply = &ollama->reply;
    struct err reason = {0};

    if (errors[http->outcome] != LLM_ERROR_NONE) {
        ollama_reply_fail(reply, errors[http->outcome], "%s", http->reason);
    } else if (http->status == 0) {
        ollama_reply_fail(reply, LLM_ERROR_TRUNCATED, "%s", http->reason);
    } else if (http->status == 200) {
        judge_stream(ollama, http);
    } else {
        ollama_describe_error(http->status, buf_str(&ollama->error_body), &reason);
        ollama_reply_fail(reply, ollama_status_error(http->status), "%s", reason.msg);
    }
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void ollama_tell(struct ollama_call *ollama, int64_t connect_us)
{
    const struct ollama_reply *reply = &ollama->reply;
    struct llm_result result;

    llm_result_init(&ollama->call, &result);
    result.outcome = reply->error == LLM_ERROR_NONE ? LLM_DONE : LLM_FAILED;
    result.error = reply->error;
    result.reason = reply->reason.msg;
    result.http_status = ollama->status;
    result.text = buf_str(&reply->text);
    result.thinking = buf_str(&reply->thinking);
    result.finish_reason = text_or_empty(reply->finish_reason);
    if (reply->model != NULL)
        result.model = reply->model;
    result.prompt_tokens = reply->prompt_tokens;
    result.prompt_cached_tokens = reply->prompt_cached_tokens;
    result.tokens_generated = reply->tokens_generated;
    result.load_ns = reply->load_ns;
    result.prompt_ns = reply->prompt_ns;
    result.generation_ns = reply->generation_ns;
    result.total_ns = reply->total_ns;
    result.connect_us = connect_us;
    result.first_token_us = ollama->first_token_us;
    if (ollama->duration_us >= 0)
        result.duration_us = ollama->duration_us;
    result.deltas = reply->pieces;
    llm_call_end(&ollama->call, &result);
}

static void on_done(void *owner, const struct http_result *http)
{
    struct ollama_call *ollama = owner;
    const struct ollama_reply *reply = &ollama->reply;

    ollama->http = NULL;
    ollama->status = http->status;
    if (!reply->done && reply->error == LLM_ERROR_NONE)
        ollama_judge(ollama, http);
    loop_timer_stop(&ollama->timer);
    ollama_tell(ollama, http->connect_us);
}

static void ollama_cancel(struct llm_call *call)
{
    struct ollama_call *ollama = ollama_of(call);

    if (ollama->http != NULL)
        http_cancel(ollama->http); /* else on_done is running, and tells */
}

static void ollama_free(struct llm_call *call)
{
    struct ollama_call *ollama = ollama_of(call);

    if (ollama->http != NULL)
        http_drop(ollama->http);
    loop_timer_stop(&ollama->timer);
    ndjson_done(&ollama->lines);
    ollama_reply_done(&ollama->reply);
    buf_done(&ollama->error_body);
    llm_call_done(call);
    free(ollama);
}

/* ---- the start ---- */

static int64_t ms_or(int64_t ms, int64_t otherwise_ms)
{
    return ms > 0 ? ms : otherwise_ms;
}

static void ollama_send(struct ollama_call *ollama, const struct llm_request *request,
                        size_t max_reply_bytes)
{
    const struct http_handlers handlers = {on_data, on_done, ollama};
    char *url = ollama_join(request->url, "/api/chat");
    char *turn = request->call_id == NULL
                     ? NULL
                     : x_printf("X-Parley-Turn: %s", request->call_id);
    const char *headers[] = {"Content-Type: application/json", turn, NULL};
    struct http_request http = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .max_bytes = max_reply_bytes * WIRE_BYTES_A_BYTE + LINE_BYTES_EXTRA,
        .connect_ms = request->connect_ms,
        .total_ms = request->total_ms,
    };
    struct buf body;
    bool ok;

    buf_init(&body, SIZE_MAX / 2); /* the prompt is ours, and bounded by num_ctx */
    ok = ollama_write_request(request, &body);
    assert(ok);
    http.body = buf_str(&body);
    ollama->http = http_start(ollama->call.llm->http, &http, &handlers);
    buf_done(&body);
    free(turn);
    free(url);
}

struct llm_call *ollama_start(struct llm *llm, const struct llm_request *request,
                              const struct llm_handlers *handlers)
{
    struct ollama_call *ollama = x_calloc(1, sizeof(*ollama));
    size_t most =
        request->max_reply_bytes > 0 ? request->max_reply_bytes : REPLY_BYTES_DEFAULT;

    assert(request->url != NULL && request->model != NULL);
    llm_call_init(&ollama->call, llm, request, handlers);
    ollama->call.endpoint = ollama_endpoint(request->url);
    ollama->call.model = x_strdup(request->model);
    ollama->call.cancel = ollama_cancel;
    ollama->call.free = ollama_free;
    ollama->first_token_ms = ms_or(request->first_token_ms, FIRST_TOKEN_MS_DEFAULT);
    ollama->between_tokens_ms =
        ms_or(request->between_tokens_ms, BETWEEN_TOKENS_MS_DEFAULT);
    ollama->heard_at_us = ollama->call.started_us;
    ollama->first_token_us = -1;
    ollama->duration_us = -1;
    ndjson_init(&ollama->lines, most * ESCAPED_BYTES_MAX + LINE_BYTES_EXTRA);
    ollama_reply_init(&ollama->reply, most);
    buf_init(&ollama->error_body, ERROR_BODY_BYTES_MAX);
    loop_timer_init(&ollama->timer, llm->loop, on_clock, ollama);
    loop_timer_start(&ollama->timer, ollama->first_token_ms);
    ollama_send(ollama, request, most);
    return &ollama->call;
}

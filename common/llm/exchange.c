/* exchange.c - see exchange.h.
 *
 * The clocks of tokens are our own, since bytes are not tokens: a server that sends
 * comments or lines without text all day has said nothing. Connecting and the total
 * time are watched by the HTTP client. What the reply says, and whether it is one, is
 * judged in the dialect's reader; here only what happens to the connection.
 *
 * Flow: exchange_start -> on_data -> on_step ... -> (end marker | failure | on_clock |
 *       cancel) -> on_done -> on_result
 */
#include "llm/exchange.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "llm/provider.h"
#include "llm/reader.h"
#include "llm/verdict.h"
#include "llm/wire.h"
#include "net/http.h"

#define REPLY_BYTES_DEFAULT ((size_t)1024 * 1024)

enum {
    FIRST_TOKEN_MS_DEFAULT = 300000, /* a model that is loaded first takes minutes */
    BETWEEN_TOKENS_MS_DEFAULT = 60000,
    /* After the end marker the server should close; waiting for that lets it see a
     * call that ended well. */
    LINGER_MS = 1000,
    /* Between the model's last word and the stream's end marker only counts follow. */
    COUNTS_MS = 2000,
    /* Python servers repeat what they were sent, the prompt with it. */
    ERROR_BODY_BYTES_MAX = 512 * 1024
};

struct exchange {
    struct llm_call call; /* first */
    const struct dialect *dialect;
    struct http_call *http; /* NULL once it has ended */
    struct loop_timer timer;
    struct reader reader;
    struct buf error_body; /* of a status other than 200 */
    char *url;             /* owned; as it may be shown */
    char *key;             /* owned; NULL none */
    bool loads;            /* a request without messages */
    unsigned params;       /* of param.h: sent, and may be left out */
    enum llm_param untaken;
    int64_t window; /* that a prompt did not fit; -1 */
    int64_t first_token_ms;
    int64_t between_tokens_ms;
    int64_t heard_at_us;    /* the last text or thought; the start before any */
    int64_t first_token_us; /* -1 none yet */
    int64_t longest_gap_us; /* -1 fewer than two */
    int64_t duration_us;    /* -1 not over */
    int64_t retry_after_ms;
    int64_t connect_us;
    int status;        /* 0 none */
    size_t said_bytes; /* of the text */
    size_t heard;      /* pieces of text and of thinking */
    bool type_fits;    /* looked at and found good */
    bool looked;       /* a clock is over; sockets get a last chance to be read */
};

static struct exchange *exchange_of(struct llm_call *call)
{
    return (struct exchange *)(void *)call;
}

/* ---- what is heard ---- */

static void exchange_heard(struct exchange *exchange)
{
    bool first = exchange->first_token_us < 0;
    int64_t now_us = clock_mono_us();
    int64_t gap_us = now_us - exchange->heard_at_us;

    exchange->heard_at_us = now_us;
    exchange->looked = false;
    if (!first && gap_us > exchange->longest_gap_us)
        exchange->longest_gap_us = gap_us;
    if (!first)
        return; /* the timer fires when it was due, and looks again */
    exchange->first_token_us = exchange->heard_at_us - exchange->call.started_us;
    loop_timer_start(&exchange->timer, exchange->between_tokens_ms);
}

static void exchange_over(struct exchange *exchange)
{
    if (exchange->duration_us < 0)
        exchange->duration_us = clock_mono_us() - exchange->call.started_us;
    loop_timer_start(&exchange->timer,
                     exchange->reader.reply.done ? LINGER_MS : COUNTS_MS);
}

/* What has been added to the text since. */
static void exchange_say(struct exchange *exchange)
{
    struct str text = buf_str(&exchange->reader.reply.text);
    size_t had_bytes = exchange->said_bytes;

    exchange->said_bytes = text.len;
    if (text.len > had_bytes)
        llm_call_say(&exchange->call,
                     str_make(text.at + had_bytes, text.len - had_bytes));
}

static bool on_step(void *owner)
{
    struct exchange *exchange = owner;
    const struct reply *reply = &exchange->reader.reply;
    size_t heard = reply->pieces + reply->thoughts;

    if (heard > exchange->heard) {
        exchange->heard = heard;
        exchange_heard(exchange);
    }
    if (reply->done || (reply->finished && exchange->duration_us < 0))
        exchange_over(exchange);
    exchange_say(exchange);
    return !exchange->call.cancelled && !exchange->call.enough;
}

/* Enough of the body to tell what is wrong; there is no more to wait for then. */
static bool keep_error(struct exchange *exchange, struct str bytes)
{
    size_t room = exchange->error_body.max - exchange->error_body.len;

    if (bytes.len > room)
        bytes.len = room;
    return buf_add_str(&exchange->error_body, bytes) && bytes.len < room;
}

static bool on_data(void *owner, int status, const char *content_type, struct str bytes)
{
    struct exchange *exchange = owner;

    exchange->status = status;
    if (exchange->reader.reply.done)
        return true; /* only the end of the connection is waited for */
    if (status != 200)
        return keep_error(exchange, bytes);
    exchange->type_fits =
        exchange->type_fits || exchange->dialect->type_fits(content_type);
    if (!exchange->type_fits)
        return false; /* on_done tells */
    return reader_feed(&exchange->reader, bytes) || exchange->reader.reply.done;
}

/* ---- the clocks ---- */

static void exchange_time_out(struct exchange *exchange)
{
    bool first = exchange->first_token_us < 0;
    char waited[32];

    duration_format(first ? exchange->first_token_ms : exchange->between_tokens_ms,
                    waited, sizeof waited);
    reply_fail(&exchange->reader.reply, LLM_ERROR_TIMEOUT, "no %s token within %s",
               first ? "first" : "further", waited);
    http_cancel(exchange->http);
}

static void on_clock(struct loop_timer *timer, void *owner)
{
    struct exchange *exchange = owner;
    int64_t wait_ms = exchange->first_token_us < 0 ? exchange->first_token_ms
                                                   : exchange->between_tokens_ms;
    int64_t left_us = exchange->heard_at_us + wait_ms * 1000 - clock_mono_us();

    if (exchange->reader.reply.finished) {
        http_cancel(exchange->http); /* what has come is the reply */
    } else if (left_us > 0) {
        exchange->looked = false;
        loop_timer_start_us(timer, left_us);
    } else if (!exchange->looked) {
        /* After a pause of our own timers come before sockets: what has arrived
         * meanwhile is read first. */
        exchange->looked = true;
        loop_timer_start(timer, 0);
    } else {
        exchange_time_out(exchange);
    }
}

/* ---- the end ---- */

/* Nothing was settled while the reply came in: the end of the connection decides. */
static void exchange_judge(struct exchange *exchange, const struct http_result *http)
{
    struct reply *reply = &exchange->reader.reply;
    const struct verdict_ask ask = {
        .dialect = exchange->dialect,
        .type_fits = exchange->dialect->type_fits,
        .url = exchange->url,
        .path = exchange->dialect->chat_path,
        .model = exchange->call.model,
        .sent = exchange->params,
        .with_key = exchange->key != NULL,
        .now_us = clock_wall_us(),
    };
    struct verdict verdict;

    verdict_of(&ask, http, buf_str(&exchange->error_body), &verdict);
    exchange->retry_after_ms = verdict.retry_after_ms;
    exchange->untaken = verdict.param;
    exchange->window = verdict.window;
    if (verdict.param != PARAM_NONE)
        learned_untaken(&exchange->call.llm->learned, exchange->url,
                        exchange->call.model, verdict.param);
    /* After the model's last word it no longer counts how the connection ended. */
    if (verdict.error == LLM_ERROR_NONE || reply->finished)
        reader_end(&exchange->reader, http->reason);
    else
        reply_fail(reply, verdict.error, "%s", verdict.reason.msg);
}

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void exchange_fill(const struct exchange *exchange, struct llm_result *result)
{
    const struct reply *reply = &exchange->reader.reply;

    result->http_status = exchange->status;
    if (exchange->untaken != PARAM_NONE)
        result->untaken = param_name(exchange->untaken);
    result->window = exchange->window >= 0 ? exchange->window : reply->window;
    result->retry_after_ms = exchange->retry_after_ms >= 0 ? exchange->retry_after_ms
                                                           : reply->retry_after_ms;
    result->text = buf_str(&reply->text);
    result->thinking = buf_str(&reply->thinking);
    result->finish_reason = text_or_empty(reply->finish_reason);
    if (reply->model != NULL)
        result->model = reply->model;
    result->prompt_tokens = reply->prompt_tokens;
    result->prompt_cached_tokens = reply->prompt_cached_tokens;
    result->tokens_generated = reply->tokens_generated;
    result->load_ns = reply->load_ns;
    result->prompt_ns = reply->prompt_ns;
    result->generation_ns = reply->generation_ns;
    result->total_ns = reply->total_ns;
    result->connect_us = exchange->connect_us;
    result->first_token_us = exchange->first_token_us;
    result->longest_gap_us = exchange->longest_gap_us;
    if (exchange->duration_us >= 0)
        result->duration_us = exchange->duration_us;
    result->deltas = reply->pieces;
}

static void exchange_tell(struct exchange *exchange)
{
    struct reply *reply = &exchange->reader.reply;
    bool loaded = exchange->loads && reply->done && reply->error == LLM_ERROR_EMPTY;
    struct llm_result result;

    llm_result_init(&exchange->call, &result);
    exchange_fill(exchange, &result);
    result.error = loaded ? LLM_ERROR_NONE : reply->error;
    result.outcome = result.error == LLM_ERROR_NONE ? LLM_DONE : LLM_FAILED;
    wire_hide_key(reply->reason.msg, exchange->key); /* "Invalid key: sk-..." */
    result.reason = reply->reason.msg;
    llm_call_end(&exchange->call, &result);
}

/* Its thoughts have taken what its words were allowed. */
static void exchange_learn_room(struct exchange *exchange)
{
    const struct reply *reply = &exchange->reader.reply;

    if (strcmp(text_or_empty(reply->finish_reason), "length") == 0)
        learned_thought(&exchange->call.llm->learned, exchange->url,
                        exchange->call.model, reply->thought_tokens);
}

static void on_done(void *owner, const struct http_result *http)
{
    struct exchange *exchange = owner;
    const struct reply *reply = &exchange->reader.reply;
    bool given_up = exchange->call.cancelled || exchange->call.enough;

    exchange->http = NULL;
    exchange->status = http->status;
    exchange_learn_room(exchange);
    exchange->connect_us = http->connect_us;
    if (!given_up && !reply->done && reply->error == LLM_ERROR_NONE)
        exchange_judge(exchange, http);
    loop_timer_stop(&exchange->timer);
    exchange_tell(exchange);
}

static void exchange_cancel(struct llm_call *call)
{
    struct exchange *exchange = exchange_of(call);

    if (exchange->http != NULL)
        http_cancel(exchange->http); /* else on_done is running, and tells */
}

static void exchange_free(struct llm_call *call)
{
    struct exchange *exchange = exchange_of(call);

    if (exchange->http != NULL)
        http_drop(exchange->http);
    loop_timer_stop(&exchange->timer);
    reader_done(&exchange->reader);
    buf_done(&exchange->error_body);
    free(exchange->url);
    free(exchange->key);
    llm_call_done(call);
    free(exchange);
}

/* ---- the start ---- */

static int64_t ms_or(int64_t ms, int64_t otherwise_ms)
{
    return ms > 0 ? ms : otherwise_ms;
}

static void exchange_told_sent(const struct exchange *exchange, struct str body)
{
    const struct llm_handlers *handlers = &exchange->call.handlers;
    char *url;

    if (handlers->on_sent == NULL)
        return;
    url = wire_join(exchange->url, exchange->dialect->chat_path);
    handlers->on_sent(handlers->owner, &(struct llm_sent){url, body});
    free(url);
}

static void exchange_send(struct exchange *exchange, const struct llm_request *request,
                          size_t max_reply_bytes)
{
    const struct http_handlers handlers = {on_data, on_done, exchange};
    char *url = wire_join(request->url, exchange->dialect->chat_path);
    char *turn = wire_header("X-Parley-Turn: ", request->call_id);
    char *key = wire_header("Authorization: Bearer ", request->key);
    const char *headers[4] = {"Content-Type: application/json"};
    struct http_request http = {
        .method = "POST",
        .url = url,
        .headers = headers,
        .max_bytes = reader_wire_bytes(max_reply_bytes),
        .connect_ms = request->connect_ms,
        .total_ms = request->total_ms,
    };
    struct buf body;
    size_t count = 1;
    bool ok;

    if (turn != NULL)
        headers[count++] = turn;
    if (key != NULL)
        headers[count++] = key;
    buf_init(&body, SIZE_MAX / 2); /* the prompt is ours, and bounded by num_ctx */
    ok = exchange->dialect->write(request, &body);
    assert(ok);
    http.body = buf_str(&body);
    exchange_told_sent(exchange, http.body);
    exchange->http = http_start(exchange->call.llm->http, &http, &handlers);
    buf_done(&body);
    free(key);
    free(turn);
    free(url);
}

/* What the model does not take is left out. What it is allowed is for its words: where
 * thoughts have cut them off, room for these comes on top. */
static void heed_lessons(struct llm_request *request, const struct learned_model *known)
{
    if (known != NULL)
        request->without |= known->untaken;
    if (request->num_predict > 0)
        request->num_predict += learned_room(known);
}

struct llm_call *exchange_start(struct llm *llm, const struct dialect *dialect,
                                const struct llm_request *asked,
                                const struct llm_handlers *handlers)
{
    struct exchange *exchange = x_calloc(1, sizeof(*exchange));
    struct llm_request request = *asked;
    size_t most =
        request.max_reply_bytes > 0 ? request.max_reply_bytes : REPLY_BYTES_DEFAULT;

    assert(request.url != NULL && request.model != NULL);
    llm_call_init(&exchange->call, llm, asked, handlers);
    exchange->url = wire_shown(request.url);
    exchange->call.endpoint =
        x_strdup(request.endpoint != NULL ? request.endpoint : exchange->url);
    exchange->call.model = x_strdup(request.model);
    exchange->call.cancel = exchange_cancel;
    exchange->call.free = exchange_free;
    exchange->dialect = dialect;
    heed_lessons(&request, learned_find(&llm->learned, exchange->url, request.model));
    exchange->params = dialect->params(&request);
    exchange->key = request.key == NULL ? NULL : x_strdup(request.key);
    exchange->loads = request.message_count == 0;
    exchange->first_token_ms = ms_or(request.first_token_ms, FIRST_TOKEN_MS_DEFAULT);
    exchange->between_tokens_ms =
        ms_or(request.between_tokens_ms, BETWEEN_TOKENS_MS_DEFAULT);
    exchange->heard_at_us = exchange->call.started_us;
    exchange->first_token_us = -1;
    exchange->longest_gap_us = -1;
    exchange->duration_us = -1;
    exchange->retry_after_ms = -1;
    exchange->window = -1;
    reader_init(&exchange->reader, dialect, most, on_step, exchange);
    buf_init(&exchange->error_body, ERROR_BODY_BYTES_MAX);
    loop_timer_init(&exchange->timer, llm->loop, on_clock, exchange);
    loop_timer_start(&exchange->timer, exchange->first_token_ms);
    exchange_send(exchange, &request, most);
    return &exchange->call;
}

/* http.c - the life of a call, from http_start to its one on_done.
 *
 * Nothing is decided inside libcurl's callbacks: they note what came and mark the call
 * as ending; the hook at the end of each turn takes ending calls out of libcurl (which
 * closes an unfinished connection), tells their owner and frees them. The clocks are
 * ours: libcurl's LOW_SPEED options count a model's thinking time as silence, and its
 * timeouts can be missed in the multi-socket interface (curl#23025).
 *
 * Flow: http_start -> QUEUED -> on_turn -> RUNNING -> on_connected -> on_header
 *       -> on_body ... -> (libcurl is done | on_clock | http_cancel) -> ENDING
 *       -> on_turn -> on_done -> freed
 */
#include "net/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/fault.h"
#include "net/http_clocks.h"
#include "net/http_easy.h"
#include "net/http_multi.h"
#include "net/loop.h"

#define MAX_BYTES_DEFAULT ((size_t)64 * 1024 * 1024)
#define HEADER_BYTES_MAX  ((size_t)256 * 1024)
enum { ERROR_BODY_MS = 2000 };

enum call_state {
    CALL_QUEUED,  /* libcurl does not know it yet */
    CALL_RUNNING, /* libcurl has it */
    CALL_ENDING,  /* outcome known, the owner not told yet; libcurl may have it */
    CALL_TOLD     /* on_done is running or was; nothing counts any more */
};

TAILQ_HEAD(call_list, http_call);

struct http_call {
    TAILQ_ENTRY(http_call) link; /* in the list of its state */
    struct http *http;
    struct http_handlers handlers; /* cleared by http_drop */
    struct http_easy easy;
    struct loop_timer timer; /* set for the earliest of the clocks */
    enum call_state state;
    bool added;      /* libcurl has it */
    bool sent_once;  /* the request has been handed to a connection */
    bool head_whole; /* the empty line behind the headers came */
    bool looked;     /* a clock is over; sockets got a last chance to be read */
    size_t max_bytes;
    size_t header_bytes;
    size_t body_bytes;
    struct http_clocks clocks;
    enum http_outcome outcome;
    enum http_clock clock;
    struct err reason;
};

struct http {
    struct loop *loop;
    struct http_multi multi;
    struct loop_hook hook;
    struct loop_timer wake; /* another turn is due, for what comes after our hook */
    struct call_list queued;
    struct call_list running;
    struct call_list ending;
    bool closing;
};

const char *http_outcome_name(enum http_outcome outcome)
{
    static const char *const names[HTTP_OUTCOME_COUNT] = {
        [HTTP_DONE] = "done",           [HTTP_REFUSED] = "refused",
        [HTTP_TIMEOUT] = "timeout",     [HTTP_BROKEN] = "broken",
        [HTTP_GARBLED] = "garbled",     [HTTP_TOO_LARGE] = "too_large",
        [HTTP_CANCELLED] = "cancelled",
    };

    assert((unsigned)outcome < HTTP_OUTCOME_COUNT);
    return names[outcome];
}

/* ---- states ---- */

static void call_move(struct http_call *call, enum call_state state)
{
    struct http *http = call->http;
    struct call_list *const lists[] = {
        [CALL_QUEUED] = &http->queued,
        [CALL_RUNNING] = &http->running,
        [CALL_ENDING] = &http->ending,
    };

    TAILQ_REMOVE(lists[call->state], call, link);
    if (state != CALL_TOLD)
        TAILQ_INSERT_TAIL(lists[state], call, link);
    call->state = state;
}

/* The first outcome counts. Returns whether it was this one. */
static bool call_end(struct http_call *call, enum http_outcome outcome)
{
    if (call->state >= CALL_ENDING)
        return false;
    call_move(call, CALL_ENDING);
    call->outcome = outcome;
    call->clocks.ended_at_us = clock_mono_us();
    loop_timer_stop(&call->timer);
    loop_timer_start(&call->http->wake, 0);
    return true;
}

/* ---- clocks ---- */

static void call_arm(struct http_call *call)
{
    int64_t at_us = 0;

    if (http_clocks_next(&call->clocks, &at_us) != HTTP_CLOCK_NONE)
        loop_timer_start_us(&call->timer, at_us - clock_mono_us());
}

static void call_time_out(struct http_call *call, enum http_clock clock)
{
    call->clock = clock;
    http_clocks_tell(&call->clocks, clock, call->easy.peer, &call->reason);
}

/* A byte does not set the timer anew: it fires when it was due, and looks again. */
static void on_clock(struct loop_timer *timer, void *owner)
{
    struct http_call *call = owner;
    int64_t at_us = 0;
    enum http_clock clock = http_clocks_next(&call->clocks, &at_us);

    (void)timer;
    if (clock == HTTP_CLOCK_NONE)
        return;
    if (at_us > clock_mono_us()) {
        call->looked = false;
        call_arm(call);
    } else if (!call->looked) {
        /* After a pause of our own (a stopped process, a sleeping laptop) timers come
         * before sockets: what has arrived meanwhile is read first. */
        call->looked = true;
        loop_timer_start(&call->timer, 0);
    } else if (call_end(call, HTTP_TIMEOUT)) {
        call_time_out(call, clock);
    }
}

/* ---- what libcurl tells ---- */

static int on_connected(void *owner, char *peer_ip, char *own_ip, int peer_port,
                        int own_port)
{
    struct http_call *call = owner;

    (void)peer_ip;
    (void)own_ip;
    (void)peer_port;
    (void)own_port;
    /* The second lock against a request sent twice (http_easy.c has the first). A GET
     * may be sent again on a fresh connection: that asks for nothing new. */
    if (call->sent_once && call->easy.body)
        return CURL_PREREQFUNC_ABORT;
    call->sent_once = true;
    call->clocks.connected_at_us = clock_mono_us();
    if (fault_point("http.sent") == FAULT_CUT)
        return CURL_PREREQFUNC_ABORT;
    return CURL_PREREQFUNC_OK;
}

static int call_status(const struct http_call *call)
{
    long status = 0;

    curl_easy_getinfo(call->easy.curl, CURLINFO_RESPONSE_CODE, &status);
    return (int)status;
}

/* What an answer that is no success has to say is short: whoever does not get it out
 * has failed by its status. */
static void call_hurry(struct http_call *call)
{
    int64_t most_us =
        clock_mono_us() - call->clocks.started_at_us + ERROR_BODY_MS * INT64_C(1000);

    if (call_status(call) < 300 || call->state != CALL_RUNNING)
        return;
    if (call->clocks.total_us <= 0 || call->clocks.total_us > most_us)
        call->clocks.total_us = most_us;
    call_arm(call);
}

static size_t on_header(char *at, size_t size, size_t count, void *owner)
{
    struct http_call *call = owner;
    size_t bytes = size * count;

    if (!call->clocks.answered_at_us) {
        call->clocks.answered_at_us = clock_mono_us();
        if (fault_point("http.head") == FAULT_CUT)
            return CURL_WRITEFUNC_ERROR;
    }
    if (str_starts(str_make(at, bytes), "HTTP/")) {
        call->head_whole = false; /* after an interim answer */
    } else if (bytes <= 2) {
        call->head_whole = true;
        call_hurry(call);
    }
    call->header_bytes += bytes;
    if (call->header_bytes <= HEADER_BYTES_MAX)
        return bytes;
    if (call_end(call, HTTP_TOO_LARGE))
        err_set(&call->reason, ERR_LIMIT, "%s: more than %zu bytes of headers",
                call->easy.peer, HEADER_BYTES_MAX);
    return CURL_WRITEFUNC_ERROR;
}

static void call_settle(struct http_call *call, CURLcode code)
{
    /* libcurl takes the end of the connection for the end of the headers. */
    if (code == CURLE_OK && !call->head_whole)
        code = CURLE_PARTIAL_FILE;
    if (!call_end(call, http_easy_outcome(code, call->clocks.connected_at_us != 0)))
        return;
    /* A line of the headers that is longer than libcurl keeps (100 KB). */
    if (code == CURLE_OUT_OF_MEMORY && call->clocks.answered_at_us && !call->head_whole)
        call->outcome = HTTP_TOO_LARGE;
    if (call->outcome == HTTP_TOO_LARGE)
        err_set(&call->reason, ERR_LIMIT, "%s: a header that is too long",
                call->easy.peer);
    else if (call->outcome == HTTP_TIMEOUT)
        call_time_out(call, HTTP_CLOCK_CONNECT); /* the one libcurl was told of */
    else if (call->outcome != HTTP_DONE)
        http_easy_reason(&call->easy, code, &call->reason);
}

static const char *call_content_type(const struct http_call *call)
{
    char *type = NULL;

    curl_easy_getinfo(call->easy.curl, CURLINFO_CONTENT_TYPE, &type);
    return type ? type : "";
}

static void call_note_bytes(struct http_call *call)
{
    bool first = call->clocks.last_byte_at_us == 0;

    call->clocks.last_byte_at_us = clock_mono_us();
    call->looked = false;
    /* Another clock has taken over, and it may be over sooner. */
    if (first)
        call_arm(call);
}

/* libcurl may call this again after it was told of an error: the state decides. */
static size_t on_body(char *at, size_t size, size_t count, void *owner)
{
    struct http_call *call = owner;
    size_t bytes = size * count;

    if (call->state != CALL_RUNNING)
        return CURL_WRITEFUNC_ERROR;
    if (bytes > call->max_bytes - call->body_bytes) {
        call_end(call, HTTP_TOO_LARGE);
        err_set(&call->reason, ERR_LIMIT, "%s: more than %zu bytes", call->easy.peer,
                call->max_bytes);
        return CURL_WRITEFUNC_ERROR;
    }
    call_note_bytes(call);
    call->body_bytes += bytes;
    if (call->handlers.on_data
        && !call->handlers.on_data(call->handlers.owner, call_status(call),
                                   call_content_type(call), str_make(at, bytes)))
        http_cancel(call);
    return call->state == CALL_RUNNING ? bytes : CURL_WRITEFUNC_ERROR;
}

static bool call_listen(struct http_call *call)
{
    CURL *curl = call->easy.curl;

    return curl_easy_setopt(curl, CURLOPT_PRIVATE, call) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_PREREQDATA, call) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_HEADERDATA, call) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK
           && curl_easy_setopt(curl, CURLOPT_WRITEDATA, call) == CURLE_OK
           && http_multi_bind(&call->http->multi, curl);
}

/* ---- starting ---- */

struct http_call *http_start(struct http *http, const struct http_request *request,
                             const struct http_handlers *handlers)
{
    struct http_call *call = x_calloc(1, sizeof(*call));

    assert(!http->closing && request->method && request->url);
    call->http = http;
    call->handlers = *handlers;
    call->max_bytes = request->max_bytes ? request->max_bytes : MAX_BYTES_DEFAULT;
    call->state = CALL_QUEUED;
    TAILQ_INSERT_TAIL(&http->queued, call, link);
    loop_timer_init(&call->timer, http->loop, on_clock, call);
    http_clocks_start(&call->clocks, request, clock_mono_us());
    /* In the next turn at the latest: this may run inside a callback of libcurl. */
    loop_timer_start(&http->wake, 0);
    if (http_easy_init(&call->easy, request, &call->reason) && call_listen(call))
        call_arm(call);
    else
        call_end(call, HTTP_REFUSED);
    return call;
}

/* ---- ending ---- */

void http_cancel(struct http_call *call)
{
    if (call->state == CALL_TOLD)
        return;
    call_end(call, HTTP_CANCELLED);
    /* Also when it has just ended otherwise: the owner has not heard of it. */
    call->outcome = HTTP_CANCELLED;
    call->clock = HTTP_CLOCK_NONE;
    err_set(&call->reason, ERR_NONE, "cancelled");
}

void http_drop(struct http_call *call)
{
    call->handlers = (struct http_handlers){0};
    http_cancel(call);
}

static int64_t us_between(int64_t from_us, int64_t until_us)
{
    return until_us ? until_us - from_us : -1;
}

static const char *call_header(const struct http_call *call, const char *name)
{
    struct curl_header *header = NULL;

    if (curl_easy_header(call->easy.curl, name, 0, CURLH_HEADER, -1, &header)
        != CURLHE_OK)
        return "";
    return header->value;
}

static void call_tell(struct http_call *call)
{
    struct http_result result = {
        .outcome = call->outcome,
        .clock = call->clock,
        .status = call->clocks.answered_at_us ? call_status(call) : 0,
        .content_type = call_content_type(call),
        .retry_after = call_header(call, "Retry-After"),
        .retry_after_ms = call_header(call, "Retry-After-Ms"),
        .location = call_header(call, "Location"),
        .reason = call->outcome == HTTP_DONE ? "" : call->reason.msg,
        .connect_us =
            us_between(call->clocks.started_at_us, call->clocks.connected_at_us),
        .first_byte_us =
            us_between(call->clocks.started_at_us, call->clocks.answered_at_us),
        .total_us = us_between(call->clocks.started_at_us, call->clocks.ended_at_us),
        .body_bytes = call->body_bytes,
    };

    call->handlers.on_done(call->handlers.owner, &result);
}

static void call_finish(struct http_call *call)
{
    call_move(call, CALL_TOLD);
    if (call->added)
        http_multi_remove(&call->http->multi, call->easy.curl);
    if (call->handlers.on_done)
        call_tell(call);
    http_easy_done(&call->easy);
    free(call);
}

/* ---- the turn ---- */

static void http_collect(struct http *http)
{
    CURL *curl = NULL;
    CURLcode code = CURLE_OK;
    char *private = NULL;

    while (http_multi_next(&http->multi, &curl, &code)) {
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, &private);
        call_settle((struct http_call *)(void *)private, code);
    }
}

static void call_run(struct http_call *call)
{
    call_move(call, CALL_RUNNING);
    call->added = http_multi_add(&call->http->multi, call->easy.curl);
    if (!call->added && call_end(call, HTTP_REFUSED))
        err_set(&call->reason, ERR_SYSTEM, "libcurl does not take the request");
}

static void on_turn(struct loop_hook *hook, void *owner)
{
    struct http *http = owner;
    struct http_call *call = NULL;

    (void)hook;
    loop_timer_stop(&http->wake);
    if (http->multi.acted)
        http_collect(http);
    while ((call = TAILQ_FIRST(&http->ending)))
        call_finish(call);
    while ((call = TAILQ_FIRST(&http->queued)))
        call_run(call);
    if (!TAILQ_EMPTY(&http->ending))
        loop_timer_start(&http->wake, 0);
}

static void on_wake(struct loop_timer *timer, void *owner)
{
    (void)timer;
    (void)owner; /* on_turn follows by itself */
}

/* ---- the client ---- */

struct http *http_new(struct loop *loop)
{
    struct http *http = x_calloc(1, sizeof(*http));

    http->loop = loop;
    TAILQ_INIT(&http->queued);
    TAILQ_INIT(&http->running);
    TAILQ_INIT(&http->ending);
    http_multi_init(&http->multi, loop);
    loop_timer_init(&http->wake, loop, on_wake, http);
    loop_hook_start(&http->hook, loop, on_turn, http);
    return http;
}

void http_free(struct http *http)
{
    struct http_call *call = NULL;

    if (!http)
        return;
    http->closing = true;
    while ((call = TAILQ_FIRST(&http->queued)) || (call = TAILQ_FIRST(&http->running)))
        http_cancel(call);
    while ((call = TAILQ_FIRST(&http->ending)))
        call_finish(call);
    loop_timer_stop(&http->wake);
    loop_hook_stop(&http->hook);
    http_multi_done(&http->multi);
    free(http);
}

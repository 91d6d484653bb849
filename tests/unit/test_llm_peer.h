/* test_llm_peer.h - calls of an Ollama server that says exactly what the test wants,
 * piece by piece, each piece at a turn of its own.
 */
#ifndef PARLEY_TEST_LLM_PEER_H
#define PARLEY_TEST_LLM_PEER_H

#include <netinet/tcp.h>

#include "base/utf8.h"
#include "llm/llm.h"
#include "net/http.h"
#include "test_http_rig.h"

static struct rig rig;
static struct raw_server server;
static struct http *http;
static struct llm *llm;
static char url[64];

/* ---- a call and what it tells ---- */

struct seen {
    struct llm_call *call;
    struct buf said; /* all deltas, one behind the other */
    unsigned deltas;
    unsigned broken_deltas; /* not whole characters */
    unsigned results;
    bool cancel_in_delta;
    struct llm_result result; /* its texts are copied below */
    char *text;
    char *thinking;
    char *reason;
    char *endpoint;
    char *model;
    char *finish_reason;
};

RIG void on_delta(void *owner, struct str delta)
{
    struct seen *seen = owner;

    seen->deltas++;
    if (!utf8_valid(delta) || delta.len == 0)
        seen->broken_deltas++;
    buf_add_str(&seen->said, delta);
    if (seen->cancel_in_delta)
        llm_cancel(seen->call);
}

RIG void on_result(void *owner, const struct llm_result *result)
{
    struct seen *seen = owner;

    seen->results++;
    seen->result = *result;
    seen->text = x_memdup(result->text.at, result->text.len);
    seen->thinking = x_memdup(result->thinking.at, result->thinking.len);
    seen->reason = x_strdup(result->reason);
    seen->endpoint = x_strdup(result->endpoint);
    seen->model = x_strdup(result->model);
    seen->finish_reason = x_strdup(result->finish_reason);
}

RIG void seen_done(struct seen *seen)
{
    buf_done(&seen->said);
    free(seen->text);
    free(seen->thinking);
    free(seen->reason);
    free(seen->endpoint);
    free(seen->model);
    free(seen->finish_reason);
}

RIG bool is_over(void *owner)
{
    return ((struct seen *)owner)->results > 0;
}

RIG bool has_delta(void *owner)
{
    return ((struct seen *)owner)->deltas > 0;
}

static const struct llm_message prompt[] = {
    {"system", {"Topic: tea", 10}},
    {"user", {"Begin.", 6}},
};
static const struct llm_request request = {
    .provider = LLM_OLLAMA,
    .url = url,
    .model = "asked",
    .messages = prompt,
    .message_count = 2,
    .num_ctx = 8192,
    .num_predict = 100,
    .temperature = 0.5,
    .seed = -1,
};

RIG void start(struct seen *seen, struct llm_request what)
{
    const struct llm_handlers handlers = {
        .on_delta = on_delta, .on_result = on_result, .owner = seen};

    buf_init(&seen->said, RIG_BYTES_MAX);
    seen->call = llm_start(llm, &what, &handlers);
    assert_int_equal(seen->deltas + seen->results, 0); /* never before it returned */
}

/* Starts a call, waits for its end. */
RIG void run(struct seen *seen, struct llm_request what)
{
    start(seen, what);
    rig_wait(&rig, is_over, seen);
    assert_int_equal(seen->results, 1);
    assert_int_equal(seen->broken_deltas, 0);
}

RIG void assert_failed(const struct seen *seen, enum llm_error error,
                       const char *reason)
{
    assert_string_equal(llm_error_name(seen->result.error), llm_error_name(error));
    assert_int_equal(seen->result.outcome, LLM_FAILED);
    assert_string_equal(seen->reason, reason);
    assert_string_equal(seen->text, "");
}

/* ---- a server that follows a script ---- */

/* What is said to a request: the bytes before `cut`, then those before `cut` +
 * `step`, ...; then the connection is closed, reset or left open. */
struct script {
    const char *text;
    size_t len;
    size_t cut;         /* of the first piece */
    size_t step;        /* of the others; 0: all the rest */
    int64_t between_ms; /* before each other piece */
    enum script_end { SCRIPT_CLOSE, SCRIPT_RESET, SCRIPT_STAY } end;
};
static struct script script;
static struct {
    struct loop_timer timer;
    struct raw *raw;
    size_t at;
    struct buf request; /* as it came */
    int64_t asked_at_us;
} play;

RIG void on_play(struct loop_timer *timer, void *owner)
{
    size_t left = script.len - play.at;
    size_t len = play.at == 0 ? script.cut : script.step == 0 ? left : script.step;

    (void)owner;
    if (play.raw->ended)
        return; /* the client has gone */
    len = len > left ? left : len;
    raw_say_bytes(play.raw, script.text + play.at, len);
    play.at += len;
    if (play.at < script.len) {
        loop_timer_start(timer, script.between_ms);
        return;
    }
    if (script.end == SCRIPT_CLOSE)
        raw_close(play.raw);
    else if (script.end == SCRIPT_RESET)
        raw_reset(play.raw);
}

RIG void on_whole(struct raw *raw)
{
    const int no_delay = 1;

    setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &no_delay, sizeof(no_delay));
    buf_clear(&play.request);
    buf_add_str(&play.request, buf_str(&raw->got));
    play.asked_at_us = clock_mono_us();
    play.raw = raw;
    play.at = 0;
    loop_timer_start(&play.timer, 0);
}

/* The server will say this, in one piece, and close. */
RIG void will_say(const char *text)
{
    script = (struct script){.text = text, .len = strlen(text), .cut = strlen(text)};
}

RIG bool peer_is_gone(void *owner)
{
    (void)owner;
    return play.raw != NULL && play.raw->ended;
}

#define HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n\r\n"
#define SAY(text)                                                                 \
    "{\"model\":\"m:1b\",\"message\":{\"role\":\"assistant\",\"content\":\"" text \
    "\"},\"done\":false}\n"
#define END                                                                  \
    "{\"model\":\"m:1b\",\"message\":{\"content\":\"\"},\"done\":true,"      \
    "\"done_reason\":\"stop\",\"prompt_eval_count\":26,\"eval_count\":3,"    \
    "\"load_duration\":11,\"prompt_eval_duration\":22,\"eval_duration\":33," \
    "\"total_duration\":66}\n"

/* ---- each test has all of it anew ---- */

RIG int set_up(void **state)
{
    (void)state;
    rig_init(&rig);
    raw_server_init(&server, &rig, on_whole);
    http = http_new(rig.loop);
    llm = llm_new(rig.loop, http);
    fmt_into(url, sizeof url, "http://127.0.0.1:%d", server.port);
    memset(&play, 0, sizeof play);
    buf_init(&play.request, RIG_BYTES_MAX);
    loop_timer_init(&play.timer, rig.loop, on_play, NULL);
    return 0;
}

RIG int tear_down(void **state)
{
    (void)state;
    loop_timer_stop(&play.timer);
    buf_done(&play.request);
    llm_free(llm);
    http_free(http);
    raw_server_done(&server);
    rig_done(&rig);
    return 0;
}

#define LLM_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

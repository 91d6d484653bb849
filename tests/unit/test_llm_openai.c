/* test_llm_openai.c - a call of a server of the OpenAI API over a real connection; and
 * the owner who has heard enough, in both dialects.
 */
#include "base/alloc.h"
#include "llm/wire.h"
#include "test_llm_peer.h"

#define SSE_HEAD  "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
#define JSON_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
#define DELTA(text)                                                              \
    "data: {\"id\":\"1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":" \
    "{\"content\":\"" text "\"},\"finish_reason\":null}]}\n\n"
#define STOP                                                                        \
    "data: {\"id\":\"1\",\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{}," \
    "\"finish_reason\":\"stop\"}]}\n\n"
#define USAGE                                                                        \
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":31,\"completion_tokens\":2," \
    "\"prompt_tokens_details\":{\"cached_tokens\":24}}}\n\n"
#define DONE "data: [DONE]\n\n"

static const char good[] =
    SSE_HEAD DELTA("Good ") ":\n\n" DELTA("day.") STOP USAGE DONE;

static struct llm_request openai(void)
{
    struct llm_request what = request;

    what.provider = LLM_OPENAI;
    return what;
}

static void assert_good(const struct seen *seen)
{
    assert_string_equal(seen->reason, "");
    assert_int_equal(seen->result.outcome, LLM_DONE);
    assert_string_equal(seen->text, "Good day.");
    assert_string_equal(buf_text(&seen->said), "Good day.");
    assert_int_equal(seen->result.deltas, 2);
    assert_string_equal(seen->model, "m-1");
    assert_string_equal(seen->finish_reason, "stop");
    assert_int_equal(seen->result.prompt_tokens, 31);
    assert_int_equal(seen->result.prompt_cached_tokens, 24);
    assert_int_equal(seen->result.tokens_generated, 2);
    assert_int_equal(seen->result.generation_ns, -1);
    assert_int_equal(seen->result.retry_after_ms, -1);
    assert_true(seen->result.first_token_us > 0);
    assert_true(seen->result.duration_us >= seen->result.first_token_us);
}

/* ---- good replies ---- */

static void a_reply_is_told_with_its_counts_and_names(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    what.endpoint = "cloud";
    will_say(good);
    run(&seen, what);
    assert_good(&seen);
    assert_string_equal(seen.result.provider, "openai");
    assert_string_equal(seen.endpoint, "cloud");
    assert_int_equal(seen.result.http_status, 200);
    seen_done(&seen);
}

static void the_request_bears_the_key_and_the_turn(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};
    const char *sent;

    (void)state;
    fmt_into(url, sizeof url, "http://127.0.0.1:%d/v1/", server.port);
    what.key = "sk-1";
    what.call_id = "k3v9q2m4x7ab:7";
    will_say(good);
    run(&seen, what);
    sent = buf_text(&play.request);
    assert_memory_equal(sent, "POST /v1/chat/completions HTTP/1.1\r\n", 36);
    assert_non_null(strstr(sent, "\r\nAuthorization: Bearer sk-1\r\n"));
    assert_non_null(strstr(sent, "\r\nX-Parley-Turn: k3v9q2m4x7ab:7\r\n"));
    assert_non_null(strstr(sent, "\"stream_options\":{\"include_usage\":true}"));
    assert_null(strstr(sent, "num_ctx"));
    seen_done(&seen);
    seen = (struct seen){0};
    what.key = NULL;
    run(&seen, what);
    assert_null(strstr(buf_text(&play.request), "Authorization"));
    seen_done(&seen);
}

/* ---- what a model does not take ---- */

#define REFUSAL(name)                                                                \
    "HTTP/1.1 400 No\r\n\r\n{\"error\":{\"message\":\"Unsupported parameter: '" name \
    "' is not supported with this model.\",\"param\":\"" name                        \
    "\",\"code\":\"unsupported_parameter\"}}"

static void assert_untaken(struct llm_request what, const char *answer,
                           const char *name)
{
    struct seen seen = {0};

    will_say(answer);
    run(&seen, what);
    assert_int_equal(seen.result.error, LLM_ERROR_UNSUPPORTED);
    assert_string_equal(seen.result.untaken, name);
    seen_done(&seen);
}

static void what_a_model_refused_is_not_sent_to_it_again(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    what.seed = 7;
    assert_untaken(what, REFUSAL("temperature"), "temperature");
    assert_untaken(what, REFUSAL("seed"), "seed");
    will_say(good);
    run(&seen, what);
    assert_good(&seen);
    assert_null(seen.result.untaken);
    assert_null(strstr(buf_text(&play.request), "temperature"));
    assert_null(strstr(buf_text(&play.request), "seed"));
    assert_non_null(strstr(buf_text(&play.request), "\"max_tokens\""));
    seen_done(&seen);
    what.model = "another";
    seen = (struct seen){0};
    run(&seen, what);
    assert_non_null(strstr(buf_text(&play.request), "temperature"));
    seen_done(&seen);
}

/* Else a server that refuses for ever would be asked for ever. */
static void what_was_left_out_and_is_refused_again_is_a_request_error(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    assert_untaken(what, REFUSAL("temperature"), "temperature");
    run(&seen, what);
    assert_int_equal(seen.result.error, LLM_ERROR_REQUEST);
    assert_null(seen.result.untaken);
    seen_done(&seen);
}

static void a_model_that_may_not_stream_answers_in_one_piece(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    assert_untaken(what, REFUSAL("stream"), "stream");
    will_say(JSON_HEAD
             "{\"model\":\"m-1\",\"choices\":[{\"index\":0,\"message\":{\"role\":"
             "\"assistant\",\"content\":\"Good day.\"},\"finish_reason\":"
             "\"stop\"}],\"usage\":{\"prompt_tokens\":31,"
             "\"completion_tokens\":2}}");
    run(&seen, what);
    assert_null(strstr(buf_text(&play.request), "stream"));
    assert_string_equal(seen.text, "Good day.");
    assert_int_equal(seen.result.tokens_generated, 2);
    seen_done(&seen);
}

/* What a model may say is not for its thoughts to take. */
static void thoughts_that_cut_the_words_off_get_room_of_their_own(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    will_say(
        SSE_HEAD
        "data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}"
        "\n\ndata: {\"choices\":[],\"usage\":{\"completion_tokens\":100,"
        "\"completion_tokens_details\":{\"reasoning_tokens\":700}}}\n\n" DONE);
    run(&seen, what);
    assert_int_equal(seen.result.error, LLM_ERROR_EMPTY);
    assert_non_null(strstr(seen.reason, "num_predict"));
    assert_non_null(strstr(buf_text(&play.request), "\"max_tokens\":100,"));
    seen_done(&seen);
    seen = (struct seen){0};
    will_say(good);
    run(&seen, what);
    assert_good(&seen);
    assert_non_null(strstr(buf_text(&play.request), "\"max_tokens\":1500,"));
    seen_done(&seen);
}

static void a_server_that_repeats_the_key_makes_nobody_else_see_it(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 401 No\r\n\r\n{\"error\":\"no such key: sk-secret-1234567, "
        "sk-secret-1234567\"}",
        "HTTP/1.1 500 No\r\n\r\nBearer sk-secret-1234567",
        "HTTP/1.1 302 No\r\nLocation: http://h/sk-secret-1234567\r\n\r\n",
        SSE_HEAD "data: {\"error\":\"sk-secret-1234567\"}\n\n",
    };

    (void)state;
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
        struct llm_request what = openai();
        struct seen seen = {0};

        what.key = "sk-secret-1234567";
        will_say(answers[i]);
        run(&seen, what);
        assert_int_equal(seen.result.outcome, LLM_FAILED);
        assert_null(strstr(seen.reason, "secret"));
        assert_non_null(strstr(seen.reason, "***"));
        seen_done(&seen);
    }
}

static void a_key_is_hidden_whole_or_cut(void **state)
{
    static const char *const rows[][3] = {
        {"0123456789", "a 0123456789 b 0123456789", "a *** b ***"},
        {"0123456789", "01234567890123456789", "******"},
        {"0123456789", "cut 01234567", "cut ***"},
        {"0123456789", "cut 0123456", "cut 0123456"},
        {"0123456789", "012345678 and on", "012345678 and on"},
        {"none", "none", "none"}, /* a word */
        {"", "", ""},
        {NULL, "a", "a"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char *text = x_strdup(rows[i][1]);

        wire_hide_key(text, rows[i][0]);
        assert_string_equal(text, rows[i][2]);
        free(text);
    }
}

static void ollama_in_the_cloud_gets_the_key_too(void **state)
{
    struct llm_request what = request;
    struct seen seen = {0};

    (void)state;
    what.key = "ollama-1";
    what.endpoint = "cloud";
    will_say(HEAD SAY("Tea.") END);
    run(&seen, what);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_non_null(
        strstr(buf_text(&play.request), "\r\nAuthorization: Bearer ollama-1\r\n"));
    seen_done(&seen);
}

static void a_key_with_a_line_end_forges_no_header(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    what.key = "sk-1\r\nX-Evil: 1";
    will_say(good);
    run(&seen, what);
    assert_failed(&seen, LLM_ERROR_REFUSED,
                  "header Authorization holds a control character");
    assert_int_equal(server.requests, 0);
    seen_done(&seen);
}

static void a_reply_in_single_bytes_is_the_same(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(good);
    script.cut = script.step = 1;
    run(&seen, openai());
    assert_good(&seen);
    seen_done(&seen);
}

static void a_server_that_never_says_done_is_not_waited_for_long(void **state)
{
    int64_t started_at_us = clock_mono_us();
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    what.between_tokens_ms = 60000;
    will_say(SSE_HEAD DELTA("Good ") DELTA("day.") STOP);
    script.end = SCRIPT_STAY;
    run(&seen, what);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Good day.");
    assert_string_equal(seen.finish_reason, "stop");
    assert_int_equal(seen.result.tokens_generated, -1);
    /* It was over at the model's last word, not when we lost patience. */
    assert_true(seen.result.duration_us + 1500000 < clock_mono_us() - started_at_us);
    rig_wait(&rig, peer_is_gone, NULL);
    seen_done(&seen);
}

static void a_connection_that_breaks_after_the_last_word_is_fine(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
             "Content-Length: 100000\r\n\r\n" DELTA("Good ") DELTA("day.") STOP);
    run(&seen, openai());
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Good day.");
    seen_done(&seen);
}

static void a_clock_that_ends_after_the_last_word_is_too_late(void **state)
{
    struct llm_request what = openai();
    struct seen seen = {0};

    (void)state;
    what.total_ms = 150;
    will_say(SSE_HEAD DELTA("Good ") DELTA("day.") STOP);
    script.end = SCRIPT_STAY;
    run(&seen, what);
    assert_string_equal(seen.reason, "");
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Good day.");
    assert_true(seen.result.duration_us < 150000);
    seen_done(&seen);
}

/* ---- failures ---- */

static void must_fail(struct llm_request what, enum llm_error error, const char *reason)
{
    struct seen seen = {0};

    run(&seen, what);
    assert_failed(&seen, error, reason);
    seen_done(&seen);
}

static void streams_that_go_wrong_are_told_as_what_they_are(void **state)
{
    (void)state;
    will_say(SSE_HEAD DELTA("Good ") "data: {\"error\":{\"message\":\"no\"}}\n\n" DONE);
    must_fail(openai(), LLM_ERROR_STREAM, "the server broke off: no");
    will_say(SSE_HEAD DELTA("Good "));
    must_fail(openai(), LLM_ERROR_TRUNCATED, "the reply ended before its end marker");
    will_say(SSE_HEAD "<html><body>no</body></html>\n");
    must_fail(openai(), LLM_ERROR_PROTOCOL, "the answer is not a stream of events");
    will_say(SSE_HEAD "data: {no json}\n\n");
    script.end = SCRIPT_STAY;
    must_fail(openai(), LLM_ERROR_PROTOCOL,
              "event 1 of the reply is not JSON: line 1, column 3: string or '}' "
              "expected near 'no'");
    rig_wait(&rig, peer_is_gone, NULL);
    will_say(SSE_HEAD "\x1f\x8b\x08 rest");
    must_fail(openai(), LLM_ERROR_PROTOCOL,
              "the answer is compressed, which nobody asked for");
    will_say(JSON_HEAD "{\"error\":\"Unexpected endpoint\"}");
    must_fail(openai(), LLM_ERROR_STREAM, "the server broke off: Unexpected endpoint");
}

static void what_is_no_http_is_told_so(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("\x15\x03\x01\x02\x02\x16"); /* TLS: an alert */
    run(&seen, openai());
    assert_int_equal(seen.result.error, LLM_ERROR_PROTOCOL);
    assert_non_null(strstr(seen.reason, " does not speak HTTP "));
    assert_non_null(strstr(seen.reason, "does it want https://?"));
    seen_done(&seen);
}

static void answer_in_http(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 400 Bad Request\r\n\r\n");
    raw_close(raw);
}

static void a_server_without_tls_is_told_so(void **state)
{
    struct seen seen = {0};

    (void)state;
    fmt_into(url, sizeof url, "https://127.0.0.1:%d", server.port);
    server.on_bytes = answer_in_http;
    run(&seen, openai());
    assert_int_equal(seen.result.error, LLM_ERROR_REFUSED);
    assert_non_null(strstr(seen.reason, " does not speak TLS "));
    assert_non_null(strstr(seen.reason, "does it want http://?"));
    seen_done(&seen);
}

static void the_wait_a_server_asks_for_is_told(void **state)
{
    static const struct {
        const char *answer;
        int64_t wait_ms;
    } rows[] = {
        {"HTTP/1.1 429 No\r\nRetry-After: 2\r\n\r\n", 2000},
        {"HTTP/1.1 429 No\r\nRetry-After: 2\r\nretry-after-ms: 250\r\n\r\n", 250},
        {"HTTP/1.1 503 No\r\nRetry-After: Thu, 01 Jan 1970 00:00:07 GMT\r\n\r\n", 0},
        {"HTTP/1.1 429 No\r\n\r\n{\"error\":{\"metadata\":{\"retry_after\":4}}}", 4000},
        {"HTTP/1.1 429 No\r\n\r\n{\"error\":{\"message\":\"try again in 1.5s\"}}",
         1500},
        {"HTTP/1.1 529 No\r\n\r\n", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {0};

        will_say(rows[i].answer);
        run(&seen, openai());
        assert_int_equal(seen.result.error, LLM_ERROR_BUSY);
        assert_int_equal(seen.result.retry_after_ms, rows[i].wait_ms);
        seen_done(&seen);
    }
}

static void a_redirect_is_not_followed(void **state)
{
    struct llm_request what = openai();
    char reason[300];
    char answer[300];

    (void)state;
    what.key = "sk-1";
    fmt_into(reason, sizeof reason,
             "%s sends us on (307) to %s/v1, which is not followed: is that its URL?",
             url, url);
    fmt_into(answer, sizeof answer, "HTTP/1.1 307 No\r\nLocation: %s/v1/\r\n\r\n<html>",
             url);
    will_say(answer);
    must_fail(what, LLM_ERROR_REDIRECT, reason);
    rig_idle(&rig, 30);
    assert_int_equal(server.requests, 1);
}

static void comments_are_no_tokens(void **state)
{
    static char idle[1000] = SSE_HEAD;
    struct llm_request quick = openai();

    (void)state;
    for (size_t len = strlen(SSE_HEAD); len < sizeof idle - 3; len += 3)
        memcpy(idle + len, ":\n\n", 4);
    quick.first_token_ms = 150;
    will_say(idle);
    script.cut = strlen(SSE_HEAD);
    script.step = 3;
    script.between_ms = 5; /* they last longer than the clock, and then end */
    must_fail(quick, LLM_ERROR_TIMEOUT, "no first token within 150ms");
}

/* ---- enough ---- */

static void on_delta_enough(void *owner, struct str delta)
{
    struct seen *seen = owner;

    on_delta(owner, delta);
    if (seen->deltas == 2)
        llm_enough(seen->call);
}

static void what_came_is_enough(void **state)
{
    static const struct {
        enum llm_provider provider;
        const char *answer;
    } rows[] = {
        {LLM_OLLAMA, HEAD SAY("Tea") SAY(" is") SAY(" no more")},
        {LLM_OPENAI, SSE_HEAD DELTA("Tea") DELTA(" is") DELTA(" no more")},
        /* Also when it failed or ended before it is told. */
        {LLM_OLLAMA, HEAD SAY("Tea") SAY(" is") "{\"error\":\"no\"}\n"},
        {LLM_OPENAI, SSE_HEAD DELTA("Tea") DELTA(" is") STOP DONE},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {0};
        const struct llm_handlers handlers = {
            .on_delta = on_delta_enough, .on_result = on_result, .owner = &seen};
        struct llm_request what = request;

        what.provider = rows[i].provider;
        will_say(rows[i].answer);
        script.end = SCRIPT_STAY;
        buf_init(&seen.said, 1000);
        seen.call = llm_start(llm, &what, &handlers);
        rig_wait(&rig, is_over, &seen);
        assert_int_equal(seen.results, 1);
        assert_int_equal(seen.deltas, 2);
        assert_int_equal(seen.result.outcome, LLM_DONE);
        assert_int_equal(seen.result.error, LLM_ERROR_NONE);
        assert_string_equal(seen.text, "Tea is");
        assert_string_equal(seen.reason, "");
        assert_string_equal(seen.finish_reason, "enough");
        assert_int_equal(seen.result.tokens_generated, -1);
        rig_wait(&rig, peer_is_gone, NULL);
        seen_done(&seen);
    }
}

static void who_cancels_after_having_enough_has_cancelled(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea"));
    script.end = SCRIPT_STAY;
    start(&seen, request);
    rig_wait(&rig, has_delta, &seen);
    llm_enough(seen.call);
    llm_enough(seen.call);
    llm_cancel(seen.call);
    assert_int_equal(seen.results, 0);
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.result.outcome, LLM_CANCELLED);
    assert_string_equal(seen.text, "");
    seen_done(&seen);
}

static void echo_may_be_told_enough(void **state)
{
    struct llm_request what = request;
    struct seen seen = {0};

    (void)state;
    what.provider = LLM_ECHO;
    start(&seen, what);
    llm_enough(seen.call);
    rig_wait(&rig, is_over, &seen);
    assert_int_equal(seen.results, 1);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    seen_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLM_TEST(a_reply_is_told_with_its_counts_and_names),
        LLM_TEST(the_request_bears_the_key_and_the_turn),
        LLM_TEST(what_a_model_refused_is_not_sent_to_it_again),
        LLM_TEST(what_was_left_out_and_is_refused_again_is_a_request_error),
        LLM_TEST(a_model_that_may_not_stream_answers_in_one_piece),
        LLM_TEST(thoughts_that_cut_the_words_off_get_room_of_their_own),
        LLM_TEST(a_server_that_repeats_the_key_makes_nobody_else_see_it),
        LLM_TEST(a_key_is_hidden_whole_or_cut),
        LLM_TEST(ollama_in_the_cloud_gets_the_key_too),
        LLM_TEST(a_key_with_a_line_end_forges_no_header),
        LLM_TEST(a_reply_in_single_bytes_is_the_same),
        LLM_TEST(a_server_that_never_says_done_is_not_waited_for_long),
        LLM_TEST(a_connection_that_breaks_after_the_last_word_is_fine),
        LLM_TEST(a_clock_that_ends_after_the_last_word_is_too_late),
        LLM_TEST(streams_that_go_wrong_are_told_as_what_they_are),
        LLM_TEST(what_is_no_http_is_told_so),
        LLM_TEST(a_server_without_tls_is_told_so),
        LLM_TEST(the_wait_a_server_asks_for_is_told),
        LLM_TEST(a_redirect_is_not_followed),
        LLM_TEST(comments_are_no_tokens),
        LLM_TEST(what_came_is_enough),
        LLM_TEST(who_cancels_after_having_enough_has_cancelled),
        LLM_TEST(echo_may_be_told_enough),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_llm_failures.c - each way an Ollama call fails, made to happen over a real
 * connection.
 */
#include "test_llm_peer.h"

static void must_fail(struct llm_request what, enum llm_error error, const char *reason)
{
    struct seen seen = {0};

    run(&seen, what);
    assert_failed(&seen, error, reason);
    seen_done(&seen);
}

/* ---- no connection, no answer ---- */

static void a_port_nobody_listens_on_is_refused(void **state)
{
    struct seen seen = {0};

    (void)state;
    fmt_into(url, sizeof url, "http://127.0.0.1:1");
    run(&seen, request);
    assert_failed(&seen, LLM_ERROR_REFUSED,
                  "cannot connect to 127.0.0.1 port 1: Connection refused");
    assert_int_equal(seen.result.http_status, 0);
    assert_int_equal(seen.result.first_token_us, -1);
    assert_int_equal(seen.result.prompt_tokens, -1);
    assert_string_equal(seen.model, "asked");
    seen_done(&seen);
}

static void a_url_that_is_none_is_refused(void **state)
{
    struct seen seen = {0};

    (void)state;
    fmt_into(url, sizeof url, "not a url");
    run(&seen, request);
    assert_int_equal(seen.result.error, LLM_ERROR_REFUSED);
    assert_non_null(strstr(seen.reason, "not a usable URL"));
    seen_done(&seen);
}

static void a_connection_closed_without_an_answer_is_truncated(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("");
    run(&seen, request);
    assert_int_equal(seen.result.error, LLM_ERROR_TRUNCATED);
    assert_non_null(strstr(seen.reason, "closed the connection without an answer"));
    seen_done(&seen);
}

/* ---- answers that are no stream ---- */

static void each_status_is_told_as_what_it_means(void **state)
{
    static const struct {
        const char *answer;
        enum llm_error error;
        int status;
        const char *reason;
    } rows[] = {
        {"HTTP/1.1 404 No\r\nContent-Type: application/json\r\n\r\n"
         "{\"error\":\"model 'asked' not found\"}",
         LLM_ERROR_MODEL_NOT_FOUND, 404,
         "the server answered 404: model 'asked' not found"},
        {"HTTP/1.1 503 No\r\nContent-Length: 24\r\n\r\n{\"error\":\"server busy.\"}",
         LLM_ERROR_BUSY, 503, "the server answered 503: server busy."},
        {"HTTP/1.1 429 No\r\n\r\nslow down\n", LLM_ERROR_BUSY, 429,
         "the server answered 429: slow down"},
        {"HTTP/1.1 500 No\r\n\r\n{\"error\":\"runner\\u001b[2J has terminated\"}",
         LLM_ERROR_SERVER, 500,
         "the server answered 500: runner<U+001B>[2J has terminated"},
        {"HTTP/1.1 502 No\r\nContent-Type: text/html\r\n\r\n<html>Bad Gateway</html>",
         LLM_ERROR_SERVER, 502, "the server answered 502 (the fault is on its side)"},
        /* The body is cut, and the status still counts. */
        {"HTTP/1.1 500 No\r\nContent-Length: 100\r\n\r\n{\"error\":\"x",
         LLM_ERROR_SERVER, 500, "the server answered 500 (the fault is on its side)"},
        {"HTTP/1.1 400 No\r\n\r\n{\"error\":\"invalid format\"}", LLM_ERROR_REQUEST,
         400, "the server answered 400: invalid format"},
        {"HTTP/1.1 403 No\r\n\r\n", LLM_ERROR_AUTH, 403,
         "the server answered 403 (no key was sent)"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct seen seen = {0};

        will_say(rows[i].answer);
        run(&seen, request);
        assert_failed(&seen, rows[i].error, rows[i].reason);
        assert_int_equal(seen.result.http_status, rows[i].status);
        seen_done(&seen);
    }
}

static void an_endless_error_is_not_read_to_its_end(void **state)
{
    static char answer[200000] = "HTTP/1.1 500 No\r\n\r\n";
    struct seen seen = {0};

    (void)state;
    memset(answer + strlen(answer), 'x', sizeof answer - strlen(answer) - 1);
    will_say(answer);
    script.end = SCRIPT_STAY;
    run(&seen, request);
    assert_int_equal(seen.result.error, LLM_ERROR_SERVER);
    rig_wait(&rig, peer_is_gone, NULL);
    seen_done(&seen);
}

static void a_page_of_html_with_status_200_breaks_the_protocol(void **state)
{
    char reason[200];

    (void)state;
    fmt_into(reason, sizeof reason,
             "%s answers with an HTML page, not Ollama's API: is the URL right?", url);
    will_say("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>" SAY("x") END);
    must_fail(request, LLM_ERROR_PROTOCOL, reason);
    fmt_into(reason, sizeof reason,
             "%s answers with no type, not Ollama's API: is the URL right?", url);
    will_say("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    must_fail(request, LLM_ERROR_PROTOCOL, reason);
}

/* ---- streams that go wrong ---- */

static void an_error_in_mid_stream_is_told_and_the_text_thrown_away(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea is") "{\"error\":\"unexpected EOF\"}\n" SAY("more") END);
    run(&seen, request);
    assert_failed(&seen, LLM_ERROR_STREAM, "the server broke off: unexpected EOF");
    assert_string_equal(buf_text(&seen.said), "Tea is");
    assert_int_equal(seen.result.deltas, 1);
    seen_done(&seen);
}

static void a_stream_that_ends_early_is_truncated(void **state)
{
    (void)state;
    will_say(HEAD SAY("Tea is"));
    must_fail(request, LLM_ERROR_TRUNCATED, "the reply ended before its end marker");
    will_say(HEAD SAY("Tea is") "{\"message\":{\"con");
    must_fail(request, LLM_ERROR_TRUNCATED, "the reply ended before its end marker");
    will_say(HEAD);
    must_fail(request, LLM_ERROR_TRUNCATED, "the reply ended before its end marker");
}

static void a_connection_that_breaks_is_truncated_with_the_reason(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
             "Content-Length: 10000\r\n\r\n" SAY("Tea is"));
    run(&seen, request);
    assert_int_equal(seen.result.error, LLM_ERROR_TRUNCATED);
    assert_non_null(strstr(seen.reason, "before its end marker: 127.0.0.1 port "));
    seen_done(&seen);
    seen = (struct seen){0};
    will_say(HEAD SAY("Tea is"));
    script.cut = script.len - 5;
    script.between_ms = 20;
    script.end = SCRIPT_RESET;
    run(&seen, request);
    assert_int_equal(seen.result.error, LLM_ERROR_TRUNCATED);
    seen_done(&seen);
}

static void a_whole_reply_on_a_connection_that_breaks_is_done(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say("HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
             "Content-Length: 10000\r\n\r\n" SAY("Tea.") END);
    run(&seen, request);
    assert_int_equal(seen.result.outcome, LLM_DONE);
    assert_string_equal(seen.text, "Tea.");
    seen_done(&seen);
}

static void lines_of_another_form_break_the_protocol(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD SAY("Tea") "{\"message\":{\"content\":7}}\n" END);
    script.end = SCRIPT_STAY;
    must_fail(request, LLM_ERROR_PROTOCOL,
              "line 2 of the reply: /message/content: expected a string, found 7");
    rig_wait(&rig, peer_is_gone, NULL);
    will_say(HEAD "data: {\"choices\":[]}\n");
    run(&seen, request);
    assert_int_equal(seen.result.error, LLM_ERROR_PROTOCOL);
    seen_done(&seen);
}

static void a_model_that_says_nothing_is_empty(void **state)
{
    struct seen seen = {0};

    (void)state;
    will_say(HEAD END);
    run(&seen, request);
    assert_failed(&seen, LLM_ERROR_EMPTY,
                  "the model said nothing (finish reason \"stop\")");
    assert_int_equal(seen.result.prompt_tokens, 26); /* what was counted is kept */
    seen_done(&seen);
    will_say(HEAD "{\"done\":true,\"done_reason\":\"load\"}\n");
    must_fail(request, LLM_ERROR_EMPTY,
              "the model said nothing (finish reason \"load\")");
}

static void a_reply_longer_than_allowed_is_too_large(void **state)
{
    struct llm_request small = request;

    (void)state;
    small.max_reply_bytes = 8;
    will_say(HEAD SAY("1234") SAY("56789") END);
    script.end = SCRIPT_STAY;
    must_fail(small, LLM_ERROR_TOO_LARGE, "the reply is longer than 8 bytes");
    rig_wait(&rig, peer_is_gone, NULL);
}

static void a_line_without_an_end_is_too_large(void **state)
{
    static char answer[200000] = HEAD "{\"message\":{\"content\":\"";
    struct llm_request small = request;

    (void)state;
    memset(answer + strlen(answer), 'x', sizeof answer - strlen(answer) - 1);
    small.max_reply_bytes = 1000;
    will_say(answer);
    script.end = SCRIPT_STAY;
    must_fail(small, LLM_ERROR_TOO_LARGE,
              "the reply: a line has more than 71536 bytes");
}

static void lines_without_text_without_end_are_too_large(void **state)
{
    enum { LINE = 100, LINES = 20000 };
    static char answer[sizeof HEAD + LINE * LINES] = HEAD;
    struct llm_request small = request;
    struct seen seen = {0};

    (void)state;
    for (size_t i = 0; i < LINES; i++) {
        char *line = answer + strlen(HEAD) + i * LINE;

        memset(line, ' ', LINE);
        memcpy(line, "{}", 2);
        line[LINE - 1] = '\n';
    }
    small.max_reply_bytes = 1000;
    script = (struct script){.text = answer,
                             .len = sizeof answer - 1,
                             .cut = 50000,
                             .step = 50000,
                             .end = SCRIPT_STAY};
    run(&seen, small);
    assert_int_equal(seen.result.error, LLM_ERROR_TOO_LARGE);
    seen_done(&seen);
}

/* ---- the four clocks ---- */

/* A socket that takes no further connection: the kernel drops what asks for one. */
static int listen_full(int fillers[3])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(fd, 0), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    for (int i = 0; i < 3; i++) {
        fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        (void)connect(fillers[i], (struct sockaddr *)&address, len); /* may hang */
    }
    fmt_into(url, sizeof url, "http://127.0.0.1:%d", ntohs(address.sin_port));
    return fd;
}

static void a_server_that_takes_no_connection_runs_into_the_first_clock(void **state)
{
    struct llm_request quick = request;
    struct seen seen = {0};
    int fillers[3];
    int fd = listen_full(fillers);

    (void)state;
    quick.connect_ms = 80;
    run(&seen, quick);
    assert_int_equal(seen.result.outcome, LLM_FAILED);
    assert_int_equal(seen.result.error, LLM_ERROR_TIMEOUT);
    assert_non_null(strstr(seen.reason, "no connection within 80 ms"));
    assert_true(seen.result.duration_us >= 80000);
    seen_done(&seen);
    for (int i = 0; i < 3; i++)
        close(fillers[i]);
    close(fd);
}

static void a_model_that_never_begins_runs_into_the_clock_of_the_first_token(
    void **state)
{
    struct llm_request quick = request;

    (void)state;
    quick.first_token_ms = 80;
    will_say("");
    script.end = SCRIPT_STAY;
    must_fail(quick, LLM_ERROR_TIMEOUT, "no first token within 80ms");
    rig_wait(&rig, peer_is_gone, NULL);
}

static void bytes_without_text_do_not_count_as_a_token(void **state)
{
    static char idle[1000] = HEAD "{\"message\":{\"content\":\"\"}}\n{}\n";
    struct llm_request quick = request;

    (void)state;
    memset(idle + strlen(idle), '\n', 200);
    quick.first_token_ms = 150;
    will_say(idle);
    script.cut = strlen(HEAD);
    script.step = 1;
    script.between_ms = 5; /* the bytes last longer than the clock, and then end */
    must_fail(quick, LLM_ERROR_TIMEOUT, "no first token within 150ms");
}

static void a_model_that_stops_speaking_runs_into_the_clock_between_tokens(void **state)
{
    struct llm_request quick = request;
    struct seen seen = {0};

    (void)state;
    quick.first_token_ms = 60000;
    quick.between_tokens_ms = 80;
    will_say(HEAD SAY("Tea"));
    script.end = SCRIPT_STAY;
    run(&seen, quick);
    assert_failed(&seen, LLM_ERROR_TIMEOUT, "no further token within 80ms");
    assert_true(seen.result.first_token_us > 0);
    assert_string_equal(buf_text(&seen.said), "Tea");
    rig_wait(&rig, peer_is_gone, NULL);
    seen_done(&seen);
}

static void a_thought_counts_as_a_token_for_the_clocks(void **state)
{
    struct llm_request quick = request;

    (void)state;
    quick.first_token_ms = 60000;
    quick.between_tokens_ms = 80;
    will_say(HEAD "{\"message\":{\"thinking\":\"Hm\"}}\n");
    script.end = SCRIPT_STAY;
    must_fail(quick, LLM_ERROR_TIMEOUT, "no further token within 80ms");
}

static void a_model_that_never_ends_runs_into_the_clock_of_the_whole(void **state)
{
    static char endless[200000] = HEAD;
    struct llm_request quick = request;
    struct seen seen = {0};
    size_t len = strlen(HEAD);

    (void)state;
    for (; len + sizeof SAY("a") < sizeof endless; len += strlen(SAY("a")))
        memcpy(endless + len, SAY("a"), sizeof SAY("a"));
    will_say(endless);
    script.cut = strlen(HEAD);
    script.step = strlen(SAY("a"));
    script.between_ms = 2;
    quick.total_ms = 200;
    quick.between_tokens_ms = 150;
    run(&seen, quick);
    assert_int_equal(seen.result.error, LLM_ERROR_TIMEOUT);
    assert_int_equal(seen.result.outcome, LLM_FAILED);
    assert_non_null(strstr(seen.reason, "no end of the answer within 200 ms"));
    assert_true(seen.deltas > 1);
    assert_true(seen.result.duration_us >= 200000);
    seen_done(&seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        LLM_TEST(a_port_nobody_listens_on_is_refused),
        LLM_TEST(a_url_that_is_none_is_refused),
        LLM_TEST(a_connection_closed_without_an_answer_is_truncated),
        LLM_TEST(each_status_is_told_as_what_it_means),
        LLM_TEST(an_endless_error_is_not_read_to_its_end),
        LLM_TEST(a_page_of_html_with_status_200_breaks_the_protocol),
        LLM_TEST(an_error_in_mid_stream_is_told_and_the_text_thrown_away),
        LLM_TEST(a_stream_that_ends_early_is_truncated),
        LLM_TEST(a_connection_that_breaks_is_truncated_with_the_reason),
        LLM_TEST(a_whole_reply_on_a_connection_that_breaks_is_done),
        LLM_TEST(lines_of_another_form_break_the_protocol),
        LLM_TEST(a_model_that_says_nothing_is_empty),
        LLM_TEST(a_reply_longer_than_allowed_is_too_large),
        LLM_TEST(a_line_without_an_end_is_too_large),
        LLM_TEST(lines_without_text_without_end_are_too_large),
        LLM_TEST(a_server_that_takes_no_connection_runs_into_the_first_clock),
        LLM_TEST(a_model_that_never_begins_runs_into_the_clock_of_the_first_token),
        LLM_TEST(bytes_without_text_do_not_count_as_a_token),
        LLM_TEST(a_model_that_stops_speaking_runs_into_the_clock_between_tokens),
        LLM_TEST(a_thought_counts_as_a_token_for_the_clocks),
        LLM_TEST(a_model_that_never_ends_runs_into_the_clock_of_the_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

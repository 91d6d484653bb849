/* test_http.c - what the HTTP client sends and takes, byte by byte. */
#include "test_http_peer.h"

/* ---- answers ---- */

static void a_whole_reply_is_told_once_with_status_type_and_body(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_whole;
    run(&call, post);
    assert_int_equal(call.dones, 1);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_int_equal(call.result.status, 200);
    assert_string_equal(call.content_type, "text/plain");
    assert_string_equal(call.reason, "");
    assert_string_equal(call.retry_after, "");
    assert_string_equal(buf_text(&call.body), "hello");
    assert_int_equal(call.result.body_bytes, 5);
    assert_true(call.result.connect_us >= 0);
    assert_true(call.result.first_byte_us >= call.result.connect_us);
    assert_true(call.result.total_us >= call.result.first_byte_us);
    call_done(&call);
}

static void say_no_content(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 204 No Content\r\n\r\n");
}

static void say_empty(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
}

static void answers_without_a_body_are_done(void **state)
{
    struct call none = {0};
    struct call empty = {0};

    (void)state;
    server.on_whole = say_no_content;
    run(&none, get);
    assert_int_equal(none.result.outcome, HTTP_DONE);
    assert_int_equal(none.result.status, 204);
    assert_string_equal(none.content_type, "");
    server.on_whole = say_empty;
    run(&empty, post);
    assert_int_equal(empty.result.outcome, HTTP_DONE);
    assert_int_equal(empty.datas, 0);
    call_done(&none);
    call_done(&empty);
}

static void say_interim_first(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: "
                 "</a>\r\n\r\n");
    say_whole(raw);
}

static void interim_answers_are_passed_over(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_interim_first;
    run(&call, get);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_int_equal(call.result.status, 200);
    assert_string_equal(buf_text(&call.body), "hello");
    call_done(&call);
}

static void say_busy(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\n"
                 "Content-Length: 2\r\n\r\nno");
}

static void an_error_status_is_a_whole_response_with_its_retry_after(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_busy;
    run(&call, post);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_int_equal(call.result.status, 429);
    assert_string_equal(call.retry_after, "7");
    call_done(&call);
}

static void say_moved(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 307 Temporary Redirect\r\nLocation: /elsewhere\r\n"
                 "Content-Length: 0\r\n\r\n");
}

static void a_redirect_is_not_followed(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_moved;
    run(&call, post);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_int_equal(call.result.status, 307);
    assert_int_equal(server.requests, 1);
    call_done(&call);
}

static bool has_two(void *owner)
{
    return ((struct call *)owner)->body.len == 6;
}

static void a_streamed_reply_comes_as_it_is_sent(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    call_start(&call, http, server.port, "/", post);
    rig_wait(&rig, call_has_data, &call);
    assert_string_equal(buf_text(&call.body), "one");
    assert_string_equal(call.content_type, "application/x-ndjson");
    raw_say(server.connections, "3\r\ntwo\r\n");
    rig_wait(&rig, has_two, &call);
    assert_int_equal(call.dones, 0);
    raw_say(server.connections, "0\r\n\r\n");
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_string_equal(buf_text(&call.body), "onetwo");
    call_done(&call);
}

/* ---- what is sent ---- */

static char seen[4096]; /* the head of the last request */

static void keep_head(struct raw *raw)
{
    snprintf(seen, sizeof(seen), "%s", raw_text(raw));
    say_whole(raw);
}

static void the_head_has_our_headers_and_nothing_that_harms(void **state)
{
    const char *const lines[] = {"Content-Type: application/json",
                                 "X-Parley-Turn: abc:7/1", NULL};
    struct http_request request = post;
    struct call call = {0};

    (void)state;
    server.on_whole = keep_head;
    request.headers = lines;
    run(&call, request);
    assert_int_equal(strncmp(seen, "POST / HTTP/1.1\r\n", 17), 0);
    assert_non_null(strstr(seen, "\r\nContent-Type: application/json\r\n"));
    assert_non_null(strstr(seen, "\r\nX-Parley-Turn: abc:7/1\r\n"));
    assert_non_null(strstr(seen, "\r\n\r\n{\"a\":1}"));
    assert_null(strstr(seen, "Expect:"));
    assert_null(strstr(seen, "Accept-Encoding:"));
    call_done(&call);
}

static void a_large_body_is_sent_without_asking_first(void **state)
{
    size_t len = (size_t)3 * 1024 * 1024;
    char *body = x_malloc(len);
    struct http_request request = post;
    struct call call = {0};

    (void)state;
    memset(body, 'x', len);
    server.on_whole = keep_head;
    request.body = str_make(body, len);
    call_start(&call, http, server.port, "/", request);
    memset(body, 'y', len); /* it was copied */
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_null(strstr(seen, "Expect:"));
    assert_non_null(strstr(seen, "\r\n\r\nxxx"));
    call_done(&call);
    free(body);
}

static void a_proxy_of_the_environment_is_not_used_for_loopback(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_whole;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    setenv("all_proxy", "http://127.0.0.1:1", 1);
    run(&call, get);
    unsetenv("http_proxy");
    unsetenv("all_proxy");
    assert_int_equal(call.result.outcome, HTTP_DONE);
    call_done(&call);
}

static void a_header_with_a_line_end_is_refused_without_its_value(void **state)
{
    const char *const forged[] = {"Authorization: Bearer secret\r\nX-Evil: 1", NULL};
    const char *const blank[] = {"no colon", NULL};
    const char *const *const all[] = {forged, blank};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct http_request request = post;
        struct call call = {0};

        request.headers = all[i];
        run(&call, request);
        assert_int_equal(call.result.outcome, HTTP_REFUSED);
        assert_null(strstr(call.reason, "secret"));
        assert_int_equal(server.accepted, 0);
        call_done(&call);
    }
}

/* ---- no connection ---- */

static void where_nobody_listens_the_call_is_refused(void **state)
{
    struct call call = {0};

    (void)state;
    call_start(&call, http, 1, "/", post);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_REFUSED);
    assert_int_equal(call.result.status, 0);
    assert_int_equal(call.result.connect_us, -1);
    assert_int_equal(call.result.first_byte_us, -1);
    assert_string_equal(call.reason,
                        "cannot connect to 127.0.0.1 port 1: Connection refused");
    call_done(&call);
}

static void what_is_no_http_url_is_refused(void **state)
{
    static const char *const urls[] = {"ftp://127.0.0.1/x",
                                       "file:///etc/passwd",
                                       "http://",
                                       "",
                                       "http://a b/",
                                       "nonsense://x",
                                       "http://127.0.0.1:99999/",
                                       "http://a\r\nb/"};

    (void)state;
    for (size_t i = 0; i < sizeof(urls) / sizeof(urls[0]); i++) {
        struct http_request request = get;
        struct call call = {0};

        request.url = urls[i];
        run(&call, request);
        assert_int_equal(call.result.outcome, HTTP_REFUSED);
        assert_true(strlen(call.reason) > 0);
        assert_null(strchr(call.reason, '\n'));
        call_done(&call);
    }
}

static void other_protocols_are_not_spoken(void **state)
{
    struct http_request request = get;
    struct call call = {0};
    char url[64];

    (void)state;
    snprintf(url, sizeof(url), "gopher://127.0.0.1:%d/1x", server.port);
    request.url = url;
    request.total_ms = 500;
    run(&call, request);
    assert_int_equal(call.result.outcome, HTTP_REFUSED);
    assert_int_equal(server.accepted, 0);
    call_done(&call);
}

/* ---- calls out of callbacks ---- */

struct chain {
    struct call next;
    bool from_done;
    bool started;
};

static void chain_start(struct chain *chain)
{
    if (!chain->started)
        call_start(&chain->next, http, server.port, "/", post);
    chain->started = true;
}

static bool chain_on_data(void *owner, int status, const char *type, struct str bytes)
{
    struct chain *chain = owner;

    (void)status;
    (void)type;
    (void)bytes;
    if (!chain->from_done)
        chain_start(chain);
    return true;
}

static void chain_on_done(void *owner, const struct http_result *result)
{
    assert_int_equal(result->outcome, HTTP_DONE);
    chain_start(owner);
}

static bool chain_is_done(void *owner)
{
    return ((struct chain *)owner)->next.dones > 0;
}

static void a_call_may_be_started_inside_a_callback(void **state)
{
    (void)state;
    server.on_whole = say_whole;
    for (int i = 0; i < 2; i++) {
        struct chain chain = {.from_done = i == 1};
        struct http_handlers handlers = {chain_on_data, chain_on_done, &chain};
        struct http_request request = post;
        char url[64];

        snprintf(url, sizeof(url), "http://localhost:%d/", server.port);
        request.url = url;
        http_start(http, &request, &handlers);
        rig_wait(&rig, chain_is_done, &chain);
        assert_int_equal(chain.next.result.outcome, HTTP_DONE);
        call_done(&chain.next);
    }
}

static void each_outcome_has_a_name(void **state)
{
    (void)state;
    for (int i = 0; i < HTTP_OUTCOME_COUNT; i++)
        assert_true(strlen(http_outcome_name((enum http_outcome)i)) > 3);
    assert_string_equal(http_outcome_name(HTTP_TOO_LARGE), "too_large");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HTTP_TEST(a_whole_reply_is_told_once_with_status_type_and_body),
        HTTP_TEST(answers_without_a_body_are_done),
        HTTP_TEST(interim_answers_are_passed_over),
        HTTP_TEST(an_error_status_is_a_whole_response_with_its_retry_after),
        HTTP_TEST(a_redirect_is_not_followed),
        HTTP_TEST(a_streamed_reply_comes_as_it_is_sent),
        HTTP_TEST(the_head_has_our_headers_and_nothing_that_harms),
        HTTP_TEST(a_large_body_is_sent_without_asking_first),
        HTTP_TEST(a_proxy_of_the_environment_is_not_used_for_loopback),
        HTTP_TEST(a_header_with_a_line_end_is_refused_without_its_value),
        HTTP_TEST(where_nobody_listens_the_call_is_refused),
        HTTP_TEST(what_is_no_http_url_is_refused),
        HTTP_TEST(other_protocols_are_not_spoken),
        HTTP_TEST(a_call_may_be_started_inside_a_callback),
        HTTP_TEST(each_outcome_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

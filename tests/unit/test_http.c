/* test_http.c - the HTTP client against a server of which the test writes each byte. */
#include "test_http_rig.h"

static struct rig rig;
static struct raw_server server;
static struct http *http;

static int set_up(void **state)
{
    (void)state;
    rig_init(&rig);
    raw_server_init(&server, &rig, NULL);
    http = http_new(rig.loop);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    http_free(http);
    raw_server_done(&server);
    rig_done(&rig);
    return 0;
}

static const struct http_request get = {.method = "GET"};
static const struct http_request post = {.method = "POST", .body = {"{\"a\":1}", 7}};

/* Starts a call, waits for its end. */
static void run(struct call *call, struct http_request request)
{
    call_start(call, http, server.port, "/", request);
    rig_wait(&rig, call_is_done, call);
}

static void say_whole(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                 "Content-Length: 5\r\n\r\nhello");
}

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

static void say_stream_head(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
}

static void say_stream_start(struct raw *raw)
{
    say_stream_head(raw);
    raw_say(raw, "3\r\none\r\n");
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
    assert_true(call.result.total_us < 900000); /* libcurl would wait one second */
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

/* ---- clocks ---- */

static void check_clock(const struct call *call, enum http_clock clock, int64_t wait_ms)
{
    assert_int_equal(call->result.outcome, HTTP_TIMEOUT);
    assert_int_equal(call->result.clock, clock);
    assert_true(call->result.total_us >= wait_ms * 1000);
    assert_true(call->result.total_us < (wait_ms + 1000) * 1000);
    assert_non_null(strstr(call->reason, " ms"));
}

static void the_connect_clock_ends_a_connection_that_does_not_come(void **state)
{
    struct http_request request = post;
    struct call call = {0};
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fds[8];
    int full = socket(AF_INET, SOCK_STREAM, 0);

    (void)state;
    /* A queue of accepted connections that is full lets new ones hang. */
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(full, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(full, 0), 0);
    assert_int_equal(getsockname(full, (struct sockaddr *)&address, &len), 0);
    for (size_t i = 0; i < 8; i++) {
        fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)connect(fds[i], (struct sockaddr *)&address, len); /* most just hang */
    }
    request.connect_ms = 120;
    call_start(&call, http, ntohs(address.sin_port), "/", request);
    rig_wait(&rig, call_is_done, &call);
    check_clock(&call, HTTP_CLOCK_CONNECT, 115);
    assert_int_equal(call.result.connect_us, -1);
    for (size_t i = 0; i < 8; i++)
        close(fds[i]);
    close(full);
    call_done(&call);
}

static void the_first_byte_clock_ends_a_server_that_only_thinks(void **state)
{
    struct http_request request = post;
    struct call call = {0};

    (void)state;
    request.first_byte_ms = 100;
    request.quiet_ms = 30; /* does not run yet */
    run(&call, request);
    check_clock(&call, HTTP_CLOCK_FIRST_BYTE, 100);
    assert_int_equal(call.result.status, 0);
    rig_wait(&rig, raw_is_ended, server.connections); /* and we have hung up */
    call_done(&call);
}

static void headers_alone_do_not_end_the_first_byte_clock(void **state)
{
    struct http_request request = post;
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_head;
    request.first_byte_ms = 100;
    request.quiet_ms = 30;
    run(&call, request);
    check_clock(&call, HTTP_CLOCK_FIRST_BYTE, 100);
    assert_int_equal(call.result.status, 200);
    assert_true(call.result.first_byte_us < 100000);
    call_done(&call);
}

static void the_quiet_clock_runs_between_bytes(void **state)
{
    struct http_request request = post;
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    request.quiet_ms = 100;
    run(&call, request);
    check_clock(&call, HTTP_CLOCK_QUIET, 100);
    assert_string_equal(buf_text(&call.body), "one");
    call_done(&call);
}

struct drip {
    struct loop_timer timer;
    int left;
};

static void on_drip(struct loop_timer *timer, void *owner)
{
    struct drip *drip = owner;

    raw_say(server.connections, drip->left > 0 ? "1\r\nx\r\n" : "0\r\n\r\n");
    if (drip->left-- > 0)
        loop_timer_start(timer, 20);
}

static void bytes_in_time_keep_the_quiet_clock_from_ending_a_call(void **state)
{
    struct http_request request = post;
    struct drip drip = {.left = 10};
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    request.quiet_ms = 150;
    call_start(&call, http, server.port, "/", request);
    rig_wait(&rig, call_has_data, &call);
    loop_timer_init(&drip.timer, rig.loop, on_drip, &drip);
    loop_timer_start(&drip.timer, 20);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_true(call.result.total_us > 200000);
    call_done(&call);
}

static void the_total_clock_ends_a_stream_that_goes_on(void **state)
{
    struct http_request request = post;
    struct drip drip = {.left = 1000};
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    request.total_ms = 150;
    request.quiet_ms = 120;
    call_start(&call, http, server.port, "/", request);
    rig_wait(&rig, call_has_data, &call);
    loop_timer_init(&drip.timer, rig.loop, on_drip, &drip);
    loop_timer_start(&drip.timer, 20);
    rig_wait(&rig, call_is_done, &call);
    loop_timer_stop(&drip.timer);
    check_clock(&call, HTTP_CLOCK_TOTAL, 150);
    call_done(&call);
}

/* Our own process stands still for longer than the clock, and the bytes are there. */
static void after_a_pause_of_our_own_bytes_count_before_clocks(void **state)
{
    struct http_request request = post;
    struct call call = {0};
    int64_t until_ms = 0;

    (void)state;
    server.on_whole = say_stream_start;
    request.quiet_ms = 60;
    call_start(&call, http, server.port, "/", request);
    rig_wait(&rig, call_has_data, &call);
    raw_say(server.connections, "3\r\ntwo\r\n0\r\n\r\n");
    for (until_ms = clock_mono_ms() + 90; clock_mono_ms() < until_ms;)
        continue;
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    call_done(&call);
}

/* ---- broken ---- */

static void say_and_close(struct raw *raw)
{
    static const char *const texts[] = {
        "",
        "HTTP/1.1 200",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "SSH-2.0-OpenSSH_9.2p1\r\nhello, this is not what you look for\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabcde\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabcde\r\n",
        "\x1b[31m\x07\r\n\r\n",
    };

    if (server.accepted > sizeof(texts) / sizeof(texts[0]))
        return;
    raw_say(raw, texts[server.accepted - 1]);
    raw_close(raw);
}

static void an_answer_that_ends_early_or_is_not_http_is_broken(void **state)
{
    (void)state;
    server.on_whole = say_and_close;
    for (size_t i = 0; i < 9; i++) {
        struct call call = {0};

        run(&call, post);
        assert_int_equal(call.result.outcome, HTTP_BROKEN);
        assert_int_equal(call.dones, 1);
        assert_true(strlen(call.reason) > 0);
        for (const char *c = call.reason; *c; c++)
            assert_true(*c >= ' ' && *c < 0x7f);
        assert_int_equal(server.requests, i + 1);
        call_done(&call);
    }
}

static void say_reset(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab");
    raw_reset(raw);
}

static void a_reset_connection_is_broken(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_reset;
    run(&call, post);
    assert_int_equal(call.result.outcome, HTTP_BROKEN);
    call_done(&call);
}

/* The first request is answered, the connection stays; each later one is swallowed. */
static void answer_once_then_close(struct raw *raw)
{
    if (server.requests == 1)
        say_whole(raw);
    else
        raw_close(raw);
}

static void a_post_is_never_sent_again_by_itself(void **state)
{
    static const struct http_request *const firsts[] = {&get, &post};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct call first = {0};
        struct call second = {0};

        server.requests = 0;
        server.on_whole = answer_once_then_close;
        run(&first, *firsts[i]);
        assert_int_equal(first.result.outcome, HTTP_DONE);
        run(&second, post);
        assert_int_equal(second.result.outcome, HTTP_BROKEN);
        assert_int_equal(server.requests, 2);
        call_done(&first);
        call_done(&second);
    }
}

static void gets_share_a_connection_and_posts_have_their_own(void **state)
{
    struct call calls[4] = {0};

    (void)state;
    server.on_whole = say_whole;
    run(&calls[0], get);
    run(&calls[1], get);
    assert_int_equal(server.accepted, 1);
    run(&calls[2], post);
    run(&calls[3], post);
    assert_int_equal(server.accepted, 3);
    for (size_t i = 0; i < 4; i++)
        call_done(&calls[i]);
}

/* ---- bounds ---- */

static void an_answer_may_be_as_large_as_its_bound_and_no_larger(void **state)
{
    (void)state;
    server.on_whole = say_whole;
    for (size_t max = 4; max <= 5; max++) {
        struct http_request request = post;
        struct call call = {0};

        request.max_bytes = max;
        run(&call, request);
        assert_int_equal(call.result.outcome, max == 5 ? HTTP_DONE : HTTP_TOO_LARGE);
        assert_int_equal(call.body.len, max == 5 ? 5 : 0);
        call_done(&call);
    }
}

static void say_endless_headers(struct raw *raw)
{
    char line[1024];

    snprintf(line, sizeof(line), "X-A: %0*d\r\n", 1000, 0);
    raw_say(raw, "HTTP/1.1 200 OK\r\n");
    for (int i = 0; i < 290; i++)
        raw_say(raw, line);
}

static void endless_headers_are_too_large(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_endless_headers;
    run(&call, post);
    assert_int_equal(call.result.outcome, HTTP_TOO_LARGE);
    call_done(&call);
}

/* ---- cancelling ---- */

static void a_cancelled_call_ends_once_and_hangs_up(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    call_start(&call, http, server.port, "/", post);
    rig_wait(&rig, call_has_data, &call);
    http_cancel(call.http);
    http_cancel(call.http);
    assert_int_equal(call.dones, 0);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_CANCELLED);
    assert_string_equal(call.reason, "cancelled");
    rig_wait(&rig, raw_is_ended, server.connections);
    assert_int_equal(call.dones, 1);
    call_done(&call);
}

static void giving_up_inside_on_data_cancels(void **state)
{
    struct call calls[2] = {{.give_up = true}, {.cancel_in = true}};

    (void)state;
    server.on_whole = say_stream_start;
    for (size_t i = 0; i < 2; i++) {
        run(&calls[i], post);
        assert_int_equal(calls[i].result.outcome, HTTP_CANCELLED);
        assert_int_equal(calls[i].datas, 1);
        rig_wait(&rig, raw_is_ended, server.connections);
        call_done(&calls[i]);
    }
}

static void a_dropped_call_says_nothing_more_and_hangs_up(void **state)
{
    struct call early = {0};
    struct call inside = {.drop_in = true};

    (void)state;
    server.on_whole = say_stream_start;
    call_start(&early, http, server.port, "/", post);
    http_drop(early.http);
    rig_idle(&rig, 20);
    assert_int_equal(early.dones + early.datas, 0);
    call_start(&inside, http, server.port, "/", post);
    rig_wait(&rig, call_has_data, &inside);
    rig_wait(&rig, raw_is_ended, server.connections);
    assert_int_equal(inside.dones, 0);
    call_done(&early);
    call_done(&inside);
}

static void a_call_cancelled_at_once_never_connects(void **state)
{
    struct call call = {0};

    (void)state;
    call_start(&call, http, server.port, "/", post);
    http_cancel(call.http);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_CANCELLED);
    rig_idle(&rig, 20);
    assert_int_equal(server.accepted, 0);
    call_done(&call);
}

static bool both_have_data(void *owner)
{
    struct call *calls = owner;

    return calls[0].datas > 0 && calls[1].datas > 0;
}

static void freeing_the_client_ends_every_call_as_cancelled(void **state)
{
    struct call calls[3] = {0};
    struct http *other = http_new(rig.loop);

    (void)state;
    server.on_whole = say_stream_start;
    call_start(&calls[0], other, server.port, "/", post);
    call_start(&calls[1], other, server.port, "/", get);
    rig_wait(&rig, both_have_data, calls);
    call_start(&calls[2], other, server.port, "/", post);
    http_free(other);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(calls[i].dones, 1);
        assert_int_equal(calls[i].result.outcome, HTTP_CANCELLED);
        call_done(&calls[i]);
    }
    rig_wait(&rig, raw_is_ended, server.connections);
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

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

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
        HTTP_TEST(the_connect_clock_ends_a_connection_that_does_not_come),
        HTTP_TEST(the_first_byte_clock_ends_a_server_that_only_thinks),
        HTTP_TEST(headers_alone_do_not_end_the_first_byte_clock),
        HTTP_TEST(the_quiet_clock_runs_between_bytes),
        HTTP_TEST(bytes_in_time_keep_the_quiet_clock_from_ending_a_call),
        HTTP_TEST(the_total_clock_ends_a_stream_that_goes_on),
        HTTP_TEST(after_a_pause_of_our_own_bytes_count_before_clocks),
        HTTP_TEST(an_answer_that_ends_early_or_is_not_http_is_broken),
        HTTP_TEST(a_reset_connection_is_broken),
        HTTP_TEST(a_post_is_never_sent_again_by_itself),
        HTTP_TEST(gets_share_a_connection_and_posts_have_their_own),
        HTTP_TEST(an_answer_may_be_as_large_as_its_bound_and_no_larger),
        HTTP_TEST(endless_headers_are_too_large),
        HTTP_TEST(a_cancelled_call_ends_once_and_hangs_up),
        HTTP_TEST(giving_up_inside_on_data_cancels),
        HTTP_TEST(a_dropped_call_says_nothing_more_and_hangs_up),
        HTTP_TEST(a_call_cancelled_at_once_never_connects),
        HTTP_TEST(freeing_the_client_ends_every_call_as_cancelled),
        HTTP_TEST(a_call_may_be_started_inside_a_callback),
        HTTP_TEST(each_outcome_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

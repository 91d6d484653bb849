/* test_http_ends.c - how calls of the HTTP client end badly: by a clock, broken,
 * too large, cancelled.
 */
#include "test_http_peer.h"

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
    struct drip drip = {.left = 30};
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    request.quiet_ms = 500;
    call_start(&call, http, server.port, "/", request);
    rig_wait(&rig, call_has_data, &call);
    loop_timer_init(&drip.timer, rig.loop, on_drip, &drip);
    loop_timer_start(&drip.timer, 20);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_true(call.result.total_us > 500000);
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
        bool spoke = i != 3 && i != 8;
        struct call call = {0};

        run(&call, post);
        assert_int_equal(call.result.outcome, spoke ? HTTP_BROKEN : HTTP_GARBLED);
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

static int64_t cancelled_at_us;

/* Runs as the last hook of a turn, after the client's. */
static bool cancelled_late(void *owner)
{
    struct call *call = owner;

    if (call->http && call->datas > 0 && cancelled_at_us == 0) {
        cancelled_at_us = clock_mono_us();
        http_cancel(call->http);
    }
    return call->dones > 0;
}

static void a_call_cancelled_out_of_a_hook_ends_at_once_too(void **state)
{
    struct call call = {0};

    (void)state;
    server.on_whole = say_stream_start;
    call_start(&call, http, server.port, "/", post);
    rig_wait(&rig, cancelled_late, &call);
    assert_true(clock_mono_us() - cancelled_at_us < 100000);
    assert_int_equal(call.result.outcome, HTTP_CANCELLED);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
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
        HTTP_TEST(a_call_cancelled_out_of_a_hook_ends_at_once_too),
        HTTP_TEST(giving_up_inside_on_data_cancels),
        HTTP_TEST(a_dropped_call_says_nothing_more_and_hangs_up),
        HTTP_TEST(a_call_cancelled_at_once_never_connects),
        HTTP_TEST(freeing_the_client_ends_every_call_as_cancelled),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

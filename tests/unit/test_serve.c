/* test_serve.c - what the HTTP server takes and answers, byte by byte. */
#include "test_serve_rig.h"

/* ---- requests ---- */

static void a_request_is_handed_over_whole(void **state)
{
    (void)state;
    told.handle = answer_hello;
    raw_say(client, "POST /api/chat%20x?q=a%26b&r=2 HTTP/1.1\r\nHost: a\r\nX-One: 1\r\n"
                    "Content-Length: 7\r\n\r\n{\"a\":1}");
    expect("hello");
    assert_string_equal(told.method, "POST");
    assert_string_equal(told.path, "/api/chat x");
    assert_string_equal(told.query, "a&b");
    assert_string_equal(told.header, "1");
    assert_string_equal(told.body, "{\"a\":1}");
    wait_gone(1);
    assert_int_equal(told.dones, 1);
}

struct typist {
    struct loop_timer timer;
    const char *left;
};

static void on_key(struct loop_timer *timer, void *owner)
{
    struct typist *typist = owner;

    raw_say_bytes(client, typist->left++, 1);
    if (*typist->left)
        loop_timer_start(timer, 1);
}

static void a_request_may_come_byte_by_byte(void **state)
{
    struct typist typist = {.left = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: "
                                    "chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"};

    (void)state;
    told.handle = answer_hello;
    loop_timer_init(&typist.timer, rig.loop, on_key, &typist);
    loop_timer_start(&typist.timer, 1);
    expect("hello");
    assert_string_equal(told.body, "abcde");
    assert_int_equal(told.requests, 1);
}

static void a_body_over_the_bound_is_answered_413_however_large(void **state)
{
    char head[128];
    size_t len = (size_t)5 * 1024 * 1024;
    char *body = x_calloc(1, len);

    (void)state;
    snprintf(head, sizeof(head),
             "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: %zu\r\n\r\n", len);
    raw_say(client, head);
    for (size_t sent = 0; sent < len && !client->ended;) {
        ssize_t count = send(client->fd, body, len - sent, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (count > 0)
            sent += (size_t)count;
        else
            rig_idle(&rig, 1);
    }
    expect("HTTP/1.1 413 ");
    expect("the body is larger than 1000 bytes\n");
    assert_int_equal(told.requests, 0);
    assert_int_equal(told.gones, 0);
    free(body);
}

static void a_body_of_just_the_bound_is_taken(void **state)
{
    char body[1001];

    (void)state;
    memset(body, 'x', 1000);
    body[1000] = '\0';
    told.handle = answer_hello;
    raw_say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n");
    raw_say(client, body);
    expect("hello");
    assert_int_equal(told.body_len, 1000);
}

static void what_is_not_http_reaches_nobody(void **state)
{
    (void)state;
    raw_say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -5\r\n\r\n");
    expect("HTTP/1.1 400 ");
    rig_wait(&rig, raw_is_ended, client);
    assert_int_equal(told.requests, 0);
}

static void a_head_that_is_too_large_reaches_nobody(void **state)
{
    char line[1024];

    (void)state;
    snprintf(line, sizeof(line), "X-A: %0*d\r\n", 1000, 0);
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n");
    for (int i = 0; i < 40; i++)
        raw_say(client, line);
    expect("HTTP/1.1 431 ");
    assert_int_equal(told.requests, 0);
}

static void a_client_gone_while_sending_reaches_nobody(void **state)
{
    (void)state;
    raw_say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nabc");
    rig_idle(&rig, 10);
    raw_close(client);
    rig_idle(&rig, 20);
    assert_int_equal(told.requests + told.gones, 0);
}

/* ---- answers ---- */

static void an_answer_may_come_later_with_more_headers(void **state)
{
    (void)state;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, is_asked, NULL);
    rig_idle(&rig, 20);
    assert_int_equal(client->got.len, 0);
    serve_add_header(told.request, "Retry-After", "7");
    serve_add_header(told.request, "X-Forged", "a\r\nX-Evil: 1");
    serve_reply(told.request, 429, "application/json", str_of("{}"));
    expect("HTTP/1.1 429 ");
    wait_text("\r\n\r\n{}");
    assert_non_null(strstr(raw_text(client), "Retry-After: 7\r\n"));
    assert_non_null(strstr(raw_text(client), "Content-Type: application/json\r\n"));
    assert_non_null(strstr(raw_text(client), "Content-Length: 2\r\n"));
    assert_null(strstr(raw_text(client), "X-Evil"));
    wait_gone(1);
    assert_int_equal(told.dones, 1);
}

/* Runs as the last hook of a turn, after the server's. */
static bool answered_late(void *owner)
{
    struct serve_request *request = told.request;

    (void)owner;
    told.request = NULL;
    if (request)
        answer_hello(request);
    return strstr(raw_text(client), "hello") != NULL;
}

static void an_answer_out_of_a_hook_comes_at_once_too(void **state)
{
    (void)state;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, answered_late, NULL);
}

static void each_write_is_a_chunk_and_comes_at_once(void **state)
{
    int64_t start_us = 0;

    (void)state;
    told.handle = begin_stream;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect("\r\n\r\n"); /* the head comes before there is anything to say */
    start_us = clock_mono_us();
    for (int i = 0; i < 50; i++) {
        assert_true(serve_write(told.request, str_of("{\"t\":\"a\"}")));
        expect("9\r\n{\"t\":\"a\"}\r\n");
        assert_int_equal(client->got.len, 0);
    }
    assert_true(clock_mono_us() - start_us
                < 500000); /* no Nagle, no cork: 40 ms each */
    serve_end(told.request);
    expect("0\r\n\r\n");
    assert_int_equal(client->got.len, 0);
    wait_gone(1);
    assert_int_equal(told.dones, 1);
}

static void writes_of_one_turn_stay_chunks_of_their_own(void **state)
{
    (void)state;
    told.handle = stream_at_once;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    expect("\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n");
    wait_gone(1);
    assert_int_equal(told.dones, 1);
}

static void a_large_write_comes_whole(void **state)
{
    size_t len = 300000;
    char *bytes = x_malloc(len);

    (void)state;
    memset(bytes, 'x', len);
    bytes[len - 1] = '!';
    told.handle = begin_stream;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, is_asked, NULL);
    assert_true(serve_write(told.request, str_make(bytes, len)));
    serve_end(told.request);
    expect("!\r\n0\r\n\r\n");
    free(bytes);
}

static void a_head_request_gets_the_head_of_the_get(void **state)
{
    (void)state;
    told.handle = answer_hello;
    raw_say(client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    wait_text("Content-Length: 5\r\n");
    expect("\r\n\r\n");
    assert_int_equal(client->got.len, 0);
    wait_gone(1);
    assert_string_equal(told.method, "GET");
    told.handle = stream_at_once;
    raw_say(client, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, raw_is_ended, client);
    assert_non_null(strstr(raw_text(client), "Content-Type: application/x-ndjson\r\n"));
    assert_string_equal(raw_text(client) + client->got.len - 4, "\r\n\r\n");
    wait_gone(2);
    assert_int_equal(told.dones, 2);
}

static void forty_requests_go_over_one_connection(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 40; i++) {
        told.handle = i % 2 ? answer_hello : stream_at_once;
        raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect(i % 2 ? "hello" : "0\r\n\r\n");
    }
    wait_gone(40);
    assert_int_equal(told.dones, 40);
    assert_false(client->ended);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    told.handle = begin_stream;
    raw_say(client,
            "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.1\r\nHost: a\r\n\r\n"
            "GET /3 HTTP/1.1\r\nHost: a\r\n\r\n");
    for (int i = 1; i <= 3; i++) {
        char path[16];

        fmt_into(path, sizeof path, "/%d", i);
        rig_wait(&rig, is_asked, NULL);
        assert_string_equal(told.path, path);
        assert_true(serve_write(told.request, str_of(path)));
        serve_end(told.request);
        expect(path);
        wait_gone((unsigned)i);
    }
    assert_int_equal(told.dones, 3);
}

/* ---- the client leaves ---- */

static void leave_close(void)
{
    raw_close(client);
}

static void leave_reset(void)
{
    raw_reset(client);
}

static void leave_half(void)
{
    shutdown(client->fd, SHUT_WR);
}

static void a_client_gone_in_mid_stream_is_noticed_at_once(void **state)
{
    static void (*const leave[])(void) = {leave_close, leave_reset, leave_half};

    (void)state;
    told.handle = begin_stream;
    for (unsigned i = 0; i < 3; i++) {
        int64_t left_us = 0;

        raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        expect("\r\n\r\n");
        assert_true(serve_write(told.request, str_of("x")));
        expect("x\r\n");
        left_us = clock_mono_us();
        leave[i]();
        wait_gone(i + 1);
        assert_true(clock_mono_us() - left_us < 250000);
        assert_int_equal(told.dones, 0);
        raw_free(client);
        client = raw_connect(&rig, serve_port(serve));
    }
}

static void a_client_gone_before_the_answer_is_noticed(void **state)
{
    (void)state;
    raw_say(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab");
    rig_wait(&rig, is_asked, NULL);
    raw_close(client);
    wait_gone(1);
    assert_int_equal(told.dones, 0);
}

static void a_client_that_does_not_read_bounds_what_waits(void **state)
{
    char bytes[64 * 1024];
    unsigned written = 0;
    int small = 64 * 1024;

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    setsockopt(client->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    loop_io_stop(&client->io);
    told.handle = begin_stream;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, is_asked, NULL);
    while (serve_write(told.request, str_make(bytes, sizeof(bytes)))) {
        rig_idle(&rig, 1);
        assert_true(++written < 1000);
    }
    assert_true(written >= 16);
    assert_int_equal(told.gones, 0);
    serve_end(told.request); /* what was taken still comes, once it is read */
    loop_io_watch(&client->io, client->fd, LOOP_READ);
    expect("0\r\n\r\n");
    wait_gone(1);
    assert_int_equal(told.dones, 1);
}

static void a_silent_client_is_sent_away(void **state)
{
    struct serve_options some = options("127.0.0.1:0");
    struct serve *strict = NULL;
    struct raw *half = NULL;

    (void)state;
    some.idle_ms = 1000;
    assert_true(serve_new(rig.loop, &some, &strict, NULL));
    half = raw_connect(&rig, serve_port(strict));
    raw_say(half, "GET / HTTP/1.1\r\nHost:");
    rig_wait(&rig, raw_is_ended, half);
    raw_free(half);
    serve_free(strict);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVE_TEST(a_request_is_handed_over_whole),
        SERVE_TEST(a_request_may_come_byte_by_byte),
        SERVE_TEST(a_body_over_the_bound_is_answered_413_however_large),
        SERVE_TEST(a_body_of_just_the_bound_is_taken),
        SERVE_TEST(what_is_not_http_reaches_nobody),
        SERVE_TEST(a_head_that_is_too_large_reaches_nobody),
        SERVE_TEST(a_client_gone_while_sending_reaches_nobody),
        SERVE_TEST(an_answer_may_come_later_with_more_headers),
        SERVE_TEST(an_answer_out_of_a_hook_comes_at_once_too),
        SERVE_TEST(each_write_is_a_chunk_and_comes_at_once),
        SERVE_TEST(writes_of_one_turn_stay_chunks_of_their_own),
        SERVE_TEST(a_large_write_comes_whole),
        SERVE_TEST(a_head_request_gets_the_head_of_the_get),
        SERVE_TEST(forty_requests_go_over_one_connection),
        SERVE_TEST(pipelined_requests_are_answered_in_order),
        SERVE_TEST(a_client_gone_in_mid_stream_is_noticed_at_once),
        SERVE_TEST(a_client_gone_before_the_answer_is_noticed),
        SERVE_TEST(a_client_that_does_not_read_bounds_what_waits),
        SERVE_TEST(a_silent_client_is_sent_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

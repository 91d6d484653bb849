/* test_serve.c - the HTTP server against a client of which the test writes each byte.
 */
#include <sys/stat.h>
#include <sys/un.h>

#include "test_http_rig.h"

/* What the server told about its last request, and how the test wants it handled. */
static struct told {
    struct serve_request *request; /* the open one, NULL otherwise */
    unsigned requests;
    unsigned gones;
    unsigned dones;
    char method[16];
    char path[64];
    char query[64];
    char header[64];
    size_t body_len;
    char body[64];
    void (*handle)(struct serve_request *request);
} told;

static struct rig rig;
static struct serve *serve;
static struct raw *client;

static void note(char *into, size_t size, const char *text)
{
    snprintf(into, size, "%s", text ? text : "(none)");
}

static void on_request(void *owner, struct serve_request *request)
{
    assert_ptr_equal(owner, &told);
    told.request = request;
    told.requests++;
    note(told.method, sizeof(told.method), serve_method(request));
    note(told.path, sizeof(told.path), serve_path(request));
    note(told.query, sizeof(told.query), serve_query(request, "q"));
    note(told.header, sizeof(told.header), serve_header(request, "x-one"));
    told.body_len = serve_body(request).len;
    note(told.body, sizeof(told.body), serve_body(request).at);
    serve_set_data(request, &told);
    if (told.handle)
        told.handle(request);
}

static void on_gone(void *owner, struct serve_request *request, bool done)
{
    assert_ptr_equal(owner, &told);
    assert_ptr_equal(serve_data(request), &told);
    assert_false(serve_write(request, str_of("too late")));
    if (told.request == request)
        told.request = NULL;
    told.gones++;
    told.dones += done;
}

static struct serve_options options(const char *address)
{
    struct serve_options some = {.listen = address,
                                 .max_body = 1000,
                                 .on_request = on_request,
                                 .on_gone = on_gone,
                                 .owner = &told};

    return some;
}

static int set_up(void **state)
{
    struct serve_options some = options("127.0.0.1:0");
    struct err err = {0};

    (void)state;
    memset(&told, 0, sizeof(told));
    rig_init(&rig);
    if (!serve_new(rig.loop, &some, &serve, &err))
        return -1;
    client = raw_connect(&rig, serve_port(serve));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    raw_free(client);
    serve_free(serve);
    rig_done(&rig);
    return 0;
}

/* ---- conditions ---- */

static bool is_asked(void *owner)
{
    (void)owner;
    return told.request != NULL;
}

static bool is_gone(void *owner)
{
    return told.gones >= *(unsigned *)owner;
}

static bool client_has(void *owner)
{
    return strstr(raw_text(client), owner) != NULL;
}

static void wait_gone(unsigned count)
{
    rig_wait(&rig, is_gone, &count);
}

static void wait_text(const char *text)
{
    char copy[128];

    snprintf(copy, sizeof(copy), "%s", text);
    if (!rig_try(&rig, client_has, copy, RIG_LIMIT_MS))
        fail_msg("no \"%s\" but \"%.2000s\"", text, raw_text(client));
}

/* Waits until the client has this text, and forgets all up to its end. */
static void expect(const char *text)
{
    wait_text(text);
    buf_eat(&client->got,
            (size_t)(strstr(raw_text(client), text) - raw_text(client)) + strlen(text));
}

/* ---- handlers ---- */

static void answer_hello(struct serve_request *request)
{
    serve_reply(request, 200, "text/plain", str_of("hello"));
}

static void begin_stream(struct serve_request *request)
{
    serve_begin(request, 200, "application/x-ndjson");
}

static void stream_at_once(struct serve_request *request)
{
    serve_begin(request, 200, "application/x-ndjson");
    assert_true(serve_write(request, str_of("one")));
    assert_true(serve_write(request, str_of("")));
    assert_true(serve_write(request, str_of("two")));
    serve_end(request);
}

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
    for (size_t sent = 0; sent < len;) {
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
        char path[8];

        snprintf(path, sizeof(path), "/%d", i);
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
        assert_true(clock_mono_us() - left_us < 50000);
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

/* ---- the server ends ---- */

static void aborting_sends_what_was_written_and_no_last_chunk(void **state)
{
    (void)state;
    told.handle = begin_stream;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, is_asked, NULL);
    assert_true(serve_write(told.request, str_of("half")));
    serve_abort(told.request);
    rig_wait(&rig, raw_is_ended, client);
    assert_non_null(strstr(raw_text(client), "\r\n\r\n4\r\nhalf\r\n"));
    assert_null(strstr(raw_text(client), "0\r\n\r\n"));
    wait_gone(1);
    assert_int_equal(told.dones, 0);
}

static void aborting_before_the_answer_says_nothing(void **state)
{
    (void)state;
    told.handle = serve_abort;
    raw_say(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    rig_wait(&rig, raw_is_ended, client);
    assert_int_equal(client->got.len, 0);
    wait_gone(1);
    assert_int_equal(told.dones, 0);
}

static void freeing_the_server_ends_every_request(void **state)
{
    struct serve_options some = options("127.0.0.1:0");
    struct serve *other = NULL;
    struct raw *open[3] = {0};

    (void)state;
    assert_true(serve_new(rig.loop, &some, &other, NULL));
    for (size_t i = 0; i < 3; i++) {
        told.request = NULL;
        told.handle = i == 0 ? NULL : begin_stream;
        open[i] = raw_connect(&rig, serve_port(other));
        raw_say(open[i], "GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        rig_wait(&rig, is_asked, NULL);
    }
    assert_true(serve_write(told.request, str_of("in flight")));
    serve_free(other);
    assert_int_equal(told.gones, 3);
    assert_int_equal(told.dones, 0);
    for (size_t i = 0; i < 3; i++) {
        rig_wait(&rig, raw_is_ended, open[i]);
        raw_free(open[i]);
    }
}

/* ---- addresses ---- */

static void a_busy_port_is_told_by_its_name(void **state)
{
    char address[32];
    struct serve_options some = options(address);
    struct serve *second = NULL;
    struct err err = {0};

    (void)state;
    snprintf(address, sizeof(address), "127.0.0.1:%d", serve_port(serve));
    assert_false(serve_new(rig.loop, &some, &second, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.msg, address));
    assert_non_null(strstr(err.msg, "Address already in use"));
    assert_null(second);
}

static void what_is_no_address_is_a_usage_error(void **state)
{
    static const char *const texts[] = {
        "",       "11434", "127.0.0.1", ":80",   "a:",   "a:x",    "127.0.0.1:70000",
        "::1:80", "[::1]", "[]:80",     "unix:", "a:-1", "[::1]80"};

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct serve_options some = options(texts[i]);
        struct serve *none = NULL;
        struct err err = {0};

        assert_false(serve_new(rig.loop, &some, &none, &err));
        assert_int_equal(err.code, ERR_USAGE);
    }
}

static void ipv6_is_served(void **state)
{
    struct serve_options some = options("[::1]:0");
    struct serve *v6 = NULL;
    struct err err = {0};
    struct sockaddr_in6 address = {.sin6_family = AF_INET6};
    struct raw *raw = NULL;
    int fd = -1;

    (void)state;
    if (!serve_new(rig.loop, &some, &v6, &err)) {
        print_message("no IPv6 here: %s\n", err.msg);
        skip();
    }
    address.sin6_addr.s6_addr[15] = 1;
    address.sin6_port = htons((uint16_t)serve_port(v6));
    fd = socket(AF_INET6, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    raw = raw_new(&rig, fd);
    told.handle = answer_hello;
    raw_say(raw, "GET / HTTP/1.0\r\n\r\n");
    rig_wait(&rig, raw_is_ended, raw);
    assert_non_null(strstr(raw_text(raw), "hello"));
    raw_free(raw);
    serve_free(v6);
}

static struct raw *connect_unix(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return raw_new(&rig, fd);
}

static void leave_stale_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    memcpy(address.sun_path, path, strlen(path) + 1);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    close(fd);
}

static void a_unix_socket_is_served_private_and_removed(void **state)
{
    char folder[] = "/tmp/parley-serve-XXXXXX";
    char path[64];
    char address[80];
    struct serve_options some = options(address);
    struct serve *local = NULL;
    struct serve *second = NULL;
    struct err err = {0};
    struct raw *raw = NULL;
    struct stat file;

    (void)state;
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof(path), "%s/sock", folder);
    snprintf(address, sizeof(address), "unix:%s", path);
    leave_stale_socket(path);
    assert_true(serve_new(rig.loop, &some, &local, &err));
    assert_int_equal(serve_port(local), 0);
    assert_int_equal(stat(path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_false(serve_new(rig.loop, &some, &second, &err)); /* taken while it lives */
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.msg, path));
    told.handle = stream_at_once;
    raw = connect_unix(path);
    raw_say(raw, "GET / HTTP/1.0\r\n\r\n");
    rig_wait(&rig, raw_is_ended, raw);
    assert_non_null(strstr(raw_text(raw), "onetwo"));
    raw_free(raw);
    serve_free(local);
    assert_int_not_equal(stat(path, &file), 0);
    assert_int_equal(rmdir(folder), 0);
}

static void a_file_that_is_no_socket_is_left_alone(void **state)
{
    char path[] = "/tmp/parley-serve-XXXXXX";
    char address[80];
    struct serve_options some = options(address);
    struct serve *none = NULL;
    struct err err = {0};
    int fd = mkstemp(path);

    (void)state;
    snprintf(address, sizeof(address), "unix:%s", path);
    assert_false(serve_new(rig.loop, &some, &none, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_int_equal(unlink(path), 0);
    close(fd);
}

#define SERVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SERVE_TEST(a_request_is_handed_over_whole),
        SERVE_TEST(a_request_may_come_byte_by_byte),
        SERVE_TEST(a_body_over_the_bound_is_answered_413_however_large),
        SERVE_TEST(a_body_of_just_the_bound_is_taken),
        SERVE_TEST(what_is_not_http_reaches_nobody),
        SERVE_TEST(a_client_gone_while_sending_reaches_nobody),
        SERVE_TEST(an_answer_may_come_later_with_more_headers),
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
        SERVE_TEST(aborting_sends_what_was_written_and_no_last_chunk),
        SERVE_TEST(aborting_before_the_answer_says_nothing),
        SERVE_TEST(freeing_the_server_ends_every_request),
        SERVE_TEST(a_busy_port_is_told_by_its_name),
        SERVE_TEST(what_is_no_address_is_a_usage_error),
        SERVE_TEST(ipv6_is_served),
        SERVE_TEST(a_unix_socket_is_served_private_and_removed),
        SERVE_TEST(a_file_that_is_no_socket_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

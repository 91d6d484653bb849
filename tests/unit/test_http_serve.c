/* test_http_serve.c - our HTTP client and our HTTP server talking in one loop. */
#include "net/serve.h"
#include "test_http_call.h"

enum { STREAMS = 200, LINES = 20 };

/* The open requests of the server; a tick writes a line to each. */
static struct stage {
    struct serve_request *open[STREAMS];
    unsigned lines[STREAMS];
    size_t count;
    unsigned requests;
    unsigned gones;
    unsigned dones;
    struct loop_timer tick;
} stage;

static struct rig rig;
static struct http *http;
static struct serve *serve;

static const struct http_request get = {.method = "GET"};
static const struct http_request post = {.method = "POST", .body = {"{}", 2}};

static void on_request(void *owner, struct serve_request *request)
{
    (void)owner;
    stage.requests++;
    if (strcmp(serve_path(request), "/whole") == 0) {
        serve_reply(request, 200, "text/plain", serve_body(request));
        return;
    }
    assert_true(stage.count < STREAMS);
    stage.lines[stage.count] = 0;
    stage.open[stage.count++] = request;
    serve_begin(request, 200, "application/x-ndjson");
}

static void on_gone(void *owner, struct serve_request *request, bool done)
{
    (void)owner;
    for (size_t i = 0; i < stage.count; i++) {
        if (stage.open[i] == request)
            stage.open[i] = NULL;
    }
    stage.gones++;
    stage.dones += done;
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    char line[32];

    (void)owner;
    for (size_t i = 0; i < stage.count; i++) {
        if (!stage.open[i])
            continue;
        snprintf(line, sizeof(line), "{\"line\":%u}\n", stage.lines[i]);
        assert_true(serve_write(stage.open[i], str_of(line)));
        if (++stage.lines[i] < LINES)
            continue;
        serve_end(stage.open[i]);
        stage.open[i] = NULL;
    }
    loop_timer_start(timer, 5);
}

static int set_up(void **state)
{
    struct serve_options options = {
        .listen = "127.0.0.1:0", .on_request = on_request, .on_gone = on_gone};
    struct err err = {0};

    (void)state;
    memset(&stage, 0, sizeof(stage));
    rig_init(&rig);
    http = http_new(rig.loop);
    loop_timer_init(&stage.tick, rig.loop, on_tick, NULL);
    return serve_new(rig.loop, &options, &serve, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    loop_timer_stop(&stage.tick);
    http_free(http);
    serve_free(serve);
    rig_done(&rig);
    return 0;
}

static bool has_gones(void *owner)
{
    return stage.gones >= *(unsigned *)owner;
}

static void wait_gones(unsigned count)
{
    rig_wait(&rig, has_gones, &count);
}

static void start(struct call *call, const char *path, struct http_request request)
{
    call_start(call, http, serve_port(serve), path, request);
}

/* ---- cases ---- */

static void what_is_posted_comes_back(void **state)
{
    size_t len = (size_t)4 * 1024 * 1024;
    struct http_request request = post;
    struct call call = {0};
    char *body = x_malloc(len);

    (void)state;
    for (size_t i = 0; i < len; i++)
        body[i] = (char)(i * 31 >> 8);
    request.body = str_make(body, len);
    start(&call, "/whole", request);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_DONE);
    assert_int_equal(call.body.len, len);
    assert_memory_equal(call.body.at, body, len);
    call_done(&call);
    free(body);
}

static bool all_done(void *owner)
{
    struct call *calls = owner;

    for (size_t i = 0; i < STREAMS; i++) {
        if (calls[i].dones == 0)
            return false;
    }
    return true;
}

static void two_hundred_streams_at_once_come_whole(void **state)
{
    struct call *calls = x_calloc(STREAMS, sizeof(*calls));
    struct buf whole;

    (void)state;
    buf_init(&whole, 4096);
    for (int i = 0; i < LINES; i++)
        buf_printf(&whole, "{\"line\":%d}\n", i);
    for (size_t i = 0; i < STREAMS; i++)
        start(&calls[i], "/stream", post);
    loop_timer_start(&stage.tick, 5);
    rig_wait(&rig, all_done, calls);
    for (size_t i = 0; i < STREAMS; i++) {
        assert_int_equal(calls[i].result.outcome, HTTP_DONE);
        assert_string_equal(buf_text(&calls[i].body), buf_text(&whole));
        call_done(&calls[i]);
    }
    wait_gones(STREAMS);
    assert_int_equal(stage.requests, STREAMS);
    assert_int_equal(stage.dones, STREAMS);
    buf_done(&whole);
    free(calls);
}

static void a_cancelled_call_is_noticed_by_the_server(void **state)
{
    struct call call = {0};
    int64_t left_us = 0;

    (void)state;
    start(&call, "/stream", post);
    loop_timer_start(&stage.tick, 5);
    rig_wait(&rig, call_has_data, &call);
    loop_timer_stop(&stage.tick);
    left_us = clock_mono_us();
    http_cancel(call.http);
    wait_gones(1);
    assert_true(clock_mono_us() - left_us < 250000);
    assert_int_equal(stage.dones, 0);
    assert_int_equal(call.dones, 1);
    assert_int_equal(call.result.outcome, HTTP_CANCELLED);
    call_done(&call);
}

static void a_stream_cut_by_the_server_is_broken(void **state)
{
    struct call call = {0};

    (void)state;
    start(&call, "/stream", post);
    loop_timer_start(&stage.tick, 5);
    rig_wait(&rig, call_has_data, &call);
    loop_timer_stop(&stage.tick);
    serve_abort(stage.open[0]);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_BROKEN);
    assert_int_equal(call.result.status, 200);
    wait_gones(1);
    assert_int_equal(stage.dones, 0);
    call_done(&call);
}

static void a_server_that_ends_breaks_what_it_streams(void **state)
{
    struct call call = {0};

    (void)state;
    start(&call, "/stream", post);
    loop_timer_start(&stage.tick, 5);
    rig_wait(&rig, call_has_data, &call);
    loop_timer_stop(&stage.tick);
    serve_free(serve);
    serve = NULL;
    assert_int_equal(stage.gones, 1);
    rig_wait(&rig, call_is_done, &call);
    assert_int_equal(call.result.outcome, HTTP_BROKEN);
    call_done(&call);
}

static void rounds(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct call whole = {0};
        struct call shared = {0};
        struct call cancelled = {.give_up = true};

        stage.count = 0;
        start(&whole, "/whole", post);
        start(&shared, "/whole", get);
        start(&cancelled, "/stream", post);
        rig_wait(&rig, call_is_done, &whole);
        rig_wait(&rig, call_is_done, &shared);
        rig_wait(&rig, call_is_done, &cancelled);
        wait_gones(stage.requests);
        call_done(&whole);
        call_done(&shared);
        call_done(&cancelled);
    }
}

static bool has_descriptors(void *owner)
{
    return rig_count_descriptors() <= *(int *)owner;
}

static void descriptors_do_not_grow(void **state)
{
    int before = 0;

    (void)state;
    loop_timer_start(&stage.tick, 5);
    rounds(3);
    rig_idle(&rig, 20);
    before = rig_count_descriptors();
    rounds(50);
    rig_wait(&rig, has_descriptors, &before);
}

#define PAIR_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PAIR_TEST(what_is_posted_comes_back),
        PAIR_TEST(two_hundred_streams_at_once_come_whole),
        PAIR_TEST(a_cancelled_call_is_noticed_by_the_server),
        PAIR_TEST(a_stream_cut_by_the_server_is_broken),
        PAIR_TEST(a_server_that_ends_breaks_what_it_streams),
        PAIR_TEST(descriptors_do_not_grow),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

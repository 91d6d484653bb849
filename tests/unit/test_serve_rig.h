/* test_serve_rig.h - the HTTP server under test, what it told, and a raw client. */
#ifndef PARLEY_TEST_SERVE_RIG_H
#define PARLEY_TEST_SERVE_RIG_H

#include "net/serve.h"
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

RIG void note(char *into, size_t size, const char *text)
{
    snprintf(into, size, "%s", text ? text : "(none)");
}

RIG void on_request(void *owner, struct serve_request *request)
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

RIG void on_gone(void *owner, struct serve_request *request, bool done)
{
    assert_ptr_equal(owner, &told);
    assert_ptr_equal(serve_data(request), &told);
    assert_false(serve_write(request, str_of("too late")));
    if (told.request == request)
        told.request = NULL;
    told.gones++;
    told.dones += done;
}

RIG struct serve_options options(const char *address)
{
    struct serve_options some = {.listen = address,
                                 .max_body = 1000,
                                 .on_request = on_request,
                                 .on_gone = on_gone,
                                 .owner = &told};

    return some;
}

RIG int set_up(void **state)
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

RIG int tear_down(void **state)
{
    (void)state;
    raw_free(client);
    serve_free(serve);
    rig_done(&rig);
    return 0;
}

/* ---- conditions ---- */

RIG bool is_asked(void *owner)
{
    (void)owner;
    return told.request != NULL;
}

RIG bool is_gone(void *owner)
{
    return told.gones >= *(unsigned *)owner;
}

RIG bool client_has(void *owner)
{
    return strstr(raw_text(client), owner) != NULL;
}

RIG void wait_gone(unsigned count)
{
    rig_wait(&rig, is_gone, &count);
}

RIG void wait_text(const char *text)
{
    char copy[128];

    snprintf(copy, sizeof(copy), "%s", text);
    if (!rig_try(&rig, client_has, copy, RIG_LIMIT_MS))
        fail_msg("no \"%s\" but \"%.2000s\"", text, raw_text(client));
}

/* Waits until the client has this text, and forgets all up to its end. */
RIG void expect(const char *text)
{
    wait_text(text);
    buf_eat(&client->got,
            (size_t)(strstr(raw_text(client), text) - raw_text(client)) + strlen(text));
}

/* ---- handlers ---- */

RIG void answer_hello(struct serve_request *request)
{
    serve_reply(request, 200, "text/plain", str_of("hello"));
}

RIG void begin_stream(struct serve_request *request)
{
    serve_begin(request, 200, "application/x-ndjson");
}

RIG void stream_at_once(struct serve_request *request)
{
    serve_begin(request, 200, "application/x-ndjson");
    assert_true(serve_write(request, str_of("one")));
    assert_true(serve_write(request, str_of("")));
    assert_true(serve_write(request, str_of("two")));
    serve_end(request);
}

#define SERVE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

/* test_http_peer.h - the HTTP client and a server that says what the test wants. */
#ifndef PARLEY_TEST_HTTP_PEER_H
#define PARLEY_TEST_HTTP_PEER_H

#include "test_http_call.h"

static struct rig rig;
static struct raw_server server;
static struct http *http;

RIG int set_up(void **state)
{
    (void)state;
    rig_init(&rig);
    raw_server_init(&server, &rig, NULL);
    http = http_new(rig.loop);
    return 0;
}

RIG int tear_down(void **state)
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
RIG void run(struct call *call, struct http_request request)
{
    call_start(call, http, server.port, "/", request);
    rig_wait(&rig, call_is_done, call);
}

RIG void say_whole(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n"
                 "Content-Length: 5\r\n\r\nhello");
}

RIG void say_stream_head(struct raw *raw)
{
    raw_say(raw, "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\n"
                 "Transfer-Encoding: chunked\r\n\r\n");
}

RIG void say_stream_start(struct raw *raw)
{
    say_stream_head(raw);
    raw_say(raw, "3\r\none\r\n");
}

#define HTTP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif

/* test_http_call.h - a call of the HTTP client under test, and what became of it. */
#ifndef PARLEY_TEST_HTTP_CALL_H
#define PARLEY_TEST_HTTP_CALL_H

#include "net/http.h"
#include "test_http_rig.h"

struct call {
    struct http_call *http; /* NULL once told */
    struct buf body;
    char url[96];
    char content_type[64];
    char retry_after[64];
    char reason[600];
    struct http_result result;
    unsigned datas;
    unsigned dones;
    bool give_up;   /* on_data returns false */
    bool cancel_in; /* on_data calls http_cancel */
    bool drop_in;   /* on_data calls http_drop */
};

RIG bool call_on_data(void *owner, int status, const char *content_type,
                      struct str bytes)
{
    struct call *call = owner;

    (void)status;
    assert_int_equal(call->dones, 0);
    snprintf(call->content_type, sizeof(call->content_type), "%s", content_type);
    call->datas++;
    assert_true(buf_add_str(&call->body, bytes));
    if (call->cancel_in)
        http_cancel(call->http);
    if (call->drop_in)
        http_drop(call->http);
    return !call->give_up;
}

RIG void call_on_done(void *owner, const struct http_result *result)
{
    struct call *call = owner;

    call->dones++;
    call->http = NULL;
    call->result = *result;
    snprintf(call->content_type, sizeof(call->content_type), "%s",
             result->content_type);
    snprintf(call->retry_after, sizeof(call->retry_after), "%s", result->retry_after);
    snprintf(call->reason, sizeof(call->reason), "%s", result->reason);
}

/* `request` without URL: that is made of port and path. */
RIG void call_start(struct call *call, struct http *http, int port, const char *path,
                    struct http_request request)
{
    struct http_handlers handlers = {call_on_data, call_on_done, call};

    if (!call->body.max)
        buf_init(&call->body, RIG_BYTES_MAX);
    snprintf(call->url, sizeof(call->url), "http://127.0.0.1:%d%s", port, path);
    if (!request.url)
        request.url = call->url;
    call->http = http_start(http, &request, &handlers);
    assert_int_equal(call->dones, 0); /* never before it returned */
}

RIG bool call_is_done(void *owner)
{
    return ((struct call *)owner)->dones > 0;
}

RIG bool call_has_data(void *owner)
{
    return ((struct call *)owner)->datas > 0;
}

RIG void call_done(struct call *call)
{
    buf_done(&call->body);
}

#endif

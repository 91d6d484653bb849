/* http.h - HTTP calls to model servers, over libcurl's multi-socket interface.
 *
 * Made for generations: never retried (libcurl's own retry of a POST on a dead reused
 * connection is off), never redirected, no proxy for loopback hosts, SIGPIPE and
 * Expect: dealt with (loop_new ignores SIGPIPE), response size bounded, clocks of our
 * own. Each call ends exactly once through on_done, also when it was cancelled; its
 * connection is then closed, so that the server stops. Each POST has a connection of
 * its own; GETs share idle ones. HTTP/1.1 only, nothing compressed.
 */
#ifndef PARLEY_HTTP_H
#define PARLEY_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct http;      /* the client: one a process */
struct http_call; /* one request; freed by the client after on_done */
struct loop;

enum http_outcome {
    HTTP_DONE,      /* a whole response, whatever its status */
    HTTP_REFUSED,   /* no connection: refused, unknown host, unreachable */
    HTTP_TIMEOUT,   /* one of the four clocks; `clock` says which */
    HTTP_BROKEN,    /* the connection ended early */
    HTTP_GARBLED,   /* what came is not HTTP */
    HTTP_TOO_LARGE, /* more than max_bytes came */
    HTTP_CANCELLED, /* by http_cancel or by on_data returning false */
    HTTP_OUTCOME_COUNT
};
const char *http_outcome_name(enum http_outcome outcome);

/* Connect and total run from the start; first byte from the start to the first byte of
 * the body, since some servers send the headers and think afterwards; quiet from each
 * byte of the body to the next. Behind the head of an answer that is no success (status
 * 300 and more) at most two seconds are left of the total. */
enum http_clock {
    HTTP_CLOCK_NONE,
    HTTP_CLOCK_CONNECT,
    HTTP_CLOCK_FIRST_BYTE,
    HTTP_CLOCK_QUIET,
    HTTP_CLOCK_TOTAL
};

struct http_result {
    enum http_outcome outcome;
    enum http_clock clock;    /* with HTTP_TIMEOUT */
    int status;               /* 0 when no response began */
    const char *content_type; /* "" when unknown; valid inside the callback */
    /* Texts of headers, "" when absent; valid inside the callback. */
    const char *retry_after;
    const char *retry_after_ms;
    const char *location;
    const char *reason;    /* one line for people, "" when HTTP_DONE */
    int64_t connect_us;    /* from start to connected, -1 unknown */
    int64_t first_byte_us; /* from start to the first byte of the response */
    int64_t total_us;
    size_t body_bytes;
};

struct http_handlers {
    /* Bytes of the body as they come; `status` and content type are known. Return
     * false to give up. May be NULL when on_done wants nothing of the body. */
    bool (*on_data)(void *owner, int status, const char *content_type,
                    struct str bytes);
    void (*on_done)(void *owner, const struct http_result *result);
    void *owner;
};

struct http_request {
    const char *method;         /* "GET" or "POST", nothing else */
    const char *url;            /* http or https */
    const char *const *headers; /* "Name: value", NULL at the end; NULL for none */
    struct str body;            /* copied; of a POST */
    size_t max_bytes;           /* of the body of the answer; 0: 64 MiB */
    int64_t connect_ms;         /* each clock: 0 = 5000 / none / none / none */
    int64_t first_byte_ms;
    int64_t quiet_ms;
    int64_t total_ms;
};

struct http *http_new(struct loop *loop);
/* Cancels what runs (their on_done is called, and must not start a call), frees. Not
 * inside a callback of its own. NULL is fine. */
void http_free(struct http *http);
/* Never fails here: trouble is told through on_done, never before this returns. Fine
 * inside any callback. A URL that is none and a header with a control character are
 * HTTP_REFUSED. The call is valid until its on_done returns. */
struct http_call *http_start(struct http *http, const struct http_request *request,
                             const struct http_handlers *handlers);
/* Ends the call: on_done with HTTP_CANCELLED comes at the next turn of the loop. */
void http_cancel(struct http_call *call);
/* Ends it without a word: no callback comes any more (the owner goes away). */
void http_drop(struct http_call *call);

#endif

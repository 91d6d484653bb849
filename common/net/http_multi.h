/* http_multi.h - libcurl's multi-socket interface on our loop. Used by http.c only.
 *
 * One watcher for each descriptor number, kept for ever and found by that number:
 * libcurl may close a descriptor before it says so and the kernel gives the number out
 * again at once (curl#6237), so a watcher is stopped where the descriptor is closed.
 * Nothing is told from here: `acted` says that http_multi_next is worth a look.
 */
#ifndef PARLEY_HTTP_MULTI_H
#define PARLEY_HTTP_MULTI_H

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "net/loop.h"

struct http_socket;

struct http_multi {
    CURLM *curl;                  /* owned */
    struct loop *loop;            /* borrowed */
    struct loop_timer timer;      /* the one timer libcurl asks for */
    struct http_socket **sockets; /* by descriptor; NULL where none was seen yet */
    size_t socket_count;          /* length of that table */
    bool acted;                   /* libcurl ran since the last http_multi_next */
};

void http_multi_init(struct http_multi *multi, struct loop *loop);
/* No easy handle may be in it any more. Closes the idle connections. */
void http_multi_done(struct http_multi *multi);
/* Makes the sockets of this handle known to us; before http_multi_add. */
MUST_USE bool http_multi_bind(struct http_multi *multi, CURL *easy);
/* Neither may be called from inside a callback of libcurl. */
MUST_USE bool http_multi_add(struct http_multi *multi, CURL *easy);
void http_multi_remove(struct http_multi *multi, CURL *easy);
/* The next transfer that ended; false when there is none. */
bool http_multi_next(struct http_multi *multi, CURL **ret_easy, CURLcode *ret_code);

#endif

/* serve.h - an HTTP/1.1 server in our loop, over libmicrohttpd in epoll mode.
 *
 * A request is handed over whole (head and body, bounded). It is answered at once with
 * serve_reply, or as a stream: serve_begin, any number of serve_write, serve_end. Each
 * serve_write becomes one chunk on the wire (above about 32 KB it is split). When the
 * client goes away first, on_gone is called (once, also in the middle of a stream) and
 * the request must not be touched afterwards; it is also called when the answer is
 * through, with `done` true. A HEAD is shown as a GET, and its answer loses its body.
 * What is not HTTP, a head over 32 KB and a body over max_body (413) are answered here
 * and shown to nobody.
 */
#ifndef PARLEY_SERVE_H
#define PARLEY_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct loop;
struct serve;
struct serve_request; /* one request; belongs to the server */

struct serve_options {
    const char *listen;   /* "127.0.0.1:11434", "[::1]:0", "unix:/path"; port 0: any */
    size_t max_body;      /* larger: 413; 0: 16 MiB */
    unsigned max_clients; /* 0: 2000 */
    int64_t idle_ms;      /* a head that does not come, an idle client, one that
                           does not read; in whole seconds, rounded up; 0: 30000 */
    /* A whole request is here. Answer now or later. */
    void (*on_request)(void *owner, struct serve_request *request);
    /* The request is over; done: the whole answer was sent. */
    void (*on_gone)(void *owner, struct serve_request *request, bool done);
    void *owner;
};
/* ERR_USAGE: `listen` is no address; ERR_SYSTEM "<listen>: <reason>": it cannot be had.
 * A Unix socket has mode 0600, replaces a stale one, and is removed by serve_free. */
MUST_USE bool serve_new(struct loop *loop, const struct serve_options *options,
                        struct serve **ret_serve, struct err *err);
/* Cuts streams, closes, frees; on_gone is called for each open request. Not inside a
 * callback of its own. NULL is fine. */
void serve_free(struct serve *serve);
int serve_port(const struct serve *serve); /* the port bound, 0 for a Unix socket */

const char *serve_method(const struct serve_request *request);
/* Without the query, percent-escapes decoded: may hold any byte but NUL. */
const char *serve_path(const struct serve_request *request);
const char *serve_query(const struct serve_request *request,
                        const char *name); /* NULL */
const char *serve_header(const struct serve_request *request,
                         const char *name); /* NULL */
struct str serve_body(const struct serve_request *request);
/* For the program's own state of this request. */
void serve_set_data(struct serve_request *request, void *data);
void *serve_data(const struct serve_request *request);

void serve_reply(struct serve_request *request, int status, const char *content_type,
                 struct str body);
/* Before serve_reply or serve_begin: one more header. One that HTTP does not allow (a
 * line end in it) is left out. */
void serve_add_header(struct serve_request *request, const char *name,
                      const char *value);
void serve_begin(struct serve_request *request, int status, const char *content_type);
/* False when the client is gone or more than 1 MiB waits (slow reader). */
bool serve_write(struct serve_request *request, struct str bytes);
void serve_end(struct serve_request *request);
/* The simulator's faults, for what HTTP does not allow: the connection's socket, to
 * which the program writes by itself from now on and until on_gone, in the place of
 * all the calls above. It stays the server's; serve_abort ends it. -1: the client is
 * gone. Only before an answer began. */
int serve_take_socket(struct serve_request *request);
/* Whether the connection carried another request before. */
bool serve_reused(const struct serve_request *request);
/* Sends what was written, then cuts the connection without an end (the simulator's
 * faults); before an answer began, nothing is sent. on_gone follows. */
void serve_abort(struct serve_request *request);

#endif

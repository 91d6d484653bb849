/* serve_request.h - one request inside the server. Between serve.c, which talks with
 * MHD, and serve_request.c, which keeps the request and its answer. For nobody else.
 */
#ifndef PARLEY_SERVE_REQUEST_H
#define PARLEY_SERVE_REQUEST_H

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "net/loop.h"
#include "net/serve.h"

enum answer_state {
    ANSWER_NONE,   /* the program has not answered */
    ANSWER_WHOLE,  /* by serve_reply */
    ANSWER_STREAM, /* by serve_begin: more may come */
    ANSWER_ENDED,  /* by serve_end: what waits, then the last chunk */
    ANSWER_CUT,    /* by serve_abort: what waits, then the connection is closed */
    ANSWER_GONE    /* the client left, or the server ends: nothing is sent any more */
};

struct serve_piece;
struct serve_header;

struct serve_request {
    LIST_ENTRY(serve_request) link; /* in the server's list */
    struct serve *serve;
    struct MHD_Connection *connection; /* borrowed */
    struct MHD_Response *response;     /* owned from the answer until it is queued */
    struct loop_io peek;               /* looks for a hang-up while suspended */
    char *method;                      /* GET also for HEAD */
    char *path;
    struct buf body;
    size_t swallowed; /* bytes of a too large body */
    STAILQ_HEAD(serve_headers, serve_header) headers;
    STAILQ_HEAD(serve_pieces, serve_piece) pieces;
    size_t waiting; /* bytes in pieces not sent */
    enum answer_state state;
    unsigned status;
    bool head;      /* HEAD: the body of the answer is not sent */
    bool reused;    /* not the first one on its connection */
    bool shown;     /* on_request was called, so on_gone is due */
    bool suspended; /* in MHD; then and only then `peek` may be watching */
    void *data;     /* the program's */
};

struct serve_request *serve_request_new(struct serve *serve, struct loop *loop,
                                        const char *method, const char *path);
/* Not while suspended. */
void serve_request_free(struct serve_request *request);
/* Bytes of the body. False when even swallowing has come to its limit. */
MUST_USE bool serve_request_take(struct serve_request *request, struct str bytes);
/* Gives the answer to MHD if there is one, else suspends. For MHD's access callback. */
enum MHD_Result serve_request_answer(struct serve_request *request);
/* The client is gone, or is treated as if it were. */
void serve_request_lose(struct serve_request *request);

/* In serve.c: resumed connections wait for MHD_run. */
void serve_touch(struct serve *serve);

#endif

/* serve.c - the server: libmicrohttpd (MHD) without a thread, inside our loop.
 *
 * MHD has an epoll set of its own; the loop watches that one descriptor and lets MHD
 * work when it is ready. Resuming a connection wakes nobody in MHD, so it makes the
 * server `dirty`, and the hook at the end of the turn runs MHD once for all that was
 * written in the turn.
 *
 * Flow: serve_new -> on_ready -> on_access (head, body, whole) -> on_request
 *       -> ... (serve_request.c) -> serve_touch -> on_turn -> serve_run
 *       -> on_completed -> on_gone -> ... -> serve_free
 */
#include "net/serve.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "net/loop.h"
#include "net/serve_listen.h"
#include "net/serve_request.h"

#define MAX_BODY_DEFAULT  ((size_t)16 * 1024 * 1024)
#define CONNECTION_MEMORY ((size_t)32 * 1024) /* heads larger than this: 431 */
enum {
    MAX_CLIENTS_DEFAULT = 2000,
    IDLE_MS_DEFAULT = 30000,
    RUNS_MAX = 16 /* then the other sources of the loop have their turn */
};

struct serve {
    struct loop *loop;
    struct MHD_Daemon *daemon; /* owned */
    struct serve_listen listening;
    struct serve_options options;
    struct loop_io io;       /* MHD's epoll set */
    struct loop_timer timer; /* what MHD_get_timeout says */
    struct loop_timer wake;  /* another turn is due, for what comes after our hook */
    struct loop_hook hook;
    LIST_HEAD(serve_requests, serve_request) requests;
    bool dirty; /* resumed connections wait for MHD_run */
    bool closing;
};

/* ---- from MHD ---- */

static void serve_refuse(struct serve *serve, struct serve_request *request)
{
    char text[64];

    fmt_into(text, sizeof(text), "the body is larger than %zu bytes\n",
             serve->options.max_body);
    serve_reply(request, MHD_HTTP_CONTENT_TOO_LARGE, "text/plain", str_of(text));
}

/* A connection's context counts its requests. */
static void on_connection(void *owner, struct MHD_Connection *connection,
                          void **context, enum MHD_ConnectionNotificationCode what)
{
    (void)owner;
    (void)connection;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *context = x_calloc(1, sizeof(unsigned));
    } else {
        free(*context);
        *context = NULL;
    }
}

static bool connection_was_used(struct MHD_Connection *connection)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    unsigned *requests = info->socket_context;

    return (*requests)++ > 0;
}

static struct serve_request *serve_meet(struct serve *serve,
                                        struct MHD_Connection *connection,
                                        const char *method, const char *path)
{
    struct serve_request *request = serve_request_new(serve, serve->loop, method, path);

    request->connection = connection;
    request->reused = connection_was_used(connection);
    buf_init(&request->body, serve->options.max_body);
    LIST_INSERT_HEAD(&serve->requests, request, link);
    return request;
}

/* Called with the head, then with each piece of the body, then with nothing: the
 * request is whole; and again when it was resumed without having been answered. */
/* libmicrohttpd gives it eight parameters. NOLINTNEXTLINE(readability-function-size) */
static enum MHD_Result on_access(void *owner, struct MHD_Connection *connection,
                                 const char *path, const char *method,
                                 const char *version, const char *bytes, size_t *len,
                                 void **request_at)
{
    struct serve *serve = owner;
    struct serve_request *request = *request_at;
    struct str piece = str_make(bytes, *len);

    (void)version;
    if (serve->closing)
        return MHD_NO;
    if (!request) {
        *request_at = serve_meet(serve, connection, method, path);
        return MHD_YES;
    }
    if (piece.len > 0) {
        *len = 0;
        return serve_request_take(request, piece) ? MHD_YES : MHD_NO;
    }
    if (request->state == ANSWER_NONE && request->swallowed > 0) {
        serve_refuse(serve, request);
    } else if (request->state == ANSWER_NONE && !request->shown) {
        request->shown = true;
        serve->options.on_request(serve->options.owner, request);
    }
    return serve_request_answer(request);
}

static void on_completed(void *owner, struct MHD_Connection *connection,
                         void **request_at, enum MHD_RequestTerminationCode how)
{
    struct serve *serve = owner;
    struct serve_request *request = *request_at;

    (void)connection;
    if (!request)
        return;
    *request_at = NULL;
    request->state = ANSWER_GONE;
    LIST_REMOVE(request, link);
    if (request->shown && serve->options.on_gone)
        serve->options.on_gone(serve->options.owner, request,
                               how == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    serve_request_free(request);
}

/* ---- in the loop ---- */

void serve_touch(struct serve *serve)
{
    if (serve->dirty)
        return;
    serve->dirty = true;
    loop_timer_start(&serve->wake, 0);
}

static void serve_run(struct serve *serve)
{
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    bool waits = true;

    loop_timer_stop(&serve->wake);
    for (int i = 0; i < RUNS_MAX && waits && wait_ms == 0; i++) {
        serve->dirty = false;
        MHD_run(serve->daemon);
        waits = MHD_get_timeout(serve->daemon, &wait_ms) == MHD_YES;
    }
    if (waits)
        loop_timer_start(&serve->timer, (int64_t)wait_ms);
    else
        loop_timer_stop(&serve->timer);
}

static void on_ready(struct loop_io *io, int events, void *owner)
{
    (void)io;
    (void)events;
    serve_run(owner);
}

static void on_timer(struct loop_timer *timer, void *owner)
{
    (void)timer;
    serve_run(owner);
}

static void on_wake(struct loop_timer *timer, void *owner)
{
    (void)timer;
    (void)owner; /* on_turn follows by itself */
}

static void on_turn(struct loop_hook *hook, void *owner)
{
    struct serve *serve = owner;

    (void)hook;
    if (serve->dirty)
        serve_run(serve);
}

/* ---- the server ---- */

static struct serve_options options_filled(const struct serve_options *options)
{
    struct serve_options filled = *options;

    assert(options->listen && options->on_request);
    filled.listen = NULL; /* the caller's memory */
    if (filled.max_body == 0)
        filled.max_body = MAX_BODY_DEFAULT;
    if (filled.max_clients == 0)
        filled.max_clients = MAX_CLIENTS_DEFAULT;
    if (filled.idle_ms <= 0)
        filled.idle_ms = IDLE_MS_DEFAULT;
    return filled;
}

static struct MHD_Daemon *daemon_start(struct serve *serve)
{
    unsigned idle_s = (unsigned)((serve->options.idle_ms + 999) / 1000);

    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, serve,
        MHD_OPTION_LISTEN_SOCKET, serve->listening.fd, MHD_OPTION_NOTIFY_COMPLETED,
        on_completed, serve, MHD_OPTION_NOTIFY_CONNECTION, on_connection, serve,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_s, MHD_OPTION_CONNECTION_LIMIT,
        serve->options.max_clients, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        CONNECTION_MEMORY, MHD_OPTION_END);
}

static void serve_watch(struct serve *serve)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(serve->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    assert(info);
    loop_io_init(&serve->io, serve->loop, on_ready, serve);
    loop_io_watch(&serve->io, info->epoll_fd, LOOP_READ);
    loop_timer_init(&serve->timer, serve->loop, on_timer, serve);
    loop_timer_init(&serve->wake, serve->loop, on_wake, serve);
    loop_hook_start(&serve->hook, serve->loop, on_turn, serve);
}

bool serve_new(struct loop *loop, const struct serve_options *options,
               struct serve **ret_serve, struct err *err)
{
    struct serve *serve = NULL;
    struct serve_listen listening;

    if (!serve_listen_open(options->listen, &listening, err))
        return false;
    serve = x_calloc(1, sizeof(*serve));
    serve->loop = loop;
    serve->listening = listening;
    serve->options = options_filled(options);
    LIST_INIT(&serve->requests);
    serve->daemon = daemon_start(serve);
    if (!serve->daemon) {
        serve_listen_done(&serve->listening);
        free(serve);
        return err_set(err, ERR_SYSTEM, "%s: the HTTP server does not start",
                       options->listen);
    }
    serve->listening.fd = -1; /* MHD closes it */
    serve_watch(serve);
    *ret_serve = serve;
    return true;
}

int serve_port(const struct serve *serve)
{
    return serve->listening.port;
}

void serve_free(struct serve *serve)
{
    struct serve_request *request = NULL;

    if (!serve)
        return;
    serve->closing = true;
    /* MHD ends the process when it is stopped while a connection is suspended. */
    LIST_FOREACH(request, &serve->requests, link)
    {
        serve_request_lose(request);
    }
    MHD_run(serve->daemon);
    loop_io_stop(&serve->io);
    loop_timer_stop(&serve->timer);
    loop_timer_stop(&serve->wake);
    loop_hook_stop(&serve->hook);
    MHD_stop_daemon(serve->daemon);
    serve_listen_done(&serve->listening);
    free(serve);
}

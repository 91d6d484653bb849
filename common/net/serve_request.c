/* serve_request.c - what a request holds, and how its answer gets to MHD.
 *
 * A request that has nothing to send is suspended. A suspended one is blind in MHD, so
 * while that lasts we look for the client's hanging up ourselves. Each serve_write is
 * kept as a piece of its own, because MHD makes a chunk of what one call of on_read
 * gives. A client that does not read makes pieces wait, up to WAITING_MAX.
 *
 * Flow: serve_request_take ... -> serve_reply | serve_begin -> serve_request_answer
 *       -> on_read -> suspended -> serve_write -> resumed -> on_read ...
 *       -> serve_end | serve_abort | serve_request_lose -> on_read says so to MHD
 */
#include "net/serve_request.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/alloc.h"

#define SWALLOW_MAX ((size_t)64 * 1024 * 1024) /* of a body that is too large */
#define WAITING_MAX ((size_t)1024 * 1024)
enum { CHUNK_ROOM = 16 * 1024 }; /* MHD asks for a size; its own bounds chunks */

struct serve_piece {
    STAILQ_ENTRY(serve_piece) link;
    size_t len;
    size_t sent;
    char bytes[];
};

struct serve_header {
    STAILQ_ENTRY(serve_header) link;
    char *name;
    char *value;
};

/* ---- life ---- */

static void on_peek(struct loop_io *io, int events, void *owner);

/* What is asked of a proxy has the whole address in the place of the path, and a server
 * must take it (RFC 9112, 3.2.2). */
static const char *path_of(const char *target)
{
    const char *host = NULL;

    if (strncasecmp(target, "http://", 7) == 0)
        host = target + 7;
    else if (strncasecmp(target, "https://", 8) == 0)
        host = target + 8;
    if (host == NULL)
        return target;
    return strchr(host, '/') ? strchr(host, '/') : "/";
}

struct serve_request *serve_request_new(struct serve *serve, struct loop *loop,
                                        const char *method, const char *path)
{
    struct serve_request *request = x_calloc(1, sizeof(*request));

    request->serve = serve;
    request->head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    request->method = x_strdup(request->head ? MHD_HTTP_METHOD_GET : method);
    request->path = x_strdup(path_of(path));
    STAILQ_INIT(&request->headers);
    STAILQ_INIT(&request->pieces);
    loop_io_init(&request->peek, loop, on_peek, request);
    return request;
}

static void request_drop_pieces(struct serve_request *request)
{
    struct serve_piece *piece = NULL;

    while ((piece = STAILQ_FIRST(&request->pieces))) {
        STAILQ_REMOVE_HEAD(&request->pieces, link);
        free(piece);
    }
    request->waiting = 0;
}

void serve_request_free(struct serve_request *request)
{
    struct serve_header *header = NULL;

    assert(!request->suspended);
    while ((header = STAILQ_FIRST(&request->headers))) {
        STAILQ_REMOVE_HEAD(&request->headers, link);
        free(header->name);
        free(header->value);
        free(header);
    }
    request_drop_pieces(request);
    if (request->response)
        MHD_destroy_response(request->response);
    buf_done(&request->body);
    free(request->method);
    free(request->path);
    free(request);
}

/* A body that is too large is read to its end all the same: a client that is still
 * sending would not read the 413. But not for ever. */
bool serve_request_take(struct serve_request *request, struct str bytes)
{
    if (request->swallowed == 0 && buf_add_str(&request->body, bytes))
        return true;
    request->swallowed += bytes.len;
    return request->swallowed <= SWALLOW_MAX;
}

/* ---- suspended and not ---- */

/* Only from inside MHD's own callbacks. */
static void request_suspend(struct serve_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    assert(!request->suspended && info);
    request->suspended = true;
    MHD_suspend_connection(request->connection);
    loop_io_watch(&request->peek, info->connect_fd, LOOP_READ);
}

static void request_resume(struct serve_request *request)
{
    if (!request->suspended)
        return;
    /* Stopped before MHD has a chance to close the descriptor. */
    loop_io_stop(&request->peek);
    request->suspended = false;
    MHD_resume_connection(request->connection);
    serve_touch(request->serve);
}

void serve_request_lose(struct serve_request *request)
{
    request->state = ANSWER_GONE;
    request_drop_pieces(request);
    request_resume(request);
}

static void on_peek(struct loop_io *io, int events, void *owner)
{
    char byte = 0;
    ssize_t count = recv(io->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    (void)events;
    /* A next request waits behind this one: what lies behind it cannot be seen. */
    if (count > 0)
        loop_io_stop(io);
    else if (count == 0 || (errno != EAGAIN && errno != EINTR))
        serve_request_lose(owner);
}

/* ---- towards MHD ---- */

enum MHD_Result serve_request_answer(struct serve_request *request)
{
    struct MHD_Response *response = request->response;
    enum MHD_Result result = MHD_NO;

    if (request->state == ANSWER_GONE)
        return MHD_NO;
    if (response) {
        result = MHD_queue_response(request->connection, request->status, response);
        request->response = NULL;
        MHD_destroy_response(response); /* MHD has its own reference */
        return result;
    }
    if (request->state == ANSWER_CUT)
        return MHD_NO;
    request_suspend(request);
    return MHD_YES;
}

/* MHD asks for the next bytes of a stream. */
static ssize_t on_read(void *owner, uint64_t position, char *into, size_t room)
{
    struct serve_request *request = owner;
    struct serve_piece *piece = STAILQ_FIRST(&request->pieces);
    size_t count = 0;

    (void)position;
    if (piece) {
        count = piece->len - piece->sent < room ? piece->len - piece->sent : room;
        memcpy(into, piece->bytes + piece->sent, count);
        piece->sent += count;
        request->waiting -= count;
        if (piece->sent == piece->len) {
            STAILQ_REMOVE_HEAD(&request->pieces, link);
            free(piece);
        }
        return (ssize_t)count;
    }
    if (request->state == ANSWER_ENDED)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (request->state != ANSWER_STREAM)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    request_suspend(request);
    return 0;
}

/* ---- the answer ---- */

/* Takes the response; NULL: there was no memory for it. What MHD finds not to be a
 * header is left out. */
static void request_respond_take(struct serve_request *request,
                                 struct MHD_Response *response, int status,
                                 const char *content_type)
{
    struct serve_header *header = NULL;

    assert(status >= 200 && status <= 599);
    if (!response)
        x_exhausted("out of memory");
    if (content_type)
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, content_type);
    STAILQ_FOREACH(header, &request->headers, link)
    {
        MHD_add_response_header(response, header->name, header->value);
    }
    request->response = response;
    request->status = (unsigned)status;
    request_resume(request);
}

void serve_add_header(struct serve_request *request, const char *name,
                      const char *value)
{
    struct serve_header *header = x_calloc(1, sizeof(*header));

    header->name = x_strdup(name);
    header->value = x_strdup(value);
    STAILQ_INSERT_TAIL(&request->headers, header, link);
}

void serve_reply(struct serve_request *request, int status, const char *content_type,
                 struct str body)
{
    char *copy = NULL;

    if (request->state == ANSWER_GONE)
        return;
    assert(request->state == ANSWER_NONE);
    request->state = ANSWER_WHOLE;
    copy = x_memdup(body.at, body.len);
    request_respond_take(
        request, MHD_create_response_from_buffer(body.len, copy, MHD_RESPMEM_MUST_FREE),
        status, content_type);
}

void serve_begin(struct serve_request *request, int status, const char *content_type)
{
    if (request->state == ANSWER_GONE)
        return;
    assert(request->state == ANSWER_NONE);
    request->state = ANSWER_STREAM;
    /* MHD 0.9.75 sends a last chunk behind the head of a HEAD, where it would be taken
     * for the next answer; without keep-alive it does not use chunks. */
    if (request->head)
        serve_add_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
    request_respond_take(request,
                         MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, CHUNK_ROOM,
                                                           on_read, request, NULL),
                         status, content_type);
}

bool serve_write(struct serve_request *request, struct str bytes)
{
    struct serve_piece *piece = NULL;

    if (request->state == ANSWER_GONE)
        return false;
    assert(request->state == ANSWER_STREAM);
    /* An empty chunk would end the stream; a HEAD has none. */
    if (bytes.len == 0 || request->head)
        return true;
    if (bytes.len > WAITING_MAX - request->waiting)
        return false;
    piece = x_malloc(sizeof(*piece) + bytes.len);
    piece->len = bytes.len;
    piece->sent = 0;
    memcpy(piece->bytes, bytes.at, bytes.len);
    STAILQ_INSERT_TAIL(&request->pieces, piece, link);
    request->waiting += bytes.len;
    request_resume(request);
    return true;
}

void serve_end(struct serve_request *request)
{
    if (request->state == ANSWER_GONE)
        return;
    assert(request->state == ANSWER_STREAM);
    request->state = ANSWER_ENDED;
    request_resume(request);
}

int serve_take_socket(struct serve_request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);

    /* Unanswered it stays suspended, and MHD writes nothing. */
    assert(request->state == ANSWER_NONE || request->state == ANSWER_GONE);
    return request->state == ANSWER_GONE ? -1 : info->connect_fd;
}

bool serve_reused(const struct serve_request *request)
{
    return request->reused;
}

void serve_abort(struct serve_request *request)
{
    if (request->state == ANSWER_GONE)
        return;
    request->state = ANSWER_CUT;
    request_resume(request);
}

/* ---- the question ---- */

const char *serve_method(const struct serve_request *request)
{
    return request->method;
}

const char *serve_path(const struct serve_request *request)
{
    return request->path;
}

const char *serve_query(const struct serve_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_GET_ARGUMENT_KIND,
                                       name);
}

const char *serve_header(const struct serve_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

struct str serve_body(const struct serve_request *request)
{
    return buf_str(&request->body);
}

void serve_set_data(struct serve_request *request, void *data)
{
    request->data = data;
}

void *serve_data(const struct serve_request *request)
{
    return request->data;
}

/* raw.c - see raw.h.
 *
 * Flow: raw_put -> queue -> on_due -> send -> [on_writable -> send ...]
 *       -> [the next after pace_ms ...] -> raw_end: close_now -> the server's on_gone
 */
#include "simulator/raw.h"

#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "net/loop.h"
#include "net/serve.h"

#define WAITING_MAX ((size_t)1024 * 1024)

struct raw_segment {
    STAILQ_ENTRY(raw_segment) link;
    size_t len;
    size_t sent;
    size_t body_bytes;
    char bytes[];
};

struct raw {
    struct serve_request *http; /* borrowed */
    int fd;                     /* the server's; -1: gone */
    struct loop_io io;          /* while the socket is full */
    struct loop_timer timer;    /* until the next segment may go */
    STAILQ_HEAD(raw_segments, raw_segment) segments;
    int64_t pace_ms;
    size_t waiting; /* bytes in segments */
    size_t body_bytes;
    enum raw_end end;
    bool over; /* the end was made */
};

static void on_writable(struct loop_io *io, int events, void *owner);
static void on_due(struct loop_timer *timer, void *owner);

struct raw *raw_new(struct loop *loop, struct serve_request *http)
{
    struct raw *raw = x_calloc(1, sizeof(*raw));
    int one = 1;

    raw->http = http;
    raw->fd = serve_take_socket(http);
    STAILQ_INIT(&raw->segments);
    loop_io_init(&raw->io, loop, on_writable, raw);
    loop_timer_init(&raw->timer, loop, on_due, raw);
    /* Each send is to be a packet. A Unix socket knows no such option, and needs none.
     */
    (void)setsockopt(raw->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    return raw;
}

static void drop_first(struct raw *raw)
{
    struct raw_segment *segment = STAILQ_FIRST(&raw->segments);

    STAILQ_REMOVE_HEAD(&raw->segments, link);
    raw->waiting -= segment->len;
    free(segment);
}

static void raw_lose(struct raw *raw)
{
    loop_io_stop(&raw->io);
    loop_timer_stop(&raw->timer);
    raw->fd = -1;
    while (!STAILQ_EMPTY(&raw->segments))
        drop_first(raw);
}

void raw_free(struct raw *raw)
{
    if (raw == NULL)
        return;
    raw_lose(raw);
    free(raw);
}

/* A reset without a close: the descriptor is the server's to close. */
static void reset(int fd)
{
    struct sockaddr nowhere = {.sa_family = AF_UNSPEC};

    /* Fails on a Unix socket, which is then closed like any other. */
    (void)connect(fd, &nowhere, sizeof(nowhere));
}

static void close_now(struct raw *raw)
{
    loop_io_stop(&raw->io);
    loop_timer_stop(&raw->timer);
    if (raw->end == RAW_RST)
        reset(raw->fd);
    raw->fd = -1;
    raw->over = true;
    serve_abort(raw->http);
}

/* What can be sent of the first segment now; false when the socket takes no more. */
static bool send_some(struct raw *raw)
{
    struct raw_segment *segment = STAILQ_FIRST(&raw->segments);
    ssize_t count = send(raw->fd, segment->bytes + segment->sent,
                         segment->len - segment->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

    if (count < 0 && errno != EAGAIN && errno != EINTR) {
        raw_lose(raw);
        serve_abort(raw->http);
        return false;
    }
    segment->sent += count > 0 ? (size_t)count : 0;
    if (segment->sent < segment->len) {
        loop_io_watch(&raw->io, raw->fd, LOOP_WRITE);
        return false;
    }
    raw->body_bytes += segment->body_bytes;
    drop_first(raw);
    return true;
}

static void send_due(struct raw *raw)
{
    bool more = true;

    while (more && !STAILQ_EMPTY(&raw->segments))
        more = send_some(raw) && raw->pace_ms == 0;
    if (raw->fd < 0)
        return;
    if (STAILQ_EMPTY(&raw->segments) && raw->end != RAW_OPEN)
        close_now(raw);
    else if (!STAILQ_EMPTY(&raw->segments) && raw->pace_ms > 0)
        loop_timer_start(&raw->timer, raw->pace_ms);
}

static void on_writable(struct loop_io *io, int events, void *owner)
{
    (void)events;
    loop_io_stop(io);
    send_due(owner);
}

static void on_due(struct loop_timer *timer, void *owner)
{
    (void)timer;
    send_due(owner);
}

/* Not at once: who puts is often not done yet. */
static void wake(struct raw *raw)
{
    if (raw->fd >= 0 && !loop_timer_running(&raw->timer))
        loop_timer_start(&raw->timer, 0);
}

void raw_pace(struct raw *raw, int64_t pace_ms)
{
    raw->pace_ms = pace_ms;
}

void raw_put(struct raw *raw, struct str bytes, size_t body_bytes)
{
    struct raw_segment *segment = NULL;

    assert(raw->end == RAW_OPEN);
    if (raw->fd < 0 || bytes.len == 0)
        return;
    segment = x_malloc(sizeof(*segment) + bytes.len);
    segment->len = bytes.len;
    segment->sent = 0;
    segment->body_bytes = body_bytes;
    memcpy(segment->bytes, bytes.at, bytes.len);
    STAILQ_INSERT_TAIL(&raw->segments, segment, link);
    raw->waiting += bytes.len;
    wake(raw);
}

bool raw_is_full(const struct raw *raw)
{
    return raw->waiting > WAITING_MAX;
}

void raw_end(struct raw *raw, enum raw_end how)
{
    raw->end = how;
    wake(raw);
}

bool raw_is_over(const struct raw *raw)
{
    return raw->over;
}

size_t raw_body_bytes(const struct raw *raw)
{
    return raw->body_bytes;
}

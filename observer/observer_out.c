/* observer_out.c - see observer_out.h. */
#include "observer_out.h"

#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/clock.h"

enum {
    WAITING_MAX_BYTES = 1 << 30, /* a reply of 100 messages of 1 MiB, all escaped */
    FULL_BYTES = 256 << 10,
    /* A writable pipe takes 4096 at once (PIPE_BUF of Linux). A writable terminal may
     * not: on Linux 6.18 writes of 4096 blocked, of 2048 none did. */
    PIECE_BYTES = 1024
};

static void on_ready(struct loop_io *io, int events, void *owner)
{
    struct observer_out *out = owner;

    (void)io;
    (void)events;
    observer_out_flush(out);
    out->on_change(out->owner);
}

void observer_out_init(struct observer_out *out, struct loop *loop, int fd,
                       void (*on_change)(void *owner), void *owner)
{
    *out = (struct observer_out){.fd = fd, .on_change = on_change, .owner = owner};
    buf_init(&out->waiting, WAITING_MAX_BYTES);
    loop_io_init(&out->io, loop, on_ready, out);
}

void observer_out_done(struct observer_out *out)
{
    loop_io_stop(&out->io);
    buf_done(&out->waiting);
}

static bool has_room(int fd, int wait_ms)
{
    struct pollfd state = {.fd = fd, .events = POLLOUT};

    return poll(&state, 1, wait_ms) > 0;
}

/* One piece; false when nothing more goes through now. */
static bool write_piece(struct observer_out *out)
{
    size_t left = out->waiting.len - out->sent;
    ssize_t count = write(out->fd, out->waiting.at + out->sent,
                          left < PIECE_BYTES ? left : (size_t)PIECE_BYTES);

    if (count < 0) {
        if (errno != EAGAIN && errno != EINTR)
            out->broken = true;
        return errno == EINTR;
    }
    out->sent += (size_t)count;
    return true;
}

static void write_some(struct observer_out *out)
{
    while (!out->broken && !observer_out_is_empty(out) && has_room(out->fd, 0))
        if (!write_piece(out))
            break;
    if (out->broken || observer_out_is_empty(out)) {
        buf_clear(&out->waiting);
        out->sent = 0;
    } else if (out->sent > out->waiting.len / 2) {
        buf_eat(&out->waiting, out->sent); /* moves less than was sent */
        out->sent = 0;
    }
}

void observer_out_flush(struct observer_out *out)
{
    write_some(out);
    if (observer_out_is_empty(out))
        loop_io_stop(&out->io);
    else
        loop_io_watch(&out->io, out->fd, LOOP_WRITE);
}

bool observer_out_is_empty(const struct observer_out *out)
{
    return out->sent == out->waiting.len;
}

bool observer_out_is_full(const struct observer_out *out)
{
    return out->waiting.len - out->sent > FULL_BYTES;
}

void observer_out_finish(struct observer_out *out, int64_t limit_ms)
{
    int64_t end_ms = clock_mono_ms() + limit_ms;

    loop_io_stop(&out->io);
    write_some(out);
    while (!observer_out_is_empty(out)) {
        int64_t left_ms = end_ms - clock_mono_ms();

        if (left_ms <= 0)
            return;
        (void)has_room(out->fd, (int)left_ms); /* write_some asks once more */
        write_some(out);
    }
}

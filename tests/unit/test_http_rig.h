/* test_http_rig.h - a loop with a limit, a raw server and a raw client, for the HTTP
 * tests. Raw: what they say is exactly what the test writes. Everything runs in the one
 * loop of the test; rig_wait runs it until a condition holds and fails after a limit.
 */
#ifndef PARLEY_TEST_HTTP_RIG_H
#define PARLEY_TEST_HTTP_RIG_H

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "net/loop.h"

#define RIG __attribute__((unused)) static
enum { RIG_LIMIT_MS = 20000, RIG_BYTES_MAX = 64 * 1024 * 1024 };

/* ---- the loop ---- */

struct rig {
    struct loop *loop;
    struct loop_hook hook;
    struct loop_timer limit;
    bool (*holds)(void *owner);
    void *owner;
    bool late;
};

RIG void rig_on_turn(struct loop_hook *hook, void *owner)
{
    struct rig *rig = owner;

    (void)hook;
    if (rig->holds(rig->owner))
        loop_stop(rig->loop);
}

RIG void rig_on_limit(struct loop_timer *timer, void *owner)
{
    struct rig *rig = owner;

    (void)timer;
    rig->late = true;
    loop_stop(rig->loop);
}

RIG void rig_init(struct rig *rig)
{
    memset(rig, 0, sizeof(*rig));
    rig->loop = loop_new();
    loop_timer_init(&rig->limit, rig->loop, rig_on_limit, rig);
}

RIG void rig_done(struct rig *rig)
{
    loop_free(rig->loop);
}

/* Runs the loop until the condition holds; whether it did within the time. */
RIG bool rig_try(struct rig *rig, bool (*holds)(void *owner), void *owner, int limit_ms)
{
    rig->holds = holds;
    rig->owner = owner;
    rig->late = false;
    loop_timer_start(&rig->limit, limit_ms);
    /* After the hooks under test: what they did counts in this turn. */
    loop_hook_start_last(&rig->hook, rig->loop, rig_on_turn, rig);
    loop_run(rig->loop);
    loop_hook_stop(&rig->hook);
    loop_timer_stop(&rig->limit);
    return !rig->late;
}

#define rig_wait(rig, holds, owner) \
    assert_true(rig_try((rig), (holds), (owner), RIG_LIMIT_MS))

RIG bool rig_never(void *owner)
{
    (void)owner;
    return false;
}

/* Lets the loop run for a while, to see that something does not happen. */
RIG void rig_idle(struct rig *rig, int wait_ms)
{
    assert_false(rig_try(rig, rig_never, NULL, wait_ms));
}

RIG int rig_count_descriptors(void)
{
    DIR *folder = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(folder);
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

/* ---- a connection of which we see the bytes ---- */

struct raw {
    struct raw *next;
    struct rig *rig;
    struct raw_server *server; /* NULL for a client */
    struct loop_io io;
    struct buf got;
    int fd;
    bool ended; /* the other side closed */
    bool reset;
    size_t heads; /* requests read on this connection */
};

RIG void raw_on_ready(struct loop_io *io, int events, void *owner);

RIG struct raw *raw_new(struct rig *rig, int fd)
{
    struct raw *raw = x_calloc(1, sizeof(*raw));

    raw->rig = rig;
    raw->fd = fd;
    buf_init(&raw->got, RIG_BYTES_MAX);
    loop_io_init(&raw->io, rig->loop, raw_on_ready, raw);
    loop_io_watch(&raw->io, fd, LOOP_READ);
    return raw;
}

RIG void raw_close(struct raw *raw)
{
    if (raw->fd < 0)
        return;
    loop_io_stop(&raw->io);
    close(raw->fd);
    raw->fd = -1;
}

/* Closes with RST instead of FIN. */
RIG void raw_reset(struct raw *raw)
{
    struct linger now = {.l_onoff = 1, .l_linger = 0};

    setsockopt(raw->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    raw_close(raw);
}

RIG void raw_free(struct raw *raw)
{
    raw_close(raw);
    buf_done(&raw->got);
    free(raw);
}

RIG void raw_say_bytes(struct raw *raw, const char *at, size_t len)
{
    while (len > 0) {
        ssize_t count = send(raw->fd, at, len, MSG_NOSIGNAL);

        assert_true(count > 0);
        at += count;
        len -= (size_t)count;
    }
}

RIG void raw_say(struct raw *raw, const char *text)
{
    raw_say_bytes(raw, text, strlen(text));
}

RIG struct raw *raw_connect(struct rig *rig, int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    return raw_new(rig, fd);
}

RIG bool raw_is_ended(void *owner)
{
    return ((struct raw *)owner)->ended;
}

/* What has come, "" at first. */
RIG const char *raw_text(const struct raw *raw)
{
    return buf_text(&raw->got);
}

/* ---- a server that reads requests and then does what the test says ---- */

struct raw_server {
    struct rig *rig;
    struct loop_io io;
    int fd;
    int port;
    struct raw *connections; /* owned */
    size_t accepted;
    size_t requests;                   /* whole ones, over all connections */
    void (*on_whole)(struct raw *raw); /* a whole request came */
    void (*on_bytes)(struct raw *raw); /* anything came; NULL: whole requests count */
};

RIG void raw_server_on_ready(struct loop_io *io, int events, void *owner)
{
    struct raw_server *server = owner;
    int fd = accept(io->fd, NULL, NULL);
    struct raw *raw = NULL;

    (void)events;
    assert_true(fd >= 0);
    raw = raw_new(server->rig, fd);
    raw->server = server;
    raw->next = server->connections;
    server->connections = raw;
    server->accepted++;
}

RIG void raw_server_init(struct raw_server *server, struct rig *rig,
                         void (*on_whole)(struct raw *raw))
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);

    memset(server, 0, sizeof(*server));
    server->rig = rig;
    server->on_whole = on_whole;
    server->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(server->fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(listen(server->fd, 100), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&address, &len), 0);
    server->port = ntohs(address.sin_port);
    loop_io_init(&server->io, rig->loop, raw_server_on_ready, server);
    loop_io_watch(&server->io, server->fd, LOOP_READ);
}

RIG void raw_server_done(struct raw_server *server)
{
    struct raw *raw = NULL;

    while ((raw = server->connections)) {
        server->connections = raw->next;
        raw_free(raw);
    }
    loop_io_stop(&server->io);
    close(server->fd);
}

/* Counts and forgets whole requests at the front of what came. */
RIG void raw_read_requests(struct raw *raw)
{
    const char *end = NULL;
    const char *length = NULL;
    size_t whole = 0;

    while (raw->fd >= 0 && (end = strstr(buf_text(&raw->got), "\r\n\r\n"))) {
        whole = (size_t)(end - buf_text(&raw->got)) + 4;
        length = strstr(buf_text(&raw->got), "Content-Length: ");
        if (length && length < end)
            whole += strtoul(length + 16, NULL, 10);
        if (raw->got.len < whole)
            return;
        raw->server->requests++;
        raw->heads++;
        if (raw->server->on_whole)
            raw->server->on_whole(raw);
        if (raw->fd < 0)
            return;
        buf_eat(&raw->got, whole);
    }
}

RIG void raw_on_ready(struct loop_io *io, int events, void *owner)
{
    struct raw *raw = owner;
    char bytes[65536];
    ssize_t count = recv(io->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

    (void)events;
    if (count < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (count > 0) {
        assert_true(buf_add(&raw->got, bytes, (size_t)count));
        if (raw->server && raw->server->on_bytes)
            raw->server->on_bytes(raw);
        else if (raw->server)
            raw_read_requests(raw);
        return;
    }
    raw->reset = count < 0;
    raw->ended = true;
    loop_io_stop(&raw->io);
}

#endif

/* serve_listen.c - opening the listening socket ourselves, so that a busy port or a
 * stale socket file is told with its name and reason.
 *
 * Flow: serve_listen_open (listen_unix | listen_tcp) -> the server accepts
 *       -> serve_listen_done
 */
#include "net/serve_listen.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"

/* ---- Unix ---- */

/* What a killed server left behind refuses connections; anything else stays. */
static bool unix_make_room(const struct sockaddr_un *address, struct err *err)
{
    struct stat file;
    int fd = -1;
    int trouble = 0;

    if (lstat(address->sun_path, &file) != 0)
        return true;
    if (!S_ISSOCK(file.st_mode))
        return err_set(err, ERR_SYSTEM, "there is a file that is not a socket");
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_sys(err, errno, "cannot make a socket");
    if (connect(fd, (const struct sockaddr *)address, sizeof(*address)) != 0)
        trouble = errno;
    close(fd);
    if (trouble != ECONNREFUSED)
        return err_set(err, ERR_SYSTEM, "another server listens there");
    if (unlink(address->sun_path) != 0)
        return err_sys(err, errno, "cannot remove the stale socket");
    return true;
}

static bool unix_bind(struct serve_listen *listening, const struct sockaddr_un *address,
                      struct err *err)
{
    mode_t mask = umask(0177); /* from the first moment on, not by a later chmod */
    int failed =
        bind(listening->fd, (const struct sockaddr *)address, sizeof(*address));
    int trouble = errno;
    struct stat file;

    umask(mask);
    if (failed)
        return err_sys(err, trouble, "cannot bind");
    listening->path = x_strdup(address->sun_path);
    if (stat(listening->path, &file) == 0) {
        listening->device = file.st_dev;
        listening->inode = file.st_ino;
    }
    return true;
}

static bool listen_unix(const char *path, struct serve_listen *listening,
                        struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (*path == '\0' || strlen(path) >= sizeof(address.sun_path))
        return err_set(err, ERR_USAGE, "a socket's path has 1 to %zu bytes",
                       sizeof(address.sun_path) - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    if (!unix_make_room(&address, err))
        return false;
    listening->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (listening->fd < 0)
        return err_sys(err, errno, "cannot make a socket");
    return unix_bind(listening, &address, err);
}

/* ---- TCP ---- */

/* "host:port" or "[v6]:port"; the host is written without brackets. */
static bool tcp_split(const char *text, char **ret_host, const char **ret_port)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    int64_t port = 0;
    size_t len = 0;

    if (!colon || !str_to_i64(str_of(colon + 1), 0, 65535, &port))
        return false;
    len = (size_t)(colon - text);
    if (len >= 2 && host[0] == '[' && host[len - 1] == ']') {
        host++;
        len -= 2;
    } else if (memchr(host, ':', len)) {
        return false;
    }
    if (len == 0)
        return false;
    *ret_host = x_memdup(host, len);
    *ret_port = colon + 1;
    return true;
}

static bool tcp_bind(const struct addrinfo *at, int *ret_fd, struct err *err)
{
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int one = 1;

    if (fd < 0)
        return err_sys(err, errno, "cannot make a socket");
    /* A restarted server need not wait for the old connections to be forgotten. */
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (at->ai_family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one));
    if (bind(fd, at->ai_addr, at->ai_addrlen) != 0) {
        err_sys(err, errno, "cannot bind");
        close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}

static int bound_port(int fd)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address = {0};
    socklen_t len = sizeof(address);

    if (getsockname(fd, &address.any, &len) != 0)
        return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port
                                                   : address.v4.sin_port);
}

static bool listen_tcp(const char *text, struct serve_listen *listening,
                       struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                             .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    const char *port = NULL;
    char *host = NULL;
    int trouble = 0;
    bool ok = false;

    if (!tcp_split(text, &host, &port))
        return err_set(err, ERR_USAGE,
                       "not an address (127.0.0.1:11434, [::1]:0, unix:/path)");
    trouble = getaddrinfo(host, port, &hints, &found);
    if (trouble)
        err_set(err, ERR_SYSTEM, "%s", gai_strerror(trouble));
    else
        ok = tcp_bind(found, &listening->fd, err);
    if (ok)
        listening->port = bound_port(listening->fd);
    if (found)
        freeaddrinfo(found);
    free(host);
    return ok;
}

/* ---- both ---- */

bool serve_listen_open(const char *text, struct serve_listen *ret_listen,
                       struct err *err)
{
    struct serve_listen listening = {.fd = -1};
    bool ok = false;

    if (str_starts(str_of(text), "unix:"))
        ok = listen_unix(text + strlen("unix:"), &listening, err);
    else
        ok = listen_tcp(text, &listening, err);
    if (ok && listen(listening.fd, SOMAXCONN) != 0)
        ok = err_sys(err, errno, "cannot listen");
    if (!ok) {
        err_wrap(err, "%s", text);
        serve_listen_done(&listening);
        return false;
    }
    *ret_listen = listening;
    return true;
}

void serve_listen_done(struct serve_listen *listening)
{
    struct stat file;

    if (listening->fd >= 0)
        close(listening->fd);
    if (listening->path && stat(listening->path, &file) == 0
        && file.st_dev == listening->device && file.st_ino == listening->inode)
        unlink(listening->path);
    free(listening->path);
    *listening = (struct serve_listen){.fd = -1};
}

/* redis_socket.c - see redis_socket.h.
 *
 * A dead peer is noticed in three ways: by the deadlines in redis.c, by
 * TCP_USER_TIMEOUT when it does not acknowledge what we wrote, by keepalive when
 * nothing is written.
 */
#include "net/redis_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/str.h"
#include "net/redis_target.h"

enum { KEEP_IDLE_S = 15, KEEP_EVERY_S = 5, KEEP_COUNT = 3 };

static bool lookup(struct redis_route *route, const struct redis_target *target,
                   int flags, int *ret_code)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC,
                             .ai_socktype = SOCK_STREAM,
                             .ai_flags = flags | AI_NUMERICSERV};
    struct addrinfo *list = NULL;
    char port[16];

    fmt_into(port, sizeof(port), "%d", target->port);
    *ret_code = getaddrinfo(target->host, port, &hints, &list);
    if (*ret_code != 0)
        return false;
    redis_route_done(route);
    route->list = list;
    return true;
}

static bool resolve(struct redis_route *route, const struct redis_target *target,
                    int64_t now_ms, struct err *err)
{
    int code;

    if (route->list
        && (!route->failed || route->numeric
            || now_ms - route->resolved_ms < REDIS_RESOLVE_EVERY_MS))
        return true;
    route->numeric = lookup(route, target, AI_NUMERICHOST, &code);
    /* An old answer is better than none when the name server is gone as well. */
    if (!route->numeric && !lookup(route, target, 0, &code) && !route->list)
        return err_set(err, ERR_REDIS, "host not found: %s", gai_strerror(code));
    route->resolved_ms = now_ms;
    return true;
}

bool redis_route_begin(struct redis_route *route, const struct redis_target *target,
                       int64_t now_ms, struct err *err)
{
    if (target->host && !resolve(route, target, now_ms, err))
        return false;
    route->next = route->list;
    route->path_tried = false;
    route->failed = true;
    return true;
}

void redis_route_worked(struct redis_route *route)
{
    route->failed = false;
}

void redis_route_done(struct redis_route *route)
{
    if (route->list)
        freeaddrinfo(route->list);
    route->list = NULL;
    route->next = NULL;
}

static void set_option(int fd, int level, int option, int value)
{
    /* An option the kernel does not know leaves the deadlines of redis.c. */
    (void)setsockopt(fd, level, option, &value, sizeof(value));
}

static void tune_tcp(int fd, int user_timeout_ms)
{
    set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEP_EVERY_S);
    set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT);
    set_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, user_timeout_ms);
}

/* A descriptor that connects, or -1 with errno. */
static int open_and_connect(int family, const struct sockaddr *address, socklen_t len,
                            int user_timeout_ms)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int saved;

    if (fd < 0)
        return -1;
    if (family != AF_UNIX)
        tune_tcp(fd, user_timeout_ms);
    if (connect(fd, address, len) == 0 || errno == EINPROGRESS)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

static int open_path(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    /* The length was checked when the URL was taken apart. */
    fmt_into(address.sun_path, sizeof(address.sun_path), "%s", path);
    return open_and_connect(AF_UNIX, (const struct sockaddr *)&address, sizeof(address),
                            0);
}

int redis_route_next(struct redis_route *route, const struct redis_target *target,
                     int user_timeout_ms, struct err *err)
{
    if (target->path) {
        int fd = route->path_tried ? -1 : open_path(target->path);

        if (fd < 0 && !route->path_tried)
            err_set(err, ERR_REDIS, "%s", strerror(errno));
        route->path_tried = true;
        return fd;
    }
    while (route->next) {
        struct addrinfo *at = route->next;
        int fd = open_and_connect(at->ai_family, at->ai_addr, at->ai_addrlen,
                                  user_timeout_ms);

        route->next = at->ai_next;
        if (fd >= 0)
            return fd;
        err_set(err, ERR_REDIS, "%s", strerror(errno));
    }
    return -1;
}

int redis_socket_error(int fd)
{
    int error = 0;
    socklen_t len = sizeof(error);

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) != 0)
        return errno;
    return error;
}

/* redis_socket.h - a non-blocking stream socket to a target, address after address.
 *
 * Internal to redis.c. The only blocking call is getaddrinfo, and only for a host that
 * is not an address.
 */
#ifndef PARLEY_REDIS_SOCKET_H
#define PARLEY_REDIS_SOCKET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct addrinfo;
struct redis_target;

struct redis_route {
    struct addrinfo *list; /* owned; NULL before the first lookup, and for a path */
    struct addrinfo *next; /* the address to be tried next; NULL: none left */
    bool path_tried;       /* the Unix socket was tried in this round */
    bool numeric;          /* the host is an address: never looked up again */
    bool failed;           /* all addresses of the round before failed */
    int64_t resolved_ms;   /* when, monotonic */
};

enum { REDIS_RESOLVE_EVERY_MS = 10000 };

/* Starts a round at the first address; looks the name up if that was never done, or
 * if the last round failed and the lookup is REDIS_RESOLVE_EVERY_MS old. */
MUST_USE bool redis_route_begin(struct redis_route *route,
                                const struct redis_target *target, int64_t now_ms,
                                struct err *err);
/* Begins to connect to the next address; returns the descriptor (the caller owns it;
 * writable or in error when done) or -1 when no address is left: then err tells what
 * was wrong with the last, or is untouched if that was found out later. */
int redis_route_next(struct redis_route *route, const struct redis_target *target,
                     int user_timeout_ms, struct err *err);
/* The round led to a connection. */
void redis_route_worked(struct redis_route *route);
void redis_route_done(struct redis_route *route);

/* What became of connect(): 0 connected, else an errno. */
int redis_socket_error(int fd);

#endif

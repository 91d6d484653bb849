/* redis_target.h - where a Redis is: its URL, taken apart.
 *
 * redis://[user[:password]@]host[:port][/db], redis://host?db=n, unix:///path?db=n or
 * redis+unix://...; percent-escapes are decoded. `:password@` is the default user's.
 */
#ifndef PARLEY_REDIS_TARGET_H
#define PARLEY_REDIS_TARGET_H

#include "base/err.h"

struct redis_target {
    char *host;     /* owned; NULL for a Unix socket */
    int port;       /* 0 for a Unix socket */
    char *path;     /* owned; Unix socket, else NULL */
    char *user;     /* owned or NULL */
    char *password; /* owned or NULL */
    int db;
};

/* Fails with ERR_USAGE; the message does not hold the password. */
MUST_USE bool redis_target_parse(const char *url, struct redis_target *ret_target,
                                 struct err *err);
/* A deep copy, to be released with redis_target_done. */
void redis_target_copy(const struct redis_target *target,
                       struct redis_target *ret_target);
void redis_target_done(struct redis_target *target);
/* The URL without its password, for people and logs; caller frees. */
char *redis_target_text(const struct redis_target *target);

#endif

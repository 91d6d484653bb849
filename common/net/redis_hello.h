/* redis_hello.h - what is said first on each connection, and what its answers mean.
 *
 * Internal to redis.c; no I/O. AUTH, SELECT, CLIENT SETNAME, PING (a server that is
 * still loading says so), INFO server (its run_id tells a restart).
 */
#ifndef PARLEY_REDIS_HELLO_H
#define PARLEY_REDIS_HELLO_H

#include <stdbool.h>

#include "base/err.h"

struct redis_pending;
struct redis_queue;
struct redis_target;
struct redis_value;

enum { REDIS_RUN_ID_SIZE = 48 };

struct redis_hello {
    char run_id[REDIS_RUN_ID_SIZE]; /* "" until INFO was answered */
    bool refused; /* the server does not want us: trying again will hardly help */
    bool fatal;   /* ... and a person must act (redis_error.h) */
};

void redis_hello_ask(struct redis_queue *queue, const struct redis_target *target,
                     const char *name);
/* False (ERR_REDIS) when the answer makes the connection useless. */
MUST_USE bool redis_hello_judge(struct redis_hello *hello,
                                const struct redis_pending *asked,
                                const struct redis_value *value, struct err *err);

#endif

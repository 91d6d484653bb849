/* where.h - from the command line to the place that is to be read.
 *
 * A word with --redis is a conversation's id. Else it is a path, or the name of a run
 * among this user's runs, or, where the environment or the config name a Redis, a
 * conversation's id. "-" is standard input. No word: all of a shard with --redis, else
 * the latest run. An id tells its shard, unless --shard does.
 */
#ifndef PARLEY_WHERE_H
#define PARLEY_WHERE_H

#include <stdbool.h>

#include "base/err.h"
#include "net/redis_target.h"
#include "proto/keys.h"

struct config_loaded;

struct where {
    char *path;                /* owned; a folder or file, NULL: Redis */
    char *conversation;        /* owned; NULL: all */
    struct redis_target redis; /* owned, Redis only */
    struct keys keys;
};

/* *ret_where is owned by the caller (where_done). ERR_USAGE names what is not there. */
MUST_USE bool where_find(const struct config_loaded *loaded, const char *word,
                         struct where *ret_where, struct err *err);
/* Redis in any case: the one given, else localhost. */
MUST_USE bool where_redis(const struct config_loaded *loaded, const char *word,
                          struct where *ret_where, struct err *err);
void where_done(struct where *where);
/* For people and the report: the path, or the URL without its password and the shard;
 * the caller frees. */
char *where_text(const struct where *where);

#endif

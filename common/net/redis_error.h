/* redis_error.h - what an error reply of Redis means, and what is to be done about it.
 *
 * Pure: a table over the reply's first words (redis.io "Redis serialization protocol":
 * "the first upper-case word after the -, up to the first space or newline, is the kind
 * of error"). docs/reliability.md shows it to people.
 */
#ifndef PARLEY_REDIS_ERROR_H
#define PARLEY_REDIS_ERROR_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

enum redis_class {
    REDIS_CLASS_OTHER, /* none of these: a mistake of the caller's, say */
    REDIS_NOSCRIPT,
    REDIS_NOGROUP,
    REDIS_WRONGTYPE,
    REDIS_EXECABORT,
    REDIS_LOADING,
    REDIS_BUSY,
    REDIS_OOM,
    REDIS_MISCONF,
    REDIS_NOREPLICAS,
    REDIS_TRYAGAIN,
    REDIS_CLUSTERDOWN,
    REDIS_CLIENTS, /* "ERR max number of clients reached" */
    REDIS_READONLY,
    REDIS_MASTERDOWN,
    REDIS_UNBLOCKED,
    REDIS_MOVED,
    REDIS_ASK,
    REDIS_WRONGPASS,
    REDIS_NOAUTH,
    REDIS_NOPERM, /* also what a script is told: "ERR The user executing the script" */
    REDIS_DENIED, /* protected mode */
    REDIS_CLASS_COUNT
};

enum redis_remedy {
    REDIS_GIVE_BACK, /* the caller's: it knows what to do */
    REDIS_TEACH,     /* the script is sent with its text */
    REDIS_WAIT,      /* passes: the same again after a while */
    REDIS_MOVE,  /* the same again over a new connection, which may lead elsewhere */
    REDIS_FATAL, /* a person must act; the program ends with status 3 */
    REDIS_REMEDY_COUNT
};

/* text: the error without its leading '-'. */
enum redis_class redis_class_of(struct str text);
const char *redis_class_name(enum redis_class error); /* "OOM" */
enum redis_remedy redis_class_remedy(enum redis_class error);
/* Redis can be read, but takes no writes. */
bool redis_class_refuses_writes(enum redis_class error);
/* Fills in the server's words and ERR_REDIS or, for the fatal ones, ERR_DENIED and what
 * a person can do about it. Returns false. */
bool redis_class_explain(enum redis_class error, struct str text, struct err *err);

#endif

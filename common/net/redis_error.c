/* redis_error.c - see redis_error.h. */
#include "net/redis_error.h"

#include <assert.h>
#include <stddef.h>

#include "base/utf8.h"

/* What makes a row: how the text begins, what to do, whether it is writes alone that
 * are refused, and, where a person must act, what to do about it. */
struct row {
    const char *name;
    const char *begins; /* NULL: the name, as a word */
    enum redis_remedy remedy;
    bool writes;
    const char *hint;
};

/* clang-format off */
static const struct row rows[REDIS_CLASS_COUNT] = {
    [REDIS_CLASS_OTHER] = {"ERR", NULL, REDIS_GIVE_BACK, false, NULL},
    [REDIS_NOSCRIPT]    = {"NOSCRIPT", NULL, REDIS_TEACH, false, NULL},
    [REDIS_NOGROUP]     = {"NOGROUP", NULL, REDIS_GIVE_BACK, false, NULL},
    [REDIS_WRONGTYPE]   = {"WRONGTYPE", NULL, REDIS_GIVE_BACK, false, NULL},
    [REDIS_EXECABORT]   = {"EXECABORT", NULL, REDIS_GIVE_BACK, false, NULL},
    [REDIS_LOADING]     = {"LOADING", NULL, REDIS_WAIT, false, NULL},
    [REDIS_BUSY]        = {"BUSY", NULL, REDIS_WAIT, false, NULL},
    [REDIS_OOM]         = {"OOM", NULL, REDIS_WAIT, true, NULL},
    [REDIS_MISCONF]     = {"MISCONF", NULL, REDIS_WAIT, true, NULL},
    [REDIS_NOREPLICAS]  = {"NOREPLICAS", NULL, REDIS_WAIT, true, NULL},
    [REDIS_TRYAGAIN]    = {"TRYAGAIN", NULL, REDIS_WAIT, false, NULL},
    [REDIS_CLUSTERDOWN] = {"CLUSTERDOWN", NULL, REDIS_WAIT, false, NULL},
    [REDIS_CLIENTS]     = {"MAXCLIENTS", "ERR max number of clients", REDIS_MOVE, false,
                           NULL},
    [REDIS_READONLY]    = {"READONLY", NULL, REDIS_MOVE, true, NULL},
    [REDIS_MASTERDOWN]  = {"MASTERDOWN", NULL, REDIS_MOVE, false, NULL},
    [REDIS_UNBLOCKED]   = {"UNBLOCKED", NULL, REDIS_MOVE, false, NULL},
    [REDIS_MOVED]       = {"MOVED", NULL, REDIS_FATAL, false,
                           "this is a Redis cluster, which is not supported yet"},
    [REDIS_ASK]         = {"ASK", NULL, REDIS_FATAL, false,
                           "this is a Redis cluster, which is not supported yet"},
    [REDIS_WRONGPASS]   = {"WRONGPASS", NULL, REDIS_FATAL, false,
                           "the right password goes into --redis-password-file or --redis URL"},
    [REDIS_NOAUTH]      = {"NOAUTH", NULL, REDIS_FATAL, false,
                           "the right password goes into --redis-password-file or --redis URL"},
    [REDIS_NOPERM]      = {"NOPERM", "ERR The user executing the script", REDIS_FATAL,
                           false, "this Redis user lacks a right that parley needs"},
    [REDIS_DENIED]      = {"DENIED", NULL, REDIS_FATAL, false,
                           "this Redis takes connections from its own machine alone"},
};
/* clang-format on */

static bool fits(const struct row *row, struct str text)
{
    struct str rest;

    if (row->begins != NULL && str_starts(text, row->begins))
        return true;
    return str_is(str_cut(text, ' ', &rest), row->name);
}

enum redis_class redis_class_of(struct str text)
{
    for (unsigned i = REDIS_CLASS_OTHER + 1; i < REDIS_CLASS_COUNT; i++)
        if (fits(&rows[i], text))
            return (enum redis_class)i;
    return REDIS_CLASS_OTHER;
}

const char *redis_class_name(enum redis_class error)
{
    assert(error < REDIS_CLASS_COUNT);
    return rows[error].name;
}

enum redis_remedy redis_class_remedy(enum redis_class error)
{
    assert(error < REDIS_CLASS_COUNT);
    return rows[error].remedy;
}

bool redis_class_refuses_writes(enum redis_class error)
{
    assert(error < REDIS_CLASS_COUNT);
    return rows[error].writes;
}

bool redis_class_explain(enum redis_class error, struct str text, struct err *err)
{
    const char *hint = rows[error].hint;

    return err_set(err, rows[error].remedy == REDIS_FATAL ? ERR_DENIED : ERR_REDIS,
                   "%s%s%s%s", log_safe(text), hint ? " (" : "", hint ? hint : "",
                   hint ? ")" : "");
}

/* redis_hello.c - see redis_hello.h. */
#include "net/redis_hello.h"

#include <stddef.h>

#include "net/redis_error.h"
#include "net/redis_queue.h"

enum { WORDS_MAX = 3 };

static void ask(struct redis_queue *queue, const char *const words[WORDS_MAX])
{
    struct str argv[WORDS_MAX];
    struct redis_call call = {.argv = argv};

    while (call.argc < WORDS_MAX && words[call.argc]) {
        argv[call.argc] = str_of(words[call.argc]);
        call.argc++;
    }
    redis_queue_push_take(queue, redis_pending_new(&call, 0));
}

void redis_hello_ask(struct redis_queue *queue, const struct redis_target *target,
                     const char *name)
{
    char db[16];

    if (target->password && target->user)
        ask(queue, (const char *[]){"AUTH", target->user, target->password});
    else if (target->password)
        ask(queue, (const char *[]){"AUTH", target->password, NULL});
    fmt_into(db, sizeof(db), "%d", target->db);
    if (target->db != 0)
        ask(queue, (const char *[]){"SELECT", db, NULL});
    if (name)
        ask(queue, (const char *[]){"CLIENT", "SETNAME", name});
    ask(queue, (const char *[]){"PING", NULL, NULL});
    ask(queue, (const char *[]){"INFO", "server", NULL});
}

/* Errors that pass by themselves, or with the end of what goes on in the server. */
static bool is_passing(enum redis_class error)
{
    return error == REDIS_LOADING || error == REDIS_BUSY || error == REDIS_MASTERDOWN
           || error == REDIS_CLIENTS;
}

/* A name may be forbidden, and PING tells of a full disk too: both can be lived with.
 */
static bool can_be_ignored(struct str name, enum redis_class error)
{
    return (str_is(name, "CLIENT") || str_is(name, "PING")) && !is_passing(error)
           && error != REDIS_NOAUTH && error != REDIS_DENIED;
}

/* Picks "run_id:<hex>" out of INFO's lines. */
static bool find_run_id(struct str info, char ret_run_id[REDIS_RUN_ID_SIZE])
{
    while (info.len > 0) {
        struct str value;
        struct str line = str_trim(str_cut(info, '\n', &info));
        struct str name = str_cut(line, ':', &value);

        if (!str_is(name, "run_id") || value.len == 0 || value.len >= REDIS_RUN_ID_SIZE)
            continue;
        fmt_into(ret_run_id, REDIS_RUN_ID_SIZE, "%.*s", (int)value.len, value.at);
        return true;
    }
    return false;
}

bool redis_hello_judge(struct redis_hello *hello, const struct redis_pending *asked,
                       const struct redis_value *value, struct err *err)
{
    struct str name = redis_pending_name(asked);

    if (value->kind == REDIS_ERROR) {
        enum redis_class error = redis_class_of(value->text);

        if (can_be_ignored(name, error))
            return true;
        hello->refused = !is_passing(error);
        hello->fatal = redis_class_remedy(error) == REDIS_FATAL;
        redis_class_explain(error, value->text, err);
        return err_wrap(err, "%.*s refused", (int)name.len, name.at);
    }
    if (!str_is(name, "INFO"))
        return true;
    if (value->kind == REDIS_TEXT && find_run_id(value->text, hello->run_id))
        return true;
    hello->refused = true;
    return err_set(err, ERR_REDIS, "INFO names no run_id: not a Redis?");
}

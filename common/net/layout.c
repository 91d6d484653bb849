/* layout.c - see layout.h. */
#include "net/layout.h"

#include "base/utf8.h"
#include "net/redis_sync.h"

#define LAYOUT_VERSION "1"

static struct redis_call make_call(const struct keys *keys, struct str words[3],
                                   char key[KEY_SIZE])
{
    words[0] = str_of("HGET");
    words[1] = key_make(keys, "meta", NULL, key);
    words[2] = str_of("layout");
    return (struct redis_call){.argc = 3, .argv = words, .again = true};
}

bool layout_fits(const struct redis_answer *answer, struct err *err)
{
    struct str version;

    if (answer->outcome != REDIS_OK || answer->value->kind != REDIS_TEXT)
        return true; /* nobody has led here yet */
    version = answer->value->text;
    return str_is(version, LAYOUT_VERSION)
           || err_set(
               err, ERR_USAGE,
               "this shard has layout version %s, this program knows " LAYOUT_VERSION
               ": use the parley it belongs to, or another --shard",
               log_safe(version));
}

struct checking {
    struct err *err;
    bool fits;
};

static void on_version(void *owner, const struct redis_answer *answer)
{
    struct checking *checking = owner;

    checking->fits = layout_fits(answer, checking->err);
}

bool layout_check(struct loop *loop, struct redis *redis, const struct keys *keys,
                  struct err *err)
{
    struct checking checking = {.err = err, .fits = true};
    char key[KEY_SIZE];
    struct str words[3];
    struct redis_call call = make_call(keys, words, key);

    call.on_answer = on_version;
    call.owner = &checking;
    return redis_sync_call(loop, redis, &call, err) && checking.fits;
}

bool layout_ask(struct redis *redis, const struct keys *keys,
                void (*on_answer)(void *owner, const struct redis_answer *answer),
                void *owner)
{
    char key[KEY_SIZE];
    struct str words[3];
    struct redis_call call = make_call(keys, words, key);

    call.on_answer = on_answer;
    call.owner = owner;
    return redis_send(redis, &call);
}

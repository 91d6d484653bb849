/* desk_wait.c - see desk_wait.h. */
#include "manager/desk_wait.h"

#include "manager/manager.h"
#include "net/redis.h"

/* As the workers keep it (docs/protocol.md). */
#define LIVE_MAX_ENTRIES    "4096"
#define LIVE_EXPIRE_SECONDS "600"

static void tell(struct manager *manager, const struct str *words, size_t count)
{
    const struct redis_call call = {.argc = count, .argv = words};

    if (!redis_send(manager->redis, &call)) {
        /* The queue is full: it is told again in ten seconds. */
    }
}

void desk_tell_waiting(struct manager *manager, const char *conversation,
                       const char *servers, const char *reason)
{
    char room[KEY_SIZE];
    const struct str key = key_make(&manager->keys, "live", conversation, room);
    const struct str entry[] = {
        str_of("XADD"),           key,
        str_of("MAXLEN"),         str_of("~"),
        str_of(LIVE_MAX_ENTRIES), str_of("*"),
        str_of("kind"),           str_of("waiting"),
        str_of("call"),           str_of(""),
        str_of("turn"),           str_of("1"),
        str_of("seat"),           str_of("0"),
        str_of("servers"),        str_of(servers),
        str_of("reason"),         str_of(reason),
    };
    const struct str expire[] = {str_of("EXPIRE"), key, str_of(LIVE_EXPIRE_SECONDS)};

    if (!redis_ready(manager->redis) || redis_refuses_writes(manager->redis))
        return;
    tell(manager, entry, sizeof entry / sizeof *entry);
    tell(manager, expire, sizeof expire / sizeof *expire);
}

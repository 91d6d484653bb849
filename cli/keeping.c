/* keeping.c - see keeping.h. */
#include "cli/keeping.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "net/redis_sync.h"
#include "proto/json_write.h"

struct reading {
    struct keeping keeping;
    bool refused;
};

static void on_settings(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;
    struct keeping *keeping = &reading->keeping;
    const struct {
        const char *name;
        char *into;
        size_t size;
    } fields[] = {
        {"appendonly", keeping->appendonly, sizeof keeping->appendonly},
        {"appendfsync", keeping->appendfsync, sizeof keeping->appendfsync},
        {"maxmemory-policy", keeping->policy, sizeof keeping->policy},
    };

    reading->refused = answer->outcome == REDIS_REFUSED;
    if (answer->outcome != REDIS_OK)
        return;
    keeping->known = true;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        struct str value = redis_field(answer->value, fields[i].name);

        keeping->known = keeping->known && value.len > 0;
        (void)snprintf(fields[i].into, fields[i].size, "%s", log_safe(value));
    }
}

bool keeping_read(struct loop *loop, struct redis *redis, struct keeping *ret_keeping,
                  struct err *err)
{
    struct reading reading = {0};
    struct err why = {0};
    struct str words[] = {str_of("CONFIG"), str_of("GET"), str_of("appendonly"),
                          str_of("appendfsync"), str_of("maxmemory-policy")};
    struct redis_call call = {
        .argc = 5, .argv = words, .on_answer = on_settings, .owner = &reading};

    if (!redis_sync_call(loop, redis, &call, &why) && !reading.refused) {
        *err = why;
        return false;
    }
    *ret_keeping = reading.keeping;
    return true;
}

static bool has_file(const struct keeping *keeping)
{
    return strcmp(keeping->appendonly, "yes") == 0;
}

void keeping_words(const struct keeping *keeping, struct buf *into)
{
    if (!keeping->known)
        buf_add_text(into, "does not tell what it keeps when it dies");
    else if (!has_file(keeping))
        buf_add_text(into, "keeps nothing when it dies but its last snapshot, if any");
    else if (strcmp(keeping->appendfsync, "always") == 0)
        buf_add_text(into, "keeps all it acknowledged, also when the power is cut");
    else if (strcmp(keeping->appendfsync, "everysec") == 0)
        buf_add_text(into, "keeps all when it is killed (on a busy disk: all but the "
                           "last 2 s), all but the last 2 s when the power is cut");
    else
        buf_add_text(into, "keeps all when it is killed; when the power is cut, what "
                           "the system had written by then");
}

void keeping_warnings(const struct keeping *keeping,
                      const char *ret_lines[KEEPING_WARNINGS])
{
    size_t count = 0;

    if (keeping->known && !has_file(keeping))
        ret_lines[count++] =
            "a restart of this Redis would lose the conversations, or what came since "
            "its last snapshot: its appendonly is off";
    if (keeping->known && strcmp(keeping->policy, "noeviction") != 0)
        ret_lines[count++] =
            "this Redis may throw conversations away when its memory is full: its "
            "maxmemory-policy is not noeviction";
    ret_lines[count] = NULL;
}

void keeping_json(const struct keeping *keeping, struct buf *into)
{
    if (!keeping->known) {
        buf_add_text(into, "null");
        return;
    }
    buf_add_text(into, "{\"appendonly\":");
    json_write_text(into, keeping->appendonly);
    buf_add_text(into, ",\"appendfsync\":");
    json_write_text(into, keeping->appendfsync);
    buf_add_text(into, ",\"maxmemory_policy\":");
    json_write_text(into, keeping->policy);
    buf_add_char(into, '}');
}

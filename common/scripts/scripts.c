/* scripts.c - see scripts.h. */
#include "scripts/scripts.h"

#include <assert.h>

#include "base/embedded.h"

static const char *const names[SCRIPT_COUNT] = {
    [SCRIPT_LEAD] = "lead",       [SCRIPT_BEAT] = "beat",
    [SCRIPT_LEAVE] = "leave",     [SCRIPT_OPEN] = "open",
    [SCRIPT_BEGIN] = "begin",     [SCRIPT_CLAIM] = "claim",
    [SCRIPT_RELEASE] = "release", [SCRIPT_RENEW] = "renew",
    [SCRIPT_COMMIT] = "commit",   [SCRIPT_FAIL] = "fail",
    [SCRIPT_ROUTE] = "route",     [SCRIPT_REISSUE] = "reissue",
    [SCRIPT_PAUSE] = "pause",     [SCRIPT_RESUME] = "resume",
    [SCRIPT_STOP] = "stop",       [SCRIPT_SAY] = "say",
    [SCRIPT_END] = "end",         [SCRIPT_DEAD] = "dead",
    [SCRIPT_TRIM] = "trim",       [SCRIPT_SHIFT] = "shift",
    [SCRIPT_SWEEP] = "sweep",     [SCRIPT_REFUSE] = "refuse",
    [SCRIPT_REVIVE] = "revive",   [SCRIPT_DROP] = "drop",
    [SCRIPT_ADMIT] = "admit",     [SCRIPT_REPORT] = "report",
    [SCRIPT_FORGET] = "forget",   [SCRIPT_MEND] = "mend",
};

const struct redis_script *script_get(enum script_id id)
{
    static struct redis_script cache[SCRIPT_COUNT];
    struct redis_script *script = &cache[id];

    assert(id < SCRIPT_COUNT);
    if (script->text == NULL) {
        char path[64];
        const struct embedded_file *file;

        fmt_into(path, sizeof path, "common/scripts/%s.lua", names[id]);
        file = embedded_find(path);
        *script = (struct redis_script){names[id], file->at, file->len, file->sha1};
    }
    return script;
}

/* scripts.h - the Lua scripts: every write that touches more than one key.
 *
 * What each script asks for and answers stands in its file and in docs/protocol.md.
 */
#ifndef PARLEY_SCRIPTS_H
#define PARLEY_SCRIPTS_H

#include "net/redis.h"

enum script_id {
    SCRIPT_LEAD,
    SCRIPT_BEAT,
    SCRIPT_LEAVE,
    SCRIPT_OPEN,
    SCRIPT_BEGIN,
    SCRIPT_CLAIM,
    SCRIPT_RELEASE,
    SCRIPT_RENEW,
    SCRIPT_COMMIT,
    SCRIPT_FAIL,
    SCRIPT_ROUTE,
    SCRIPT_REISSUE,
    SCRIPT_PAUSE,
    SCRIPT_RESUME,
    SCRIPT_STOP,
    SCRIPT_SAY,
    SCRIPT_END,
    SCRIPT_DEAD,
    SCRIPT_TRIM,
    SCRIPT_SHIFT,
    SCRIPT_SWEEP,
    SCRIPT_REFUSE,
    SCRIPT_REVIVE,
    SCRIPT_DROP,
    SCRIPT_ADMIT,
    SCRIPT_REPORT,
    SCRIPT_FORGET,
    SCRIPT_MEND,
    SCRIPT_COUNT
};

/* Lives as long as the program. */
const struct redis_script *script_get(enum script_id id);

#endif

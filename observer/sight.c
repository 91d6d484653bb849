/* sight.c - see sight.h. */
#include "sight.h"

#include <assert.h>

const char *sight_kind_name(enum sight_kind kind)
{
    static const char *const names[SIGHT_KIND_COUNT] = {
        [SIGHT_STORY] = "story",         [SIGHT_PERSONA] = "persona",
        [SIGHT_BEGIN] = "begin",         [SIGHT_DELTA] = "delta",
        [SIGHT_WITHDRAWN] = "withdrawn", [SIGHT_END] = "end",
        [SIGHT_TURN] = "turn",           [SIGHT_STATE] = "state",
        [SIGHT_REWOUND] = "rewound",     [SIGHT_UNREADABLE] = "unreadable",
        [SIGHT_WAITING] = "waiting",     [SIGHT_EVENT] = "event",
        [SIGHT_WHISPER] = "whisper",
    };

    assert(kind < SIGHT_KIND_COUNT);
    return names[kind];
}

struct talk_facts talk_facts_unknown(void)
{
    return (struct talk_facts){
        .next = -1,
        .seat = -1,
        .turns = -1,
        .tokens = -1,
        .max_turns = -1,
        .deadline_us = -1,
        .left_ms = -1,
        .asked_at_us = -1,
        .created_at_us = -1,
        .started_at_us = -1,
        .ended_at_us = -1,
    };
}

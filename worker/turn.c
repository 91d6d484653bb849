/* turn.c - see turn.h. */
#include "worker/turn.h"

#include <assert.h>

struct turn_rule {
    enum turn_state next;
    enum turn_action action;
};

/* clang-format off */
static const struct turn_rule rules[TURN_STATE_COUNT][TURN_EVENT_COUNT] = {
    [TURN_FREE] = {
        [TURN_DELIVERED]  = {TURN_LOADING,    TURN_LOAD},
        [TURN_POISONED]   = {TURN_SETTLING,   TURN_BURY},
    },
    [TURN_LOADING] = {
        [TURN_LOADED]     = {TURN_CALLING,    TURN_CALL},
        [TURN_UNREADABLE] = {TURN_SETTLING,   TURN_FAIL},
        [TURN_UNWANTED]   = {TURN_FREE,       TURN_CLEAR},
        [TURN_HAND_BACK]  = {TURN_SETTLING,   TURN_RELEASE},
    },
    [TURN_CALLING] = {
        [TURN_REPLIED]    = {TURN_SETTLING,   TURN_COMMIT},
        [TURN_BROKE]      = {TURN_SETTLING,   TURN_FAIL},
        [TURN_UNWANTED]   = {TURN_CANCELLING, TURN_CLOSE_CALL},
        [TURN_HAND_BACK]  = {TURN_HANDING,    TURN_CLOSE_CALL},
    },
    [TURN_CANCELLING] = {
        [TURN_REPLIED]    = {TURN_FREE,       TURN_CLEAR},
        [TURN_BROKE]      = {TURN_FREE,       TURN_CLEAR},
        [TURN_CLOSED]     = {TURN_FREE,       TURN_CLEAR},
        [TURN_UNWANTED]   = {TURN_CANCELLING, TURN_IGNORE},
        [TURN_HAND_BACK]  = {TURN_CANCELLING, TURN_IGNORE},
    },
    [TURN_HANDING] = {
        [TURN_REPLIED]    = {TURN_SETTLING,   TURN_COMMIT}, /* it was done at that moment */
        [TURN_BROKE]      = {TURN_SETTLING,   TURN_RELEASE},
        [TURN_CLOSED]     = {TURN_SETTLING,   TURN_RELEASE},
        [TURN_UNWANTED]   = {TURN_CANCELLING, TURN_IGNORE},
        [TURN_HAND_BACK]  = {TURN_HANDING,    TURN_IGNORE},
    },
    [TURN_SETTLING] = {
        [TURN_SETTLED]    = {TURN_FREE,       TURN_CLEAR},
        [TURN_UNWANTED]   = {TURN_SETTLING,   TURN_IGNORE}, /* the script says it too */
        [TURN_HAND_BACK]  = {TURN_SETTLING,   TURN_IGNORE},
    },
};
/* clang-format on */

const char *turn_state_name(enum turn_state state)
{
    static const char *const names[TURN_STATE_COUNT] = {
        [TURN_FREE] = "free",       [TURN_LOADING] = "loading",
        [TURN_CALLING] = "calling", [TURN_CANCELLING] = "cancelling",
        [TURN_HANDING] = "handing", [TURN_SETTLING] = "settling",
    };

    return names[state];
}

const char *turn_event_name(enum turn_event event)
{
    static const char *const names[TURN_EVENT_COUNT] = {
        [TURN_DELIVERED] = "delivered", [TURN_POISONED] = "poisoned",
        [TURN_LOADED] = "loaded",       [TURN_UNREADABLE] = "unreadable",
        [TURN_REPLIED] = "replied",     [TURN_BROKE] = "broke",
        [TURN_CLOSED] = "closed",       [TURN_UNWANTED] = "unwanted",
        [TURN_HAND_BACK] = "hand-back", [TURN_SETTLED] = "settled",
    };

    return names[event];
}

enum turn_action turn_step(enum turn_state *state, enum turn_event event)
{
    const struct turn_rule *rule;

    assert(*state < TURN_STATE_COUNT && event < TURN_EVENT_COUNT);
    rule = &rules[*state][event];
    if (rule->action != TURN_REFUSE)
        *state = rule->next;
    return rule->action;
}

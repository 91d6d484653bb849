/* rewind.c - see rewind.h. */
#include "manager/rewind.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "manager/manager.h"

enum { GOOD_FOR_MS = 30000 };

struct remembered {
    struct check *check; /* once it is asked for */
    char id[CONVERSATION_SIZE];
    int64_t next;
};

/* One look at all that was remembered. */
struct check {
    struct manager *manager;
    struct remembered *list; /* owned */
    size_t count;
    size_t left; /* answers to come, and one until all was asked */
    size_t rewound;
    size_t lost;
    size_t unknown; /* Redis refused to tell */
};

void rewind_remember(struct manager *manager)
{
    struct rewind *rewind = &manager->rewind;
    size_t count = 0;

    for (int i = 0; i < TALK_STATE_COUNT; i++)
        count += roster_count(manager->roster, (enum talk_state)i);
    if (count == 0)
        return;
    rewind_done(rewind);
    rewind->list = x_calloc(count, sizeof *rewind->list);
    rewind->at_ms = clock_mono_ms();
    for (int i = 0; i < TALK_STATE_COUNT; i++) {
        const enum talk_state state = (enum talk_state)i;
        struct talk *talk = roster_first(manager->roster, state);

        for (; talk != NULL; talk = roster_next(talk)) {
            struct remembered *one = &rewind->list[rewind->count++];

            fmt_into(one->id, sizeof one->id, "%s", talk->id);
            one->next = talk->next;
        }
    }
}

void rewind_done(struct rewind *rewind)
{
    free(rewind->list);
    *rewind = (struct rewind){0};
}

/* ---- holding it against Redis ---- */

enum rewind_fate rewind_judge(int64_t was, struct str state, int64_t next)
{
    if (state.len == 0)
        return REWIND_LOST;
    return next < was ? REWIND_REWOUND : REWIND_NONE;
}

void rewind_tell_lost(struct manager *manager, const char *id)
{
    const struct manager_event event = {.event = "history.lost",
                                        .conversation = id,
                                        .reason = "it is not in Redis any more",
                                        .turn = -1};

    log_error("rewind", "a conversation is not in Redis any more conversation=%s", id);
    manager_tell(manager, &event);
}

static void tell_rewound(struct manager *manager, const struct remembered *one,
                         int64_t next)
{
    char reason[32];
    const struct manager_event event = {.event = "history.rewound",
                                        .conversation = one->id,
                                        .reason = reason,
                                        .turn = next};

    fmt_into(reason, sizeof reason, "was %lld", (long long)one->next);
    manager_tell(manager, &event);
}

static void drop(struct check *check)
{
    if (--check->left > 0)
        return;
    if (check->rewound > 0 || check->lost > 0 || check->unknown > 0)
        log_error("rewind",
                  "Redis came back with less than it had: rewound=%zu lost=%zu "
                  "unknown=%zu of=%zu",
                  check->rewound, check->lost, check->unknown, check->count);
    free(check->list);
    free(check);
}

static void on_talk(void *owner, const struct redis_answer *answer)
{
    const struct remembered *one = owner;
    struct check *check = one->check;

    if (answer->outcome == REDIS_OK) {
        int64_t next = redis_item_i64(answer->value, 1, 0);
        enum rewind_fate fate =
            rewind_judge(one->next, redis_item_text(answer->value, 0), next);

        if (fate == REWIND_LOST) {
            check->lost++;
            rewind_tell_lost(check->manager, one->id);
        } else if (fate == REWIND_REWOUND) {
            check->rewound++;
            tell_rewound(check->manager, one, next);
        }
    } else if (answer->outcome != REDIS_CANCELLED) {
        check->unknown++;
    }
    drop(check);
}

void rewind_check(struct manager *manager)
{
    struct rewind *rewind = &manager->rewind;
    struct check *check;

    if (rewind->count == 0)
        return;
    if (clock_mono_ms() - rewind->at_ms > GOOD_FOR_MS) {
        rewind_done(rewind);
        return;
    }
    check = x_calloc(1, sizeof *check);
    *check = (struct check){.manager = manager,
                            .list = rewind->list,
                            .count = rewind->count,
                            .left = rewind->count + 1};
    *rewind = (struct rewind){0}; /* the list is the check's now */
    for (size_t i = 0; i < check->count; i++) {
        char key[KEY_SIZE];
        struct words words = {0};

        words_add(&words, str_of("HMGET"));
        words_add(&words,
                  key_make(&manager->keys, "conversation", check->list[i].id, key));
        words_add(&words, str_of("state"));
        words_add(&words, str_of("next"));
        check->list[i].check = check;
        manager_send(manager, &words, on_talk, &check->list[i]);
    }
    drop(check);
}

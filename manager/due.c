/* due.c - see due.h. */
#include "manager/due.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/close.h"
#include "manager/manager.h"
#include "manager/rewind.h"
#include "manager/route.h"
#include "scripts/scripts.h"

enum {
    LOOK_MAX = 200,
    CONSUMER_IDLE_MS = 600000,
    KEEP_EVENTS_MS = 3600000,
    KEEP_DEAD_MS = 7 * 86400000,
    KEEP_MAX_ENTRIES = 100000
};

struct looking {
    struct manager *manager;
    char id[CONVERSATION_SIZE];
};

enum due_action due_decide(struct str state, int64_t deadline_us, int64_t now_us)
{
    bool late = deadline_us >= 0 && deadline_us <= now_us;

    if (state.len == 0 || str_is(state, "ended"))
        return DUE_FORGET;
    if (late && str_is(state, "running"))
        return DUE_CLOSE;
    if (late && str_is(state, "closing"))
        return DUE_END;
    return DUE_LOOK;
}

static void on_closing(void *owner, const struct redis_answer *answer)
{
    struct looking *looking = owner;
    struct str word;

    if (answer->outcome == REDIS_OK) {
        word = redis_item_text(answer->value, 0);
        if (str_is(word, "STALE"))
            leader_stale(&looking->manager->leader);
        else if (str_is(redis_item_text(answer->value, 1), "ended"))
            close_forget(looking->manager, str_of(looking->id));
    }
    free(looking);
}

static void close_with_grace(struct looking *looking)
{
    struct manager *manager = looking->manager;
    const char *shard_keys[] = {"events", "due", "epoch", "control"};
    const char *arguments[] = {"", "", "", "grace", "duration"};
    char keys[6][KEY_SIZE];
    struct words words = {0};

    log_info("due", "time is over conversation=%s", looking->id);
    words_add(&words, key_make(&manager->keys, "conversation", looking->id, keys[0]));
    for (size_t i = 0; i < 4; i++)
        words_add(&words, key_make(&manager->keys, shard_keys[i], NULL, keys[1 + i]));
    words_add(&words, key_make(&manager->keys, "answer", "none", keys[5]));
    words_keys_end(&words);
    words_add(&words, str_of(looking->id));
    words_add(&words, str_of(manager->leader.token));
    for (size_t i = 0; i < sizeof arguments / sizeof *arguments; i++)
        words_add(&words, str_of(arguments[i]));
    manager_eval(manager, SCRIPT_STOP, &words, on_closing, looking);
}

static void forget(struct manager *manager, const char *id, bool is_gone)
{
    char key[KEY_SIZE];
    struct words words = {0};

    words_add(&words, str_of("ZREM"));
    words_add(&words, key_make(&manager->keys, "due", NULL, key));
    words_add(&words, str_of(id));
    manager_send(manager, &words, NULL, NULL);
    if (is_gone && roster_find(manager->roster, str_of(id)) != NULL)
        rewind_tell_lost(manager, id);
    close_forget(manager, str_of(id));
}

static void on_conversation(void *owner, const struct redis_answer *answer)
{
    struct looking *looking = owner;
    struct manager *manager = looking->manager;
    struct close_order order = {.id = looking->id, .reason = "", .summary = ""};

    if (answer->outcome != REDIS_OK || !leader_leads(&manager->leader)) {
        free(looking);
        return;
    }
    fault_point("manager.due");
    switch (due_decide(redis_item_text(answer->value, 0),
                       redis_item_i64(answer->value, 1, -1),
                       redis_clock_now_us(&manager->clock))) {
    case DUE_CLOSE:
        close_with_grace(looking);
        return; /* looking lives on */
    case DUE_FORGET:
        forget(manager, looking->id, redis_item_text(answer->value, 0).len == 0);
        break;
    case DUE_END:
        close_now(manager, &order);
        break;
    case DUE_LOOK:
        route_look(manager, looking->id, redis_item_i64(answer->value, 2, -1),
                   redis_item_i64(answer->value, 3, 1));
        break;
    }
    free(looking);
}

void due_look_at(struct manager *manager, struct str id)
{
    struct looking *looking = x_calloc(1, sizeof *looking);
    char key[KEY_SIZE];
    struct words words = {0};

    looking->manager = manager;
    (void)snprintf(looking->id, sizeof looking->id, "%.*s", (int)id.len, id.at);
    words_add(&words, str_of("HMGET"));
    words_add(&words, key_make(&manager->keys, "conversation", looking->id, key));
    words_add(&words, str_of("state"));
    words_add(&words, str_of("deadline"));
    words_add(&words, str_of("next"));
    words_add(&words, str_of("lane"));
    manager_send(manager, &words, on_conversation, looking);
}

static void on_due(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    if (answer->outcome != REDIS_OK || !leader_leads(&manager->leader))
        return;
    for (size_t i = 0; i < answer->value->count; i++)
        due_look_at(manager, redis_item_text(answer->value, i));
}

void due_look(struct manager *manager)
{
    char key[KEY_SIZE];
    char now[24];
    char most[16];
    struct words words = {0};

    fmt_into(now, sizeof now, "%lld",
             (long long)(redis_clock_now_us(&manager->clock) / 1000));
    fmt_into(most, sizeof most, "%d", LOOK_MAX);
    words_add(&words, str_of("ZRANGE"));
    words_add(&words, key_make(&manager->keys, "due", NULL, key));
    words_add(&words, str_of("-inf"));
    words_add(&words, str_of(now));
    words_add(&words, str_of("BYSCORE"));
    words_add(&words, str_of("LIMIT"));
    words_add(&words, str_of("0"));
    words_add(&words, str_of(most));
    manager_send(manager, &words, on_due, manager);
}

static void on_trimmed(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    manager->trimming = false;
    if (answer->outcome == REDIS_OK
        && str_is(redis_item_text(answer->value, 0), "STALE"))
        leader_stale(&manager->leader);
    else if (answer->outcome == REDIS_REFUSED)
        log_warn("due", "trimming was refused reason=%s",
                 log_safe(answer->value->text));
}

void due_trim(struct manager *manager)
{
    enum { LANES = SEATS_MAX, STREAMS = 2 * LANES + 4 };
    const char *kept[] = {"control", "events", "calls", "dead"};
    const int keep_ms[] = {KEEP_EVENTS_MS, KEEP_EVENTS_MS, KEEP_EVENTS_MS,
                           KEEP_DEAD_MS};
    char keys[STREAMS + 1][KEY_SIZE];
    char numbers[5][24];
    struct words words = {0};
    size_t n = 0;

    words_add(&words, key_make(&manager->keys, "epoch", NULL, keys[n++]));
    for (int lane = 1; lane <= roster_lanes(manager->roster); lane++) {
        words_add(&words, key_lane(&manager->keys, "request", lane, keys[n++]));
        words_add(&words, key_lane(&manager->keys, "response", lane, keys[n++]));
    }
    for (size_t i = 0; i < 4; i++)
        words_add(&words, key_make(&manager->keys, kept[i], NULL, keys[n++]));
    words_keys_end(&words);
    fmt_into(numbers[4], sizeof numbers[4], "%d", KEEP_MAX_ENTRIES);
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of(numbers[4]));
    for (int lane = 1; lane <= roster_lanes(manager->roster); lane++) {
        words_add(&words, str_of(""));
        words_add(&words, str_of(""));
    }
    for (size_t i = 0; i < 4; i++) {
        fmt_into(numbers[i], sizeof numbers[i], "%d", keep_ms[i]);
        words_add(&words, str_of(numbers[i]));
    }
    manager->trimming = true;
    manager_eval(manager, SCRIPT_TRIM, &words, on_trimmed, manager);
}

static void on_swept(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    if (answer->outcome == REDIS_OK
        && str_is(redis_item_text(answer->value, 0), "STALE"))
        leader_stale(&manager->leader);
    else if (answer->outcome == REDIS_OK)
        log_debug("due", "consumers swept away count=%lld",
                  (long long)redis_item_i64(answer->value, 1, 0));
    else if (answer->outcome == REDIS_REFUSED)
        log_warn("due", "sweeping was refused reason=%s",
                 log_safe(answer->value->text));
}

void due_sweep(struct manager *manager)
{
    enum { KEYS = 3 + 2 * SEATS_MAX };
    char keys[KEYS][KEY_SIZE];
    char idle[24];
    struct words words = {0};
    size_t n = 0;

    words_add(&words, key_make(&manager->keys, "epoch", NULL, keys[n++]));
    words_add(&words, key_make(&manager->keys, "members", NULL, keys[n++]));
    words_add(&words, key_make(&manager->keys, "control", NULL, keys[n++]));
    for (int lane = 1; lane <= SEATS_MAX; lane++) {
        words_add(&words, key_lane(&manager->keys, "request", lane, keys[n++]));
        words_add(&words, key_lane(&manager->keys, "response", lane, keys[n++]));
    }
    words_keys_end(&words);
    fmt_into(idle, sizeof idle, "%d", CONSUMER_IDLE_MS);
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of(idle));
    manager_eval(manager, SCRIPT_SWEEP, &words, on_swept, manager);
}

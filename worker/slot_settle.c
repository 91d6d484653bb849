/* slot_settle.c - the last script of a turn: commit, fail or dead; parts of slot.c.
 *
 * Flow: slot_settle -> on_settled [refused -> a pause -> slot_settle, a few times]
 */
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "scripts/scripts.h"
#include "worker/slot_call.h"
#include "worker/worker.h"

enum { NUMBER_SIZE = 32, SETTLE_RETRY_MS = 500, REFUSALS_MAX = 5 };

static void settle_later(struct slot *slot)
{
    loop_timer_start(&slot->retry, SETTLE_RETRY_MS);
}

/* No reply, or a refusal. What Redis refuses for a time (memory, a replica, a full
 * disk) is kept below us and never comes here: what is refused again and again is about
 * this turn (a key of another type, a name that reached us broken). It must not hold
 * its place for ever: its entry stays in the lane, for whoever reads it next. */
static void settle_refused(struct slot *slot, const struct redis_answer *answer)
{
    const char *reason = answer->value == NULL ? "lost" : log_safe(answer->value->text);

    slot->refusals += answer->outcome == REDIS_REFUSED;
    if (slot->refusals < REFUSALS_MAX) {
        log_warn("turn", "refused, trying again message=%s:%lld reason=%s",
                 slot->conversation, (long long)slot->turn, reason);
        settle_later(slot);
        return;
    }
    log_error("turn", "refused %u times, left to the next message=%s:%lld reason=%s",
              slot->refusals, slot->conversation, (long long)slot->turn, reason);
    slot_feed(slot, TURN_SETTLED);
}

void slot_settle_again(struct loop_timer *timer, void *owner)
{
    (void)timer;
    slot_settle(owner);
}

/* The next turn may have come before this answer was read: its reading of the
 * transcript, which may be under way, brings our words too. */
static bool can_remember(const struct slot *slot)
{
    return slot->page->known == slot->lines && slot->page->rewound == slot->rewound;
}

static void on_settled(void *owner, const struct redis_answer *answer)
{
    struct slot *slot = owner;
    struct worker *worker = slot->worker;
    struct str word;

    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome != REDIS_OK) {
        settle_refused(slot, answer);
        return;
    }
    word = redis_item_text(answer->value, 0);
    if (str_is(word, "OK") && slot->settling == TURN_COMMIT) {
        if (can_remember(slot))
            memory_add_own(worker->memory, slot->page, slot->turn, slot->seat,
                           slot->author, buf_str(&slot->said));
        worker->turns_done++;
    } else if (str_is(word, "OK")) {
        worker->turns_failed++;
    } else {
        log_info("turn", "thrown away message=%s:%lld answer=%s", slot->conversation,
                 (long long)slot->turn, log_safe(word));
    }
    fault_point("worker.settled");
    slot_feed(slot, TURN_SETTLED);
}

static const char *count_text(char text[NUMBER_SIZE], int64_t count)
{
    fmt_into(text, NUMBER_SIZE, "%lld", (long long)count);
    return count < 0 ? "" : text;
}

static enum script_id script_of(enum turn_action settling)
{
    if (settling == TURN_COMMIT)
        return SCRIPT_COMMIT;
    return settling == TURN_FAIL ? SCRIPT_FAIL : SCRIPT_DEAD;
}

void slot_settle(struct slot *slot)
{
    struct worker *worker = slot->worker;
    char conversation[KEY_SIZE];
    char request[KEY_SIZE];
    char response[KEY_SIZE];
    char dead[KEY_SIZE];
    char number[4][NUMBER_SIZE];
    struct str argv[12];
    struct redis_eval eval = {.script = script_get(script_of(slot->settling)),
                              .argv = argv,
                              .on_answer = on_settled,
                              .owner = slot};
    size_t n = 0;

    argv[n++] =
        key_make(&worker->keys, "conversation", slot->conversation, conversation);
    argv[n++] = key_lane(&worker->keys, "request", worker->config->seat, request);
    argv[n++] = key_lane(&worker->keys, "response", worker->config->seat, response);
    if (slot->settling == TURN_BURY)
        argv[n++] = key_make(&worker->keys, "dead", NULL, dead);
    eval.keys = n;
    argv[n++] = str_of(slot->conversation);
    argv[n++] = str_of(slot->name);
    argv[n++] = str_of(slot->entry);
    argv[n++] = str_of(count_text(number[0], slot->deliveries));
    /* A request without a proper turn: 0 is over long ago, and acked as such. */
    argv[n++] = str_of(count_text(number[1], slot->turn < 1 ? 0 : slot->turn));
    if (slot->settling == TURN_BURY) {
        argv[n++] = str_of(count_text(number[2], worker->config->max_deliveries));
        argv[n++] = str_of("delivered too often without an answer");
    } else {
        argv[n++] = str_of(count_text(number[2], slot->tokens));
        argv[n++] =
            str_of(slot->settling == TURN_COMMIT ? slot->new_window : slot->error);
        argv[n++] = slot->settling == TURN_COMMIT ? buf_str(&slot->message)
                                                  : str_of(slot->reason);
    }
    eval.argc = n;
    if (!redis_eval(worker->redis, &eval))
        settle_later(slot);
}

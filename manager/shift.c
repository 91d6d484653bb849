/* shift.c - see shift.h.
 *
 * Flow: shift_note -> shift_go_on -> leases; ids in K:due -> the script, a page at a
 *       time
 */
#include "manager/shift.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/manager.h"
#include "scripts/scripts.h"

enum { PAGE = 40, GOOD_FOR_MS = 30000, NUMBER_SIZE = 24 };

void shift_note(void *owner, int64_t delta_us, int64_t since_us)
{
    struct manager *manager = owner;

    log_warn("clock", "Redis' clock jumped seconds=%+.1f", (double)delta_us / 1e6);
    manager->jump = (struct jump){
        .delta_us = delta_us, .since_us = since_us, .at_ms = clock_mono_ms()};
}

static void tell(struct manager *manager, int64_t delta_us)
{
    char reason[32];
    const struct manager_event event = {
        .event = "clock.jumped", .conversation = "", .reason = reason, .turn = -1};

    fmt_into(reason, sizeof reason, "%+.1f", (double)delta_us / 1e6);
    manager_tell(manager, &event);
}

static void on_shifted(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;

    if (answer->outcome == REDIS_REFUSED)
        log_error("clock", "deadlines could not be moved reason=%s",
                  log_safe(answer->value->text));
    if (answer->outcome != REDIS_OK)
        return;
    if (str_is(redis_item_text(answer->value, 0), "STALE"))
        leader_stale(&manager->leader);
    else
        log_info("clock", "deadlines moved conversations=%lld",
                 (long long)redis_item_i64(answer->value, 1, 0));
}

static void send_shift(struct manager *manager, const struct redis_value *ids,
                       size_t from, size_t count)
{
    const char *shard_keys[] = {"meta", "epoch", "due"};
    char keys[3 + PAGE + SEATS_MAX][KEY_SIZE];
    char ids_text[PAGE][CONVERSATION_SIZE];
    char numbers[2][NUMBER_SIZE];
    struct words words = {0};
    size_t n = 0;

    for (size_t i = 0; i < 3; i++)
        words_add(&words, key_make(&manager->keys, shard_keys[i], NULL, keys[n++]));
    for (size_t i = 0; i < count; i++) {
        struct str id = redis_item_text(ids, from + i);

        fmt_into(ids_text[i], sizeof ids_text[i], "%.*s",
                 id.len < CONVERSATION_SIZE ? (int)id.len : 0, id.at);
        words_add(&words,
                  key_make(&manager->keys, "conversation", ids_text[i], keys[n++]));
    }
    for (int lane = 1; count == 0 && lane <= SEATS_MAX; lane++)
        words_add(&words, key_lane(&manager->keys, "request", lane, keys[n++]));
    words_keys_end(&words);
    fmt_into(numbers[0], NUMBER_SIZE, "%lld", (long long)manager->jump.delta_us);
    fmt_into(numbers[1], NUMBER_SIZE, "%lld", (long long)manager->jump.since_us);
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of(numbers[0]));
    words_add(&words, str_of(numbers[1]));
    for (size_t i = 0; i < count; i++)
        words_add(&words, str_of(ids_text[i]));
    manager_eval(manager, SCRIPT_SHIFT, &words, on_shifted, manager);
}

static void on_due_ids(void *owner, const struct redis_answer *answer)
{
    struct manager *manager = owner;
    size_t count;

    manager->jump.asked = false;
    if (!leader_leads(&manager->leader) || answer->outcome != REDIS_OK)
        return; /* the note stays: the next look deals with it */
    count = answer->value->count;
    for (size_t from = 0; from < count; from += PAGE)
        send_shift(manager, answer->value, from,
                   count - from < PAGE ? count - from : PAGE);
    manager->jump.delta_us = 0;
}

void shift_go_on(struct manager *manager)
{
    struct jump *jump = &manager->jump;
    char key[KEY_SIZE];
    struct words words = {0};

    if (jump->delta_us == 0 || jump->asked || !leader_leads(&manager->leader))
        return;
    if (clock_mono_ms() - jump->at_ms > GOOD_FOR_MS) {
        jump->delta_us = 0; /* another leader has long dealt with it */
        return;
    }
    tell(manager, jump->delta_us);
    send_shift(manager, NULL, 0, 0);
    words_add(&words, str_of("ZRANGE"));
    words_add(&words, key_make(&manager->keys, "due", NULL, key));
    words_add(&words, str_of("0"));
    words_add(&words, str_of("-1"));
    jump->asked = true;
    manager_send(manager, &words, on_due_ids, manager);
}

/* close.c - see close.h. */
#include "manager/close.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/manager.h"
#include "proto/json_write.h"
#include "scripts/scripts.h"

enum { SUMMARY_MAX_BYTES = 4096 };

struct closing {
    struct manager *manager;
    char id[CONVERSATION_SIZE];
};

void close_forget(struct manager *manager, struct str id)
{
    struct talk *talk = roster_find(manager->roster, id);
    struct desk *desk;

    if (talk == NULL)
        return;
    desk = desk_of(manager, talk);
    if (desk != NULL)
        desk_close(desk);
    roster_remove(manager->roster, talk);
    manager_advance(manager);
}

static void on_ended(void *owner, const struct redis_answer *answer)
{
    struct closing *closing = owner;
    struct manager *manager = closing->manager;
    struct str word;

    if (answer->outcome == REDIS_OK) {
        word = redis_item_text(answer->value, 0);
        if (str_is(word, "STALE"))
            leader_stale(&manager->leader);
        else
            close_forget(manager, str_of(closing->id));
    } else if (answer->outcome == REDIS_REFUSED) {
        log_error("close",
                  "ending was refused, the next look tries again "
                  "conversation=%s reason=%s",
                  closing->id, log_safe(answer->value->text));
    }
    free(closing);
}

void close_now(struct manager *manager, const struct close_order *order)
{
    struct closing *closing = x_malloc(sizeof *closing);
    const char *shard_keys[] = {"events", "due", "epoch"};
    char keys[5][KEY_SIZE];
    struct words words = {0};

    closing->manager = manager;
    fmt_into(closing->id, sizeof closing->id, "%s", order->id);
    words_add(&words, key_make(&manager->keys, "conversation", order->id, keys[0]));
    for (size_t i = 0; i < 3; i++)
        words_add(&words, key_make(&manager->keys, shard_keys[i], NULL, keys[1 + i]));
    words_add(&words, key_lane(&manager->keys, "response",
                               order->lane == 0 ? 1 : order->lane, keys[4]));
    words_keys_end(&words);
    words_add(&words, str_of(order->id));
    words_add(&words, str_of(manager->leader.token));
    words_add(&words, str_of(order->reason));
    words_add(&words, str_of(order->summary));
    words_add(&words, order->entry);
    log_info("close", "ending conversation=%s reason=%s", order->id, order->reason);
    manager_eval(manager, SCRIPT_END, &words, on_ended, closing);
}

void close_failed(struct manager *manager, const char *id, const char *error,
                  const char *text)
{
    struct close_order order = {.id = id, .reason = "failed"};
    struct buf summary;

    buf_init(&summary, SUMMARY_MAX_BYTES);
    buf_add_text(&summary, "{\"error\":");
    json_write_text(&summary, error);
    buf_add_text(&summary, ",\"text\":");
    json_write_text(&summary, text);
    if (!buf_add_char(&summary, '}'))
        buf_clear(&summary); /* too long to tell: the log has it */
    order.summary = buf_text(&summary);
    close_now(manager, &order);
    buf_done(&summary);
}

/* order.c - see order.h. */
#include "cli/order.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "net/redis_sync.h"

enum { BLOCK_EXTRA_MS = 2000 };

struct waiting {
    int64_t now_us;
    char *answer;
};

static void on_time(void *owner, const struct redis_answer *answer)
{
    struct waiting *waiting = owner;

    if (answer->outcome == REDIS_OK)
        waiting->now_us = redis_item_i64(answer->value, 0, 0) * 1000000
                          + redis_item_i64(answer->value, 1, 0);
}

static void on_answer(void *owner, const struct redis_answer *answer)
{
    struct waiting *waiting = owner;
    struct str text;

    if (answer->outcome != REDIS_OK || answer->value->kind != REDIS_ARRAY)
        return; /* nil: nobody answered */
    text = redis_item_text(answer->value, 1);
    (void)snprintf(waiting->answer, COMMAND_ANSWER_SIZE, "%s", log_safe(text));
}

bool order_wait(struct loop *loop, struct redis *redis, const struct command_ask *ask,
                char ret_answer[COMMAND_ANSWER_SIZE], struct err *err)
{
    struct waiting waiting = {.answer = ret_answer};
    char id[COMMAND_ID_LETTERS + 1];
    char key[KEY_SIZE];
    char seconds[24];
    struct str time_words[] = {str_of("TIME")};
    struct str words[3];
    struct redis_call time = {
        .argc = 1, .argv = time_words, .on_answer = on_time, .owner = &waiting};
    struct redis_call wait = {.argc = 3,
                              .argv = words,
                              .on_answer = on_answer,
                              .owner = &waiting,
                              .timeout_ms = ask->valid_ms + BLOCK_EXTRA_MS};

    ret_answer[0] = '\0';
    if (!redis_sync_call(loop, redis, &time, err)
        || !command_send(redis, ask, waiting.now_us, id, err))
        return false;
    fmt_into(seconds, sizeof seconds, "%.3f", (double)ask->valid_ms / 1e3);
    words[0] = str_of("BLPOP");
    words[1] = key_make(ask->keys, "answer", id, key);
    words[2] = str_of(seconds);
    if (!redis_sync_call(loop, redis, &wait, err))
        return false;
    if (ret_answer[0] == '\0' && redis_refusal(redis) != NULL)
        return err_set(err, ERR_TIMEOUT,
                       "Redis refuses writes, so the command was not given: %s",
                       redis_refusal(redis));
    if (ret_answer[0] == '\0')
        return err_set(
            err, ERR_TIMEOUT,
            "no manager has answered within %lld s: the command is void. Is one "
            "running on this shard (parley status, parley manager)?",
            (long long)(ask->valid_ms / 1000));
    return true;
}

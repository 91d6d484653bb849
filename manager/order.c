/* order.c - see order.h. */
#include "manager/order.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "manager/close.h"
#include "manager/manager.h"
#include "proto/schema.h"
#include "proto/wish.h"
#include "scripts/scripts.h"

void order_free(struct order *order)
{
    if (order->wish != NULL)
        wish_done(order->wish);
    free(order->wish);
    free(order->args);
    free(order);
}

static void copy(char to[ORDER_FIELD_SIZE], struct str from)
{
    (void)snprintf(to, ORDER_FIELD_SIZE, "%.*s", (int)from.len,
                   from.at); /* cut: then unknown */
}

struct order *order_new(struct manager *manager, struct str entry,
                        const struct redis_value *fields)
{
    struct order *order = x_calloc(1, sizeof *order);
    struct str args = redis_field(fields, "args");

    order->manager = manager;
    copy(order->entry, entry);
    copy(order->command, redis_field(fields, "id"));
    copy(order->what, redis_field(fields, "command"));
    copy(order->conversation, redis_field(fields, "conversation"));
    copy(order->valid_until, redis_field(fields, "valid_until"));
    order->args = x_memdup(args.at, args.len);
    return order;
}

struct str order_key(struct order *order, const char *what, bool own,
                     char key[KEY_SIZE])
{
    return key_make(&order->manager->keys, what, own ? order->conversation : NULL, key);
}

struct str order_answer_key(struct order *order, char key[KEY_SIZE])
{
    return key_make(&order->manager->keys, "answer", order->command, key);
}

/* The five arguments that all command scripts begin with. */
void order_add_args(struct order *order, struct words *words)
{
    words_add(words, str_of(order->conversation));
    words_add(words, str_of(order->manager->leader.token));
    words_add(words, str_of(order->entry));
    words_add(words, str_of(order->command));
    words_add(words, str_of(order->valid_until));
}

bool order_answered(struct order *order, const struct redis_answer *answer)
{
    struct str word;

    if (answer->outcome == REDIS_REFUSED)
        log_warn("control", "refused by Redis command=%s reason=%s", order->what,
                 log_safe(answer->value->text));
    if (answer->outcome != REDIS_OK)
        return false;
    word = redis_item_text(answer->value, 0);
    log_info("control", "command=%s conversation=%s answer=%s", order->what,
             order->conversation, log_safe(word));
    if (str_is(word, "STALE"))
        leader_stale(&order->manager->leader);
    return !str_is(word, "STALE");
}

void order_done(void *owner, const struct redis_answer *answer)
{
    struct order *order = owner;

    if (order_answered(order, answer)
        && (str_is(redis_item_text(answer->value, 1), "ended")
            || str_is(redis_item_text(answer->value, 0), "GONE")))
        close_forget(order->manager, str_of(order->conversation));
    order_free(order);
}

void order_refuse(struct order *order, const char *why)
{
    char keys[3][KEY_SIZE];
    struct words words = {0};

    log_warn("control", "a command makes no sense command=%s why=%s", order->what,
             log_safe(str_of(why)));
    words_add(&words, order_key(order, "epoch", false, keys[0]));
    words_add(&words, order_key(order, "control", false, keys[1]));
    words_add(&words, order_answer_key(order, keys[2]));
    words_keys_end(&words);
    words_add(&words, str_of(order->manager->leader.token));
    words_add(&words, str_of(order->entry));
    words_add(&words, str_of(why));
    manager_eval(order->manager, SCRIPT_REFUSE, &words, order_done, order);
}

/* A member of the arguments, copied; "true" for a true one, "" when there is none. */
void order_argument(const struct order *order, const char *name,
                    char value[ORDER_FIELD_SIZE])
{
    struct err ignored;
    json_t *document = NULL;
    const char *found = NULL;

    if (order->args[0] != '\0' && json_read(str_of(order->args), &document, &ignored))
        found = json_is_true(json_object_get(document, name))
                    ? "true"
                    : json_string_value(json_object_get(document, name));
    copy(value, str_of(found));
    json_decref(document);
}

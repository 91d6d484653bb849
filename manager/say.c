/* say.c - see say.h. */
#include "manager/say.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/log.h"
#include "manager/manager.h"
#include "manager/order.h"
#include "proto/message.h"
#include "proto/schema.h"
#include "scripts/command.h"
#include "scripts/scripts.h"

enum { NUMBER_SIZE = 24, TRIES_MAX = 8 };

struct saying {
    struct order *order; /* owned */
    enum message_kind kind;
    int64_t seat; /* 0: all */
    char *text;   /* owned */
    int tries;
};

static void saying_free(struct saying *saying)
{
    order_free(saying->order);
    free(saying->text);
    free(saying);
}

static void refuse(struct saying *saying, const char *why)
{
    struct order *order = saying->order;

    free(saying->text);
    free(saying);
    order_refuse(order, why);
}

/* ---- what is to be said ---- */

/* NULL: it makes sense. Else why it does not. */
static const char *read_document(struct saying *saying, const json_t *document)
{
    const char *kind = json_string_value(json_object_get(document, "kind"));
    const json_t *seat = json_object_get(document, "seat");
    const json_t *text = json_object_get(document, "text");
    bool is_event = kind != NULL && strcmp(kind, "event") == 0;

    if (!is_event && (kind == NULL || strcmp(kind, "whisper") != 0))
        return "its kind is neither event nor whisper";
    if (is_event && seat != NULL && !json_is_null(seat))
        return "an event has no seat: all see it";
    if (!is_event
        && (json_integer_value(seat) < 1 || json_integer_value(seat) > SEATS_MAX))
        return "a whisper needs the seat it is for";
    if (json_string_length(text) == 0)
        return "there is nothing to say";
    if (json_string_length(text) > COMMAND_SAID_MAX_BYTES)
        return "that is too much to say at once";
    saying->kind = is_event ? MESSAGE_EVENT : MESSAGE_WHISPER;
    saying->seat = is_event ? 0 : json_integer_value(seat);
    saying->text = x_strdup(json_string_value(text));
    return NULL;
}

static const char *read_args(struct saying *saying)
{
    struct err ignored; /* where it is no JSON is of no use to who sent it */
    json_t *document = NULL;
    const char *why;

    if (saying->order->command[0] == '\0')
        return "it has no id";
    if (!json_read(str_of(saying->order->args), &document, &ignored))
        return "its arguments are no JSON";
    why = read_document(saying, document);
    json_decref(document);
    return why;
}

static bool write_message(const struct saying *saying, int64_t number, struct buf *into)
{
    struct order *order = saying->order;
    struct message message;
    bool ok;

    message_init(&message, saying->kind);
    message.queue_timestamp_us = redis_clock_now_us(&order->manager->clock);
    message.message_id = x_printf("%s:%s:%lld", order->conversation,
                                  message_kind_name(saying->kind), (long long)number);
    message.conversation_id = x_strdup(order->conversation);
    message.text = x_strdup(saying->text);
    if (saying->seat > 0) {
        message.to = x_calloc(1, sizeof *message.to);
        message.to[0] = (int)saying->seat;
        message.to_count = 1;
    }
    ok = message_format(&message, into);
    message_done(&message);
    return ok;
}

/* ---- putting it in ---- */

static void ask_number(struct saying *saying);

static void on_put(void *owner, const struct redis_answer *answer)
{
    struct saying *saying = owner;
    bool is_taken = order_answered(saying->order, answer)
                    && str_is(redis_item_text(answer->value, 0), "NO")
                    && str_is(redis_item_text(answer->value, 1), "number");

    if (is_taken && ++saying->tries < TRIES_MAX)
        ask_number(saying);
    else
        saying_free(saying); /* not settled: it stays pending, the sweep brings it */
}

static void put(struct saying *saying, int64_t number)
{
    struct order *order = saying->order;
    char keys[5][KEY_SIZE];
    char numbers[2][NUMBER_SIZE];
    struct words words = {0};
    struct buf message;

    buf_init(&message, MESSAGE_MAX_BYTES);
    if (!write_message(saying, number, &message)) {
        buf_done(&message);
        refuse(saying, "that is too much to say at once");
        return;
    }
    fmt_into(numbers[0], NUMBER_SIZE, "%lld", (long long)number);
    fmt_into(numbers[1], NUMBER_SIZE, "%lld", (long long)saying->seat);
    words_add(&words, order_key(order, "conversation", true, keys[0]));
    words_add(&words, order_key(order, "transcript", true, keys[1]));
    words_add(&words, order_key(order, "events", false, keys[2]));
    words_add(&words, order_key(order, "control", false, keys[3]));
    words_add(&words, order_answer_key(order, keys[4]));
    words_keys_end(&words);
    words_add(&words, str_of(order->conversation));
    words_add(&words, str_of(order->entry));
    words_add(&words, str_of(order->command));
    words_add(&words, str_of(order->valid_until));
    words_add(&words, str_of(numbers[0]));
    words_add(&words, str_of(message_kind_name(saying->kind)));
    words_add(&words, str_of(saying->seat > 0 ? numbers[1] : ""));
    words_add(&words, buf_str(&message));
    manager_eval(order->manager, SCRIPT_SAY, &words, on_put, saying);
    buf_done(&message);
}

/* Where it is not there, the script says so. */
static void on_number(void *owner, const struct redis_answer *answer)
{
    struct saying *saying = owner;

    if (answer->outcome != REDIS_OK)
        saying_free(saying); /* it stays pending: the next sweep takes it again */
    else if (saying->seat > redis_item_i64(answer->value, 1, SEATS_MAX))
        refuse(saying, "it has no such seat");
    else
        put(saying, redis_item_i64(answer->value, 0, 0) + 1);
}

static void ask_number(struct saying *saying)
{
    char key[KEY_SIZE];
    struct words words = {0};

    words_add(&words, str_of("HMGET"));
    words_add(&words, order_key(saying->order, "conversation", true, key));
    words_add(&words, str_of("said"));
    words_add(&words, str_of("seats"));
    manager_send(saying->order->manager, &words, on_number, saying);
}

void say_command(struct order *order_take)
{
    struct saying *saying = x_calloc(1, sizeof *saying);
    const char *why;

    saying->order = order_take;
    why = read_args(saying);
    if (why != NULL)
        refuse(saying, why);
    else
        ask_number(saying);
}

/* order.c - see order.h. */
#include "observer/source/order.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "scripts/command.h"

static const struct {
    const char *command;
    const char *args;
    const char *question; /* %s: the conversation, or the record */
} kinds[ORDER_KIND_COUNT] = {
    [ORDER_PAUSE] = {"pause", "", "Pause %s? The turn being spoken is finished."},
    [ORDER_RESUME] = {"resume", "", "Let %s go on?"},
    [ORDER_STOP] = {"stop", "{\"mode\":\"now\"}",
                    "Stop %s at once? The turn being spoken is dropped."},
    [ORDER_STOP_AFTER_TURN] = {"stop", "{\"mode\":\"grace\"}",
                               "Stop %s after the turn being spoken?"},
    [ORDER_SAY] = {"say", "", "Say this in %s?"},
    [ORDER_INJECT] = {"say", "", "Let this happen in %s?"},
    [ORDER_RETRY] = {"retry", "", "Ask again for the turn given up of %s?"},
    [ORDER_DROP] = {"drop", "", "Drop the record %s? Its turn cannot be retried then."},
};

const char *order_command(enum order_kind kind)
{
    return kinds[kind].command;
}

void order_question(const struct order *order, char ret_text[ORDER_QUESTION_SIZE])
{
    const char *form = kinds[order->kind].question;
    const char *hole = strstr(form, "%s");
    const char *what = order->kind == ORDER_DROP ? order->record : order->conversation;

    (void)snprintf(ret_text, ORDER_QUESTION_SIZE, "%.*s%s%s", (int)(hole - form), form,
                   log_safe(str_of(what)), hole + 2); /* cut: ids are short */
}

bool order_args(const struct order *order, struct buf *into, struct err *err)
{
    struct str conversation = str_of(order->conversation);

    if (order->kind != ORDER_DROP && !conversation_id_valid(conversation))
        return err_set(err, ERR_USAGE, "'%.60s' is not a conversation's id",
                       log_safe(conversation));
    switch (order->kind) {
    case ORDER_SAY:
        return command_say_args(order->seat, order->text, into, err);
    case ORDER_INJECT:
        return command_say_args(0, order->text, into, err);
    case ORDER_RETRY:
    case ORDER_DROP:
        return command_record_args(str_of(order->record), into, err);
    default:
        return buf_add_text(into, kinds[order->kind].args)
               || err_set(err, ERR_LIMIT, "the command is too long");
    }
}

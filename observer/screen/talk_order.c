/* talk_order.c - commands to the fleet from a talk's screen: what is asked first. See
 * talk_inside.h.
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "observer/screen/talk_inside.h"
#include "observer/source/source.h"

enum { LABEL_SIZE = 96 };

static bool can_command(const struct talk_screen *screen)
{
    return !screen->host->read_only && screen->source->ops->command != NULL;
}

static void begin(struct talk_screen *screen, enum order_kind kind)
{
    screen->order = (struct order){.kind = kind};
    fmt_into(screen->order.conversation, sizeof screen->order.conversation, "%s",
             screen->talk->id);
}

static void confirm(struct talk_screen *screen, enum order_kind kind)
{
    char question[ORDER_QUESTION_SIZE];

    begin(screen, kind);
    order_question(&screen->order, question);
    screen->host->ask_yes(screen->host->owner, PROMPT_CONFIRM, question);
}

/* To the persona whose turn is selected. */
static void ask_words(struct talk_screen *screen, enum order_kind kind)
{
    const struct talk_line *line = talk_view_selected(&screen->view);
    struct buf label;

    begin(screen, kind);
    buf_init(&label, LABEL_SIZE - 1);
    if (kind == ORDER_SAY && line != NULL && line->seat > 0) {
        screen->order.seat = line->seat;
        (void)buf_add_text(&label, "say to ");
        talk_name(screen->talk, line->seat, &label);
        (void)buf_add_text(&label, ": ");
    } else {
        (void)buf_add_text(&label,
                           kind == ORDER_SAY ? "say to all: " : "what happens: ");
    }
    screen->host->ask_line(screen->host->owner,
                           kind == ORDER_SAY ? PROMPT_SAY : PROMPT_INJECT,
                           buf_text(&label), str_of(""));
    buf_done(&label);
}

bool talk_order_act(struct talk_screen *screen, enum action action)
{
    if (!can_command(screen))
        return false;
    switch (action) {
    case ACTION_PAUSE:
        confirm(screen, ORDER_PAUSE);
        return true;
    case ACTION_RESUME:
        confirm(screen, ORDER_RESUME);
        return true;
    case ACTION_STOP:
        confirm(screen, ORDER_STOP);
        return true;
    case ACTION_SAY:
        ask_words(screen, ORDER_SAY);
        return true;
    case ACTION_INJECT:
        ask_words(screen, ORDER_INJECT);
        return true;
    default:
        return false;
    }
}

static void send(struct talk_screen *screen)
{
    const struct source *source = screen->source;
    struct err err = {0};

    if (!can_command(screen))
        return;
    if (!source->ops->command(source->self, &screen->order, &err))
        screen->host->notice(screen->host->owner, PEN_BAD, err.msg);
}

void talk_order_prompted(struct talk_screen *screen, enum prompt_kind kind,
                         struct str text)
{
    char question[ORDER_QUESTION_SIZE];

    if (kind == PROMPT_CONFIRM) {
        send(screen);
        return;
    }
    text = str_trim(text);
    if ((kind != PROMPT_SAY && kind != PROMPT_INJECT) || text.len == 0)
        return;
    free(screen->said);
    screen->said = x_memdup(text.at, text.len);
    screen->order.text = str_make(screen->said, text.len);
    order_question(&screen->order, question);
    screen->host->ask_yes(screen->host->owner, PROMPT_CONFIRM, question);
}

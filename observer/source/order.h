/* order.h - a command to the fleet as the observer's screens ask for it: what it is, in
 * which words the user is asked first, and how it becomes a command of K:control. Pure.
 */
#ifndef PARLEY_OBSERVER_ORDER_H
#define PARLEY_OBSERVER_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "proto/keys.h"

enum order_kind {
    ORDER_PAUSE,
    ORDER_RESUME,
    ORDER_STOP,            /* at once: the turn in flight is dropped */
    ORDER_STOP_AFTER_TURN, /* with the grace */
    ORDER_SAY,             /* text; to a seat: a whisper; to none: all hear it */
    ORDER_INJECT,          /* text: a stage direction all see */
    ORDER_RETRY,           /* record: a turn given up is asked for again */
    ORDER_DROP,            /* record */
    ORDER_KIND_COUNT
};

enum { ORDER_RECORD_SIZE = 64, ORDER_QUESTION_SIZE = 160 };

struct order {
    enum order_kind kind;
    char conversation[CONVERSATION_SIZE]; /* ORDER_DROP: may be "" */
    int64_t seat;                         /* ORDER_SAY; 0: all */
    struct str text;                      /* borrowed; ORDER_SAY, ORDER_INJECT */
    char record[ORDER_RECORD_SIZE];       /* ORDER_RETRY, ORDER_DROP */
};

/* "pause", "stop", ...: the command in K:control. */
const char *order_command(enum order_kind kind);
/* What is asked before it is carried out: "Stop k3v9q2m4x7ab at once? The turn being
 * spoken is dropped." Harmless. */
void order_question(const struct order *order, char ret_text[ORDER_QUESTION_SIZE]);
/* Its arguments as JSON, nothing for those without. ERR_USAGE, in words for people: no
 * such conversation's id, nothing to say, no UTF-8. */
MUST_USE bool order_args(const struct order *order, struct buf *into, struct err *err);

#endif

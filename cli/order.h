/* order.h - commands to a fleet, answered: for short-lived programs. */
#ifndef PARLEY_ORDER_H
#define PARLEY_ORDER_H

#include <stdbool.h>

#include "base/err.h"
#include "scripts/command.h"

struct loop;
struct redis;

/* Sends the command and waits for the answer: "OK k3v9q2m4x7ab", "NO ended", as it
 * came, made harmless. ERR_TIMEOUT when no manager took it in time (it is void then);
 * where Redis refuses what a command needs, err says that instead. */
MUST_USE bool order_wait(struct loop *loop, struct redis *redis,
                         const struct command_ask *ask,
                         char ret_answer[COMMAND_ANSWER_SIZE], struct err *err);

#endif

/* order.h - commands to a fleet through K:control, for short-lived programs. */
#ifndef PARLEY_ORDER_H
#define PARLEY_ORDER_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/keys.h"

struct loop;
struct redis;

enum { ORDER_ID_LETTERS = 16, ORDER_ANSWER_SIZE = 320 };

struct order_ask {
    const struct keys *keys;
    const char *command; /* "start", "stop", "pause", "resume", "retry", "drop" */
    const char *conversation;
    struct str args;  /* JSON, "" none */
    int64_t valid_ms; /* how long the command is good for */
};
/* Writes the command; its id into ret_id. The argv of the XADD is sent `again`: the
 * scripts know a command that comes twice by its id. */
MUST_USE bool order_send(struct redis *redis, const struct order_ask *ask,
                         int64_t now_us, char ret_id[ORDER_ID_LETTERS + 1],
                         struct err *err);
/* As order_send, then waits for the answer: "OK k3v9q2m4x7ab", "NO ended". ERR_TIMEOUT
 * when no manager took it in time (it is void then). */
MUST_USE bool order_wait(struct loop *loop, struct redis *redis,
                         const struct order_ask *ask,
                         char ret_answer[ORDER_ANSWER_SIZE], struct err *err);

#endif

/* live_order.h - carries the user's commands to the fleet's manager through K:control,
 * and its answers back in words.
 *
 * The answer is looked for several times a second until a moment after the command has
 * become void; then it is told that no manager took it. It is read, not taken: it
 * expires by itself.
 *
 * Flow: live_order_give -> XADD -> on_tick: LRANGE K:answer:<id> -> told, once
 */
#ifndef PARLEY_LIVE_ORDER_H
#define PARLEY_LIVE_ORDER_H

#include <stdbool.h>

#include "base/err.h"

struct keys;
struct live_orders; /* opaque: the body is in live_order.c */
struct loop;
struct order;
struct redis;
struct redis_clock;

enum { LIVE_ORDERS_MAX = 32 };

struct live_orders_options {
    struct loop *loop;               /* all borrowed while it lives */
    struct redis *redis;             /* the connection for questions */
    const struct redis_clock *clock; /* started */
    const struct keys *keys;
    /* How a command ended: "k3v9q2m4x7ab is paused". Once for each, from the loop. */
    void (*on_answer)(void *owner, bool done, const char *text);
    void *owner;
};

/* The caller owns it (live_orders_free), and frees it before the connection. */
struct live_orders *live_orders_new(const struct live_orders_options *options);
void live_orders_free(struct live_orders *orders); /* nothing is told any more */
/* False, and nothing was asked: it makes no sense (ERR_USAGE), Redis is not there
 * (ERR_REDIS), or LIVE_ORDERS_MAX wait for their answers (ERR_LIMIT). */
MUST_USE bool live_order_give(struct live_orders *orders, const struct order *order,
                              struct err *err);

#endif

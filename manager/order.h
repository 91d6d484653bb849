/* order.h - a command from K:control on its way through its script.
 *
 * Flow: order_new -> script -> order_answered -> order_free, or order_refuse
 */
#ifndef PARLEY_MANAGER_ORDER_H
#define PARLEY_MANAGER_ORDER_H

#include <stdbool.h>

#include "base/str.h"
#include "proto/keys.h"

struct manager;
struct redis_answer;
struct redis_value;
struct wish;
struct words;

enum { ORDER_FIELD_SIZE = 64 };

struct order {
    struct manager *manager;
    char entry[ORDER_FIELD_SIZE];
    char command[ORDER_FIELD_SIZE]; /* its id */
    char what[ORDER_FIELD_SIZE];    /* "start", ... */
    char conversation[ORDER_FIELD_SIZE];
    char valid_until[ORDER_FIELD_SIZE]; /* µs */
    char *args;                         /* owned, JSON or "" */
    struct wish *wish;                  /* owned: of a start */
};

struct order *order_new(struct manager *manager, struct str entry,
                        const struct redis_value *fields);
void order_free(struct order *order);
/* A key of the shard, or (own) of its conversation. */
struct str order_key(struct order *order, const char *what, bool own,
                     char key[KEY_SIZE]);
struct str order_answer_key(struct order *order, char key[KEY_SIZE]);
/* The five arguments that the leader's command scripts begin with. */
void order_add_args(struct order *order, struct words *words);
/* A string among its arguments, copied; "true" for a true one, "" when there is none.
 */
void order_argument(const struct order *order, const char *name,
                    char value[ORDER_FIELD_SIZE]);
/* Tells the log. False: the script did not run, or we lead no longer. */
bool order_answered(struct order *order, const struct redis_answer *answer);
/* A script's answer is the end of it: a conversation that is over is forgotten. */
void order_done(void *owner, const struct redis_answer *answer);
/* It makes no sense: acked, and answered so. The order is not the caller's any more. */
void order_refuse(struct order *order, const char *why);

#endif

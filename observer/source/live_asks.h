/* live_asks.h - questions to Redis with what each is about, kept in order until they
 * are answered: a connection answers in the order of asking.
 */
#ifndef PARLEY_LIVE_ASKS_H
#define PARLEY_LIVE_ASKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "proto/keys.h"

struct redis;
struct redis_answer;

struct live_ask {
    unsigned kind;              /* the asker's own */
    int64_t number;             /* the same */
    char id[CONVERSATION_SIZE]; /* a conversation, or "" */
};

enum { LIVE_ASKS_MAX = 4096 };

struct live_asks {
    struct redis *redis; /* borrowed */
    void (*on_answer)(void *owner, const struct live_ask *ask,
                      const struct redis_answer *answer);
    void *owner;
    struct live_ask *ring; /* owned */
    size_t capacity;
    size_t first;
    size_t count; /* not answered yet */
};

/* The caller fills in redis, on_answer and owner; all else is zero. */
void live_asks_done(struct live_asks *asks); /* no answer comes any more */
/* False, and no answer, when LIVE_ASKS_MAX are outstanding or the connection takes no
 * more. */
bool live_asks_send(struct live_asks *asks, const struct live_ask *ask,
                    const struct str *words, size_t count);

#endif

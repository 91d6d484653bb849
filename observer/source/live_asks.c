/* live_asks.c - see live_asks.h. */
#include "observer/source/live_asks.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "net/redis.h"

enum { ASKS_FIRST = 64 };

void live_asks_done(struct live_asks *asks)
{
    if (asks->redis != NULL)
        redis_forget(asks->redis, asks);
    free(asks->ring);
    asks->ring = NULL;
    asks->capacity = asks->first = asks->count = 0;
}

static void on_answer(void *owner, const struct redis_answer *answer)
{
    struct live_asks *asks = owner;
    struct live_ask ask;

    assert(asks->count > 0);
    ask = asks->ring[asks->first];
    asks->first = (asks->first + 1) % asks->capacity;
    asks->count--;
    asks->on_answer(asks->owner, &ask, answer);
}

static void grow(struct live_asks *asks)
{
    size_t capacity = asks->capacity == 0 ? ASKS_FIRST : asks->capacity * 2;
    struct live_ask *ring = x_calloc(capacity, sizeof *ring);

    for (size_t i = 0; i < asks->count; i++)
        ring[i] = asks->ring[(asks->first + i) % asks->capacity];
    free(asks->ring);
    asks->ring = ring;
    asks->capacity = capacity;
    asks->first = 0;
}

bool live_asks_send(struct live_asks *asks, const struct live_ask *ask,
                    const struct str *words, size_t count)
{
    struct redis_call call = {
        .argc = count, .argv = words, .on_answer = on_answer, .owner = asks};

    if (asks->count == LIVE_ASKS_MAX || !redis_send(asks->redis, &call))
        return false;
    if (asks->count == asks->capacity)
        grow(asks);
    asks->ring[(asks->first + asks->count) % asks->capacity] = *ask;
    asks->count++;
    return true;
}

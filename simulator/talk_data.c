/* talk_data.c - see talk_data.h: which list is where. */
#include "simulator/talk_data.h"

#include <assert.h>

#include "simulator/talk_lists.h"

const struct pool *pool_get(enum pool_id id)
{
    const struct pool *pool = NULL;

    assert(id < POOL_COUNT);
    pool = id < POOL_PROBE ? &talk_moves[id] : &talk_bodies[id - POOL_PROBE];
    assert(pool->count > 0);
    return pool;
}

const struct pool *pool_words(struct str name)
{
    for (size_t i = 0; i < talk_word_list_count; i++)
        if (str_is(name, talk_word_lists[i].name))
            return &talk_word_lists[i].words;
    return NULL;
}

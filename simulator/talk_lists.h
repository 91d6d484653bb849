/* talk_lists.h - the lists behind talk_data.c, one file of data each. */
#ifndef PARLEY_TALK_LISTS_H
#define PARLEY_TALK_LISTS_H

#include "simulator/talk_data.h"

extern const struct pool talk_moves[POOL_PROBE];               /* talk_moves.c */
extern const struct pool talk_bodies[POOL_COUNT - POOL_PROBE]; /* talk_bodies.c */

struct word_list {
    const char *name;
    struct pool words;
};
extern const struct word_list talk_word_lists[]; /* talk_words.c */
extern const size_t talk_word_list_count;

#endif

/* cache.h - how much of the prompts the servers had in their caches. Pure.
 *
 * Where a server tells, its count is taken. Where it does not, an estimate: a persona's
 * next prompt begins with its last one and what it answered, so that
 * min(prompt, last prompt + last reply) tokens may have been there; sums of tokens, not
 * means of ratios. The estimate knows nothing of what a server threw away: it is the
 * most a prefix cache could have held.
 */
#ifndef PARLEY_CACHE_H
#define PARLEY_CACHE_H

#include <stdint.h>

struct message;

/* turns: with a count or an estimate. */
struct cache_sum {
    int64_t turns;
    int64_t prompt_tokens;
    int64_t cached_tokens;
};
struct cache {
    struct cache_sum server;    /* told by servers */
    struct cache_sum estimated; /* worked out */
    int64_t missing;            /* turns of which neither is known */
    struct cache_seat *seats;   /* owned: what came last; the most recent ones */
};

void cache_init(struct cache *cache);
void cache_done(struct cache *cache);
/* Turns of a conversation in their order. */
void cache_turn(struct cache *cache, const struct message *turn);
/* Share of the prompt tokens that were cached, NAN without any. */
double cache_share(const struct cache_sum *sum);

#endif

/* cache.c - see cache.h. The last turn of a seat is kept in a table in which a place is
 * taken over by whoever comes later: then one estimate is missing, and counted so.
 */
#include "analyzer/cache.h"

#include <math.h>
#include <stdlib.h>

#include "analyzer/group.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "proto/message.h"

enum { SEATS_KEPT = 1 << 15, PLACES = 8 };

struct cache_seat {
    uint64_t whose; /* hash of conversation and seat, 0 nobody's */
    int64_t tokens; /* its last prompt and reply, -1 unknown */
};

void cache_init(struct cache *cache)
{
    *cache = (struct cache){.missing = 0};
    cache->seats = x_calloc(SEATS_KEPT, sizeof *cache->seats);
}

void cache_done(struct cache *cache)
{
    free(cache->seats);
}

static void add(struct cache_sum *sum, int64_t prompt, int64_t cached)
{
    sum->turns++;
    add_known(&sum->prompt_tokens, prompt);
    add_known(&sum->cached_tokens, cached < prompt ? cached : prompt);
}

/* The place that is the seat's, a free one, or where neither is near, another's. */
static struct cache_seat *place_of(struct cache *cache, uint64_t whose)
{
    for (uint64_t i = 0; i < PLACES; i++) {
        struct cache_seat *seat = &cache->seats[(whose + i) % SEATS_KEPT];

        if (seat->whose == whose || seat->whose == 0)
            return seat;
    }
    return &cache->seats[whose % SEATS_KEPT];
}

/* What the seat's last prompt and reply came to, -1 unknown; this turn takes their
 * place. */
static int64_t last_tokens(struct cache *cache, const struct message *turn)
{
    uint64_t whose = rng_hash((uint64_t)turn->seat, str_of(turn->conversation_id));
    struct cache_seat *seat = place_of(cache, whose);
    int64_t last = seat->whose == whose ? seat->tokens : -1;
    bool known = turn->prompt_tokens >= 0 && turn->tokens_generated >= 0
                 && turn->prompt_tokens <= INT64_MAX / 2
                 && turn->tokens_generated <= INT64_MAX / 2;

    *seat = (struct cache_seat){
        whose, known ? turn->prompt_tokens + turn->tokens_generated : -1};
    return last;
}

/* A seat's first turn finds nothing of its own in a cache: an estimate of 0 is one. */
void cache_turn(struct cache *cache, const struct message *turn)
{
    int64_t last = last_tokens(cache, turn);

    if (turn->prompt_tokens < 0) {
        cache->missing++;
        return;
    }
    if (turn->sequence_number <= turn->seat && last < 0)
        last = 0;
    if (turn->prompt_cached_tokens >= 0)
        add(&cache->server, turn->prompt_tokens, turn->prompt_cached_tokens);
    else if (last >= 0)
        add(&cache->estimated, turn->prompt_tokens, last);
    else
        cache->missing++;
}

double cache_share(const struct cache_sum *sum)
{
    return sum->prompt_tokens <= 0
               ? (double)NAN
               : (double)sum->cached_tokens / (double)sum->prompt_tokens;
}

/* calls.h - what the record of calls says: how the calls ended, what was wasted, what
 * it cost. Pure.
 *
 * Wasted is a call that ended otherwise than done: whatever it read and said is in no
 * message. What its server did not count is not known, and told as such.
 */
#ifndef PARLEY_CALLS_H
#define PARLEY_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/word.h"
#include "base/str.h"

enum { WASTE_REASONS_MAX = 32, COST_ROWS_MAX = 256 };

/* One record, as schemas/call.schema.json has it; -1 and empty texts: unknown. */
struct call {
    struct str id;
    struct str outcome; /* "done", "failed", "cancelled", "lost" */
    struct str error;
    struct str conversation;
    struct str provider;
    struct str model;
    int64_t turn; /* -1: a story's */
    int64_t seat;
    int64_t started_us; /* wall clock */
    int64_t ended_us;
    double first_token_ms;
    int64_t tokens_generated;
    int64_t prompt_tokens;
    int64_t prompt_cached_tokens;
    double cost;
};

/* Calls that were for nothing, for one reason. */
struct waste {
    char reason[WORD_SIZE]; /* "cancelled", "lost", or the error: "timeout"; harmless */
    int64_t calls;
    int64_t without_counts;   /* of them; their tokens are not known */
    int64_t tokens_generated; /* sums of what is known, -1 nothing is */
    int64_t prompt_tokens;
};
struct call_cost {
    char *provider; /* owned, NULL unknown */
    char *model;
    int64_t calls;
    int64_t without_cost; /* of them */
    double cost;          /* of the others; -1 none is known */
};
struct calls {
    int64_t ended; /* this and the next two: -1 there is no record */
    int64_t failed;
    int64_t cancelled;
    int64_t lost;
    int64_t preparing; /* of them for stories and personas */
    struct waste wasted;
    struct waste
        reasons[WASTE_REASONS_MAX]; /* the last one, "others", takes the rest */
    size_t reason_count;
    struct call_cost total_cost;
    struct call_cost costs[COST_ROWS_MAX]; /* by model; the last one takes the rest */
    size_t cost_count;
    struct recent *ids;
    struct recent *lost_ids; /* NULL until there are any */
};

void calls_init(struct calls *calls);
void calls_done(struct calls *calls);
/* There is a record of calls, perhaps an empty one: 0 from now on, not unknown. */
void calls_expect(struct calls *calls);
/* A record may come twice: the second one with the same id does not count, and false is
 * returned; an empty id is nobody's second. That a call was lost is void where another
 * record, before or after, tells how it ended. */
bool calls_take(struct calls *calls, const struct call *call);

#endif

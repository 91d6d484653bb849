/* score.h - what the model calls of a fleet came to: by endpoint and model, and in all.
 * Pure: what a call told stands in struct score_call.
 *
 * Percentiles are those of base/stats.h, over the calls that were done.
 *
 * Flow: score_init -> score_take* -> score_finish -> rows and total are read
 */
#ifndef PARLEY_SCORE_H
#define PARLEY_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/stats.h"
#include "base/str.h"

/* One entry of K:calls. Counts -1 (or beyond all reason) and times NAN: not told. */
struct score_call {
    struct str endpoint;
    struct str model;
    struct str outcome; /* "done", "failed", "cancelled", "lost" */
    struct str error;   /* its kind */
    struct str route;   /* why it went there */
    int64_t attempt;    /* above 1: an extra call */
    int64_t prompt_tokens;
    int64_t cached_tokens;
    int64_t generated_tokens;
    double first_ms;
    double total_ms;
    double cost;
};

struct score_word {
    char word[32];
    int64_t count;
};
/* Words in the order they first came; what came after SCORE_WORDS_MAX others counts as
 * "other". */
enum { SCORE_WORDS_MAX = 32, SCORE_NAME_SIZE = 129, SCORE_ROWS_MAX = 256 };
struct score_words {
    struct score_word at[SCORE_WORDS_MAX];
    size_t count;
};
struct score_times {
    float *at; /* owned */
    size_t count;
    size_t capacity;
    struct stats stats; /* whole after score_finish */
};

struct score_row {
    char endpoint[SCORE_NAME_SIZE];
    char model[SCORE_NAME_SIZE];
    int64_t calls;
    int64_t done;
    int64_t failed;
    int64_t cancelled;
    int64_t lost;  /* their makers died */
    int64_t extra; /* further attempts at a turn */
    int64_t prompt_tokens;
    int64_t generated_tokens;
    int64_t cached_tokens;
    int64_t cached_of; /* prompt tokens of the calls whose cached ones were told */
    double cost;
    bool has_cost; /* some call had a price */
    struct score_times first_ms;
    struct score_times total_ms;
    struct score_words errors;
    struct score_words routes;
};
struct score {
    struct score_row *rows; /* owned; sorted by score_finish: endpoint, model */
    size_t count;
    struct score_row total;
};

void score_init(struct score *score);
void score_done(struct score *score);
/* The texts are untrusted: kept as they are, cut to SCORE_NAME_SIZE. From the row
 * SCORE_ROWS_MAX on, further pairs count as the endpoint "other". A lost call counts in
 * `total` alone: where it went is not known. */
void score_take(struct score *score, const struct score_call *call);
void score_finish(struct score *score);
/* Cached prompt tokens as a part of those they were told for; NAN when never told. */
double score_cache_hits(const struct score_row *row);

#endif

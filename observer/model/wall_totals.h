/* wall_totals.h - the figures above the wall's rows: how many in which state, what the
 * fleet does a second, its lanes.
 *
 * What happened is counted when a row is read again: the growth of its turns, tokens
 * and failures since its reading before. With rows read in turns this is right on
 * average, and late by the age of the values. Until all rows were read once there is no
 * rate.
 */
#ifndef PARLEY_WALL_TOTALS_H
#define PARLEY_WALL_TOTALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/model/wall_row.h"

enum { WALL_LANES = 16, WALL_SECONDS = 16, WALL_REDIS_SIZE = 256 };

struct wall_lane {
    int64_t lane;    /* from 1 */
    int64_t waiting; /* requests nobody took yet; -1 Redis cannot tell */
    int64_t pending; /* in the hands of workers */
    int64_t workers; /* alive */
};

struct wall_totals {
    int64_t states[WALL_STATE_COUNT]; /* rows in each */
    int64_t known;                    /* conversations in Redis; -1 not told */
    double turns_per_second;          /* all three -1: not known yet */
    double tokens_per_second;
    double failed_per_second; /* failed responses */
    int64_t failures;         /* failed responses of all rows */
    /* Tokens a second over the last seconds, the oldest first; sample_count of them. */
    double samples[WALL_SECONDS];
    unsigned sample_count;
    struct wall_lane lanes[WALL_LANES]; /* by number; lane 0: not told */
    bool redis_ok;
    char redis[WALL_REDIS_SIZE]; /* as it came; empty: not told */
};

/* Events of the last seconds, in buckets of one second; all zero is empty. */
struct wall_pace {
    int64_t second[WALL_SECONDS]; /* which second (since 1970) a bucket is of */
    int64_t turns[WALL_SECONDS];
    int64_t tokens[WALL_SECONDS];
    int64_t failures[WALL_SECONDS];
    int64_t since_us; /* counted from here on; 0: not begun */
};
void wall_pace_begin(struct wall_pace *pace, int64_t now_us);
void wall_pace_add(struct wall_pace *pace, int64_t now_us, int64_t turns,
                   int64_t tokens, int64_t failures);
/* Fills the three rates and the samples. The second that is going on does not count;
 * nor does a pace that has not begun. */
void wall_pace_tell(const struct wall_pace *pace, int64_t now_us,
                    struct wall_totals *totals);

#endif

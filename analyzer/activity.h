/* activity.h - what went on at the same time, over the time of a run: calls running,
 * turns and tokens a second, time to first token. Pure; memory does not grow.
 *
 * Fed with calls, or where there is no record of them with turns, roughly in the order
 * in which they ended. Tokens are dispersed: none while the prompt is read, then evenly
 * from the first token to the end (AIPerf's way), so that no bucket holds what was
 * generated in another.
 */
#ifndef PARLEY_ACTIVITY_H
#define PARLEY_ACTIVITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ACTIVITY_POINTS_MAX = 240 };

struct activity;

/* What ran from start to end. */
struct activity_call {
    int64_t start_us; /* wall clock */
    int64_t end_us;
    double first_token_ms; /* NAN unknown: then tokens are spread over all of it */
    int64_t tokens;        /* -1 unknown */
};
/* A stretch of time; NAN where nothing is known. */
struct activity_point {
    int64_t at_us; /* where it begins, wall clock */
    double concurrency;
    double turns_per_second;
    double tokens_per_second;
    double first_token_p50_ms; /* of the turns that were said in it */
};
struct activity_summary {
    double mean_concurrency;  /* busy time by wall time; NAN nothing ran */
    int64_t peak_concurrency; /* at one moment, ends before starts; 0 nothing ran */
    bool peak_approximate;    /* some call came too late for its place in time */
    double peak_tokens_per_second; /* of whole seconds; NAN no tokens known */
    int64_t first_us;              /* -1 nothing ran */
    int64_t last_us;
};

struct activity *activity_new(void);
void activity_free(struct activity *activity);
void activity_call(struct activity *activity, const struct activity_call *call);
/* A turn was said. */
void activity_turn(struct activity *activity, int64_t at_us, double first_token_ms);

struct activity_summary activity_summary(const struct activity *activity);
/* Points in the order of time, without gaps; returns how many. */
size_t activity_points(struct activity *activity,
                       struct activity_point ret_points[ACTIVITY_POINTS_MAX],
                       int64_t *ret_width_us);

#endif

/* activity.c - see activity.h.
 *
 * Time lies in at most POINTS_MAX buckets of equal width. What falls outside makes the
 * buckets twice as wide, two becoming one, until it falls inside: sums stay exact, and
 * at least half of the buckets are in use. The seconds of the peak lie in a ring of
 * their own.
 */
#include "analyzer/activity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/spread.h"
#include "analyzer/sweep.h"
#include "base/alloc.h"

enum {
    POINTS_MAX = ACTIVITY_POINTS_MAX,
    WIDTH_FIRST_US = 1000,
    FIRSTS_EXACT = 64,      /* times to first token kept as they are, a bucket */
    FIRSTS_BYTES = 2 << 20, /* for those of all buckets */
    SECONDS = 4096,         /* of the ring */
    SECOND_US = 1000000
};
static const int64_t TIME_MAX_US = INT64_C(1) << 60; /* the year 38,000 */

struct bucket {
    double busy_us; /* sum of what ran, each for its time in here */
    double tokens;
    int64_t turns;
    struct spread firsts; /* ms to the first token */
};
struct activity {
    struct bucket buckets[POINTS_MAX];
    size_t used; /* up to here something lies */
    int64_t origin_us;
    int64_t width_us;
    bool begun;
    bool tokens_known;
    struct ration ration;
    struct sweep *sweep;
    double busy_us; /* of all calls */
    int64_t calls;
    int64_t first_us;
    int64_t last_us;
    double seconds[SECONDS]; /* tokens of second s at s % SECONDS */
    int64_t newest_second;   /* the last one in the ring */
    double peak_tokens;      /* of those that have left it */
};

struct activity *activity_new(void)
{
    struct activity *activity = x_calloc(1, sizeof *activity);

    activity->width_us = WIDTH_FIRST_US;
    activity->ration =
        (struct ration){.left_bytes = FIRSTS_BYTES, .exact_max = FIRSTS_EXACT};
    activity->sweep = sweep_new();
    activity->first_us = activity->last_us = -1;
    activity->newest_second = -1;
    return activity;
}

void activity_free(struct activity *activity)
{
    if (activity == NULL)
        return;
    for (size_t i = 0; i < POINTS_MAX; i++)
        spread_done(&activity->buckets[i].firsts, &activity->ration);
    sweep_free(activity->sweep);
    free(activity);
}

/* ---- buckets ---- */

static void join(struct activity *activity, struct bucket *into, struct bucket *from)
{
    into->busy_us += from->busy_us;
    into->tokens += from->tokens;
    into->turns += from->turns;
    spread_merge(&into->firsts, &activity->ration, &from->firsts);
    spread_done(&from->firsts, &activity->ration);
    *from = (struct bucket){.turns = 0};
}

/* Two buckets become one. */
static void widen(struct activity *activity)
{
    struct bucket *buckets = activity->buckets;

    join(activity, &buckets[0], &buckets[1]);
    for (size_t i = 1; i < POINTS_MAX / 2; i++) {
        join(activity, &buckets[i], &buckets[2 * i]);
        join(activity, &buckets[i], &buckets[2 * i + 1]);
    }
    activity->used = (activity->used + 1) / 2;
    activity->width_us *= 2;
}

/* Puts so many empty buckets before the first; there must be room. */
static void move_back(struct activity *activity, size_t by)
{
    struct bucket *buckets = activity->buckets;

    memmove(buckets + by, buckets, activity->used * sizeof *buckets);
    for (size_t i = 0; i < by; i++)
        buckets[i] = (struct bucket){.turns = 0};
    activity->origin_us -= (int64_t)by * activity->width_us;
    activity->used += by;
}

static void reach_back(struct activity *activity, int64_t at_us)
{
    while (at_us < activity->origin_us) {
        int64_t by =
            (activity->origin_us - at_us + activity->width_us - 1) / activity->width_us;

        if (by <= (int64_t)(POINTS_MAX - activity->used))
            move_back(activity, (size_t)by);
        else
            widen(activity);
    }
}

/* Makes the buckets hold that time. */
static void reach(struct activity *activity, int64_t at_us)
{
    size_t at;

    if (!activity->begun)
        activity->origin_us = at_us - at_us % WIDTH_FIRST_US;
    activity->begun = true;
    reach_back(activity, at_us);
    while (at_us - activity->origin_us >= activity->width_us * POINTS_MAX)
        widen(activity);
    at = (size_t)((at_us - activity->origin_us) / activity->width_us);
    if (at >= activity->used)
        activity->used = at + 1;
}

static struct bucket *bucket_at(struct activity *activity, int64_t at_us)
{
    return &activity->buckets[(at_us - activity->origin_us) / activity->width_us];
}

/* Lays a span over the buckets, each gets its part of the time and the tokens. */
static void spread_over(struct activity *activity, int64_t from_us, int64_t to_us,
                        double busy, double tokens)
{
    double whole_us = (double)(to_us - from_us);

    while (from_us < to_us) {
        struct bucket *bucket = bucket_at(activity, from_us);
        int64_t past_us = from_us - activity->origin_us;
        int64_t end_us = from_us - past_us % activity->width_us + activity->width_us;
        double part_us = (double)((end_us < to_us ? end_us : to_us) - from_us);

        bucket->busy_us += busy * part_us;
        bucket->tokens += tokens * part_us / whole_us;
        from_us = end_us;
    }
}

/* ---- the ring of seconds ---- */

static void settle_second(struct activity *activity, int64_t second)
{
    double *tokens = &activity->seconds[second % SECONDS];

    if (*tokens > activity->peak_tokens)
        activity->peak_tokens = *tokens;
    *tokens = 0;
}

static void advance(struct activity *activity, int64_t second)
{
    int64_t newest = activity->newest_second;

    if (newest < 0 || second - newest > SECONDS)
        newest = second > SECONDS ? second - SECONDS : -1;
    while (newest < second)
        settle_second(activity, ++newest);
    activity->newest_second = second;
}

/* Seconds that have left the ring are over: so long before its end nobody speaks. */
static void into_seconds(struct activity *activity, int64_t from_us, int64_t to_us,
                         double tokens)
{
    double whole_us = (double)(to_us - from_us);
    int64_t oldest_us;

    if (activity->newest_second < to_us / SECOND_US)
        advance(activity, to_us / SECOND_US);
    oldest_us = (activity->newest_second - SECONDS + 1) * SECOND_US;
    if (from_us < oldest_us)
        from_us = oldest_us;
    while (from_us < to_us) {
        int64_t second = from_us / SECOND_US;
        int64_t end_us = (second + 1) * SECOND_US;
        double part_us = (double)((end_us < to_us ? end_us : to_us) - from_us);

        activity->seconds[second % SECONDS] += tokens * part_us / whole_us;
        from_us = end_us;
    }
}

/* ---- what is told ---- */

static void take_tokens(struct activity *activity, const struct activity_call *call)
{
    int64_t from_us = call->start_us;

    if (call->tokens < 0)
        return;
    activity->tokens_known = true;
    if (call->first_token_ms >= 0
        && call->first_token_ms * 1000 < (double)(call->end_us - call->start_us))
        from_us += (int64_t)(call->first_token_ms * 1000);
    spread_over(activity, from_us, call->end_us, 0, (double)call->tokens);
    into_seconds(activity, from_us, call->end_us, (double)call->tokens);
}

void activity_call(struct activity *activity, const struct activity_call *call)
{
    if (call->start_us < 0 || call->end_us < call->start_us
        || call->end_us > TIME_MAX_US)
        return;
    reach(activity, call->start_us);
    reach(activity, call->end_us);
    activity->calls++;
    activity->busy_us += (double)(call->end_us - call->start_us);
    if (activity->first_us < 0 || call->start_us < activity->first_us)
        activity->first_us = call->start_us;
    if (call->end_us > activity->last_us)
        activity->last_us = call->end_us;
    sweep_span(activity->sweep, call->start_us, call->end_us);
    if (call->end_us == call->start_us)
        return; /* nothing lies under a span without length */
    spread_over(activity, call->start_us, call->end_us, 1, 0);
    take_tokens(activity, call);
}

void activity_turn(struct activity *activity, int64_t at_us, double first_token_ms)
{
    struct bucket *bucket;

    if (at_us < 0 || at_us > TIME_MAX_US)
        return;
    reach(activity, at_us);
    bucket = bucket_at(activity, at_us);
    bucket->turns++;
    if (first_token_ms >= 0)
        spread_add(&bucket->firsts, &activity->ration, first_token_ms);
}

static double most_in_a_second(const struct activity *activity)
{
    double most = activity->peak_tokens;

    for (size_t i = 0; i < SECONDS; i++)
        most = fmax(most, activity->seconds[i]);
    return most;
}

struct activity_summary activity_summary(const struct activity *activity)
{
    struct activity_summary summary = {.mean_concurrency = (double)NAN,
                                       .peak_tokens_per_second = (double)NAN,
                                       .first_us = activity->first_us,
                                       .last_us = activity->last_us};

    if (activity->calls == 0)
        return summary;
    if (activity->last_us > activity->first_us)
        summary.mean_concurrency =
            activity->busy_us / (double)(activity->last_us - activity->first_us);
    summary.peak_concurrency = sweep_peak(activity->sweep);
    summary.peak_approximate = sweep_late(activity->sweep) > 0;
    if (activity->tokens_known)
        summary.peak_tokens_per_second = most_in_a_second(activity);
    return summary;
}

size_t activity_points(struct activity *activity,
                       struct activity_point ret_points[ACTIVITY_POINTS_MAX],
                       int64_t *ret_width_us)
{
    double seconds = (double)activity->width_us / SECOND_US;

    for (size_t i = 0; i < activity->used; i++) {
        struct bucket *bucket = &activity->buckets[i];

        ret_points[i] = (struct activity_point){
            .at_us = activity->origin_us + (int64_t)i * activity->width_us,
            .concurrency = activity->calls == 0
                               ? (double)NAN
                               : bucket->busy_us / (double)activity->width_us,
            .turns_per_second = (double)bucket->turns / seconds,
            .tokens_per_second =
                activity->tokens_known ? bucket->tokens / seconds : (double)NAN,
            .first_token_p50_ms = spread_percentile(&bucket->firsts, 50)};
    }
    *ret_width_us = activity->width_us;
    return activity->used;
}

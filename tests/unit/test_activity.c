/* test_activity.c - calls that overlap, drawn by hand: how many ran at once, and when;
 * the peak of a sweep against one that keeps everything.
 */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "analyzer/activity.h"
#include "analyzer/sweep.h"
#include "base/rng.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { S = 1000000 }; /* us */
#define T0 (INT64_C(1769855400) * S)

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9 * (1 + fabs(b));
}

/*  0 s      1 s      2 s      3 s      4 s
 *  |--------A 10 tokens-------|
 *           |---B 40 tokens---|                 first token of B at 2 s
 *                             |---C----|        begins where A and B end */
static struct activity *three_calls(void)
{
    static const struct activity_call calls[] = {
        {T0, T0 + 3 * S, NAN, 10},
        {T0 + S, T0 + 3 * S, 1000, 40},
        {T0 + 3 * S, T0 + 4 * S, NAN, -1},
    };
    struct activity *activity = activity_new();

    for (size_t i = 0; i < 3; i++)
        activity_call(activity, &calls[i]);
    return activity;
}

static void ends_come_before_starts_of_the_same_moment(void **state)
{
    struct activity *activity = three_calls();
    struct activity_summary summary = activity_summary(activity);

    (void)state;
    assert_int_equal(summary.peak_concurrency, 2);
    assert_false(summary.peak_approximate);
    assert_true(near(summary.mean_concurrency, (3.0 + 2.0 + 1.0) / 4));
    assert_int_equal(summary.first_us, T0);
    assert_int_equal(summary.last_us, T0 + 4 * S);
    activity_free(activity);
}

static void tokens_are_spread_from_the_first_token_to_the_end(void **state)
{
    struct activity *activity = three_calls();

    (void)state;
    /* The third second has a third of A's and all of B's. */
    assert_true(near(activity_summary(activity).peak_tokens_per_second, 10.0 / 3 + 40));
    activity_free(activity);
}

static void sums_over_the_buckets_are_those_of_the_calls(void **state)
{
    struct activity_point *points = calloc(ACTIVITY_POINTS_MAX, sizeof *points);
    struct activity *activity = three_calls();
    double busy_s = 0;
    double tokens = 0;
    int64_t width_us;
    size_t count;

    (void)state;
    assert_non_null(points);
    activity_turn(activity, T0 + 3 * S, 250);
    count = activity_points(activity, points, &width_us);
    assert_in_range(count, 2, ACTIVITY_POINTS_MAX);
    for (size_t i = 0; i < count; i++) {
        double width_s = (double)width_us / S;

        assert_int_equal(points[i].at_us, points[0].at_us + (int64_t)i * width_us);
        busy_s += points[i].concurrency * width_s;
        tokens += points[i].tokens_per_second * width_s;
        if (points[i].at_us <= T0 + 3 * S && points[i].at_us + width_us > T0 + 3 * S)
            assert_true(points[i].first_token_p50_ms == 250);
        else
            assert_true(isnan(points[i].first_token_p50_ms));
    }
    assert_true(near(busy_s, 6));
    assert_true(near(tokens, 50));
    activity_free(activity);
    free(points);
}

static void a_call_before_all_others_finds_its_place(void **state)
{
    struct activity_point *points = calloc(ACTIVITY_POINTS_MAX, sizeof *points);
    struct activity *activity = three_calls();
    double busy_s = 0;
    int64_t width_us;
    size_t count;

    (void)state;
    assert_non_null(points);
    activity_call(activity, &(struct activity_call){T0 - 9000 * (int64_t)S,
                                                    T0 - 8990 * (int64_t)S, NAN, -1});
    count = activity_points(activity, points, &width_us);
    assert_true(points[0].at_us <= T0 - 9000 * (int64_t)S);
    for (size_t i = 0; i < count; i++)
        busy_s += points[i].concurrency * (double)width_us / S;
    assert_true(near(busy_s, 16));
    activity_free(activity);
    free(points);
}

static void times_without_sense_are_passed_over(void **state)
{
    struct activity *activity = activity_new();

    (void)state;
    activity_call(activity, &(struct activity_call){-1, T0, NAN, 1});
    activity_call(activity, &(struct activity_call){T0, T0 - 1, NAN, 1});
    activity_call(activity, &(struct activity_call){T0, INT64_MAX, NAN, 1});
    activity_turn(activity, -1, 5);
    assert_int_equal(activity_summary(activity).first_us, -1);
    assert_true(isnan(activity_summary(activity).mean_concurrency));
    activity_free(activity);
}

/* Spans told in the order of their ends, many more than are kept, none longer than what
 * is kept reaches: the peak is that of all of them at once. */
static void the_peak_of_very_many_spans_is_exact(void **state)
{
    enum { SPANS = 2 * SWEEP_MAX };
    struct sweep *sweep = sweep_new();
    int *starts = calloc(SPANS + 64, sizeof *starts); /* at each moment */
    int64_t running = 0;
    int64_t peak = 0;
    struct rng rng;

    (void)state;
    assert_non_null(starts);
    rng_init(&rng, 9);
    for (int end = 50; end < SPANS; end++) {
        int start = end - 1 - (int)rng_below(&rng, 50);

        starts[start]++;
        sweep_span(sweep, start, end);
    }
    for (int at = 0; at < SPANS; at++) {
        running -= at >= 50; /* exactly one ends at each moment */
        running += starts[at];
        peak = running > peak ? running : peak;
    }
    assert_int_equal(sweep_peak(sweep), peak);
    assert_int_equal(sweep_late(sweep), 0);
    sweep_span(sweep, 0, SPANS); /* from the very beginning: told too late */
    assert_int_equal(sweep_late(sweep), 1);
    sweep_free(sweep);
    free(starts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_come_before_starts_of_the_same_moment),
        cmocka_unit_test(tokens_are_spread_from_the_first_token_to_the_end),
        cmocka_unit_test(sums_over_the_buckets_are_those_of_the_calls),
        cmocka_unit_test(a_call_before_all_others_finds_its_place),
        cmocka_unit_test(times_without_sense_are_passed_over),
        cmocka_unit_test(the_peak_of_very_many_spans_is_exact),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

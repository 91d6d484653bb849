/* test_stats.c - statistics whose answers were worked out by hand. */
#include <math.h>

#include "base/stats.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct stats stats_of(const double *values, size_t count)
{
    struct stats stats = {.count = 0};
    float copy[128];

    assert_true(count <= sizeof copy / sizeof *copy);
    for (size_t i = 0; i < count; i++) {
        stats_add(&stats, values[i]);
        copy[i] = (float)values[i];
    }
    stats_finish(&stats, copy, count);
    return stats;
}

static void assert_near(double value, double expected)
{
    if (fabs(value - expected) > 1e-6 * fmax(1, fabs(expected)))
        fail_msg("%.12g is not %.12g", value, expected);
}

static void percentiles_are_interpolated_between_the_nearest_ranks(void **state)
{
    /* Ranks of 4 values: p50 1.5, p95 2.85, p99 2.97. */
    static const double values[] = {40, 10, 30, 20};
    struct stats stats = stats_of(values, 4);

    (void)state;
    assert_near(stats.p50, 25);
    assert_near(stats.p95, 38.5);
    assert_near(stats.p99, 39.7);
}

static void a_hundred_and_one_values_have_their_percentiles_at_whole_ranks(void **state)
{
    double values[101];
    struct stats stats;

    (void)state;
    for (size_t i = 0; i < 101; i++)
        values[i] = (double)((i * 37) % 101); /* 0..100 shuffled */
    stats = stats_of(values, 101);
    assert_near(stats.p50, 50);
    assert_near(stats.p95, 95);
    assert_near(stats.p99, 99);
}

static void mean_least_and_greatest_are_exact(void **state)
{
    static const double values[] = {200000.123, 0.4, 812.4};
    struct stats stats = stats_of(values, 3);

    (void)state;
    assert_int_equal(stats.count, 3);
    assert_true(stats.min == 0.4);
    assert_true(stats.max == 200000.123);
    assert_true(stats_mean(&stats) == (200000.123 + 0.4 + 812.4) / 3);
}

static void one_value_is_every_percentile_of_itself(void **state)
{
    static const double values[] = {200000.123}; /* no float has these digits */
    struct stats stats = stats_of(values, 1);

    (void)state;
    assert_true(stats.p50 == 200000.123);
    assert_true(stats.p95 == 200000.123);
    assert_true(stats.p99 == 200000.123);
}

static void no_value_has_no_mean(void **state)
{
    struct stats stats = stats_of(NULL, 0);

    (void)state;
    assert_int_equal(stats.count, 0);
    assert_true(isnan(stats_mean(&stats)));
}

static void the_ends_of_the_scale_are_the_ends_of_the_values(void **state)
{
    static const float sorted[] = {3, 5, 9};

    (void)state;
    assert_near(stats_percentile(sorted, 3, 0), 3);
    assert_near(stats_percentile(sorted, 3, 100), 9);
    assert_near(stats_percentile(sorted, 3, 25), 4);
}

static void equal_values_stay_what_they_are(void **state)
{
    static const double values[] = {7.7, 7.7, 7.7, 7.7, 7.7};
    struct stats stats = stats_of(values, 5);

    (void)state;
    assert_true(stats.p50 == 7.7);
    assert_true(stats.p99 == 7.7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(percentiles_are_interpolated_between_the_nearest_ranks),
        cmocka_unit_test(
            a_hundred_and_one_values_have_their_percentiles_at_whole_ranks),
        cmocka_unit_test(mean_least_and_greatest_are_exact),
        cmocka_unit_test(one_value_is_every_percentile_of_itself),
        cmocka_unit_test(no_value_has_no_mean),
        cmocka_unit_test(the_ends_of_the_scale_are_the_ends_of_the_values),
        cmocka_unit_test(equal_values_stay_what_they_are),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

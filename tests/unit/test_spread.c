/* test_spread.c - means, deviations and percentiles of few values and of many. */
#include <math.h>
#include <stdint.h>

#include "analyzer/sort.h"
#include "analyzer/spread.h"
#include "base/rng.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static bool near(double a, double b, double relative)
{
    return fabs(a - b) <= relative * fabs(b) + 1e-12;
}

static void a_few_values_give_what_was_worked_out_by_hand(void **state)
{
    static const double values[] = {2, 4, 4, 4, 5, 5, 7, 9};
    struct ration ration = {.left_bytes = 1 << 20, .exact_max = 100};
    struct spread spread = {.count = 0};

    (void)state;
    for (size_t i = 0; i < 8; i++)
        spread_add(&spread, &ration, values[i]);
    assert_true(spread_mean(&spread) == 5);
    assert_true(spread_std(&spread) == 2); /* the textbook's example */
    assert_true(spread_percentile(&spread, 0) == 2);
    assert_true(spread_percentile(&spread, 50) == 4.5);
    assert_true(spread_percentile(&spread, 75) == 5.5); /* rank 5.25: 5 and 7 */
    assert_true(spread_percentile(&spread, 100) == 9);
    assert_false(spread_approximate(&spread));
    spread_done(&spread, &ration);
    assert_int_equal(ration.left_bytes, 1 << 20);
}

static void without_values_nothing_is_known(void **state)
{
    struct spread spread = {.count = 0};

    (void)state;
    assert_true(isnan(spread_mean(&spread)) && isnan(spread_std(&spread)));
    assert_true(isnan(spread_min(&spread)) && isnan(spread_max(&spread)));
    assert_true(isnan(spread_percentile(&spread, 50)));
}

static void a_small_deviation_of_large_values_is_not_lost(void **state)
{
    struct ration ration = {.left_bytes = 1 << 20, .exact_max = 10};
    struct spread spread = {.count = 0};

    (void)state;
    for (int i = 0; i < 1000; i++)
        spread_add(&spread, &ration, 1e9 + (i % 2));
    assert_true(near(spread_std(&spread), 0.5, 1e-6));
    spread_done(&spread, &ration);
}

/* The same values, all kept, tell what the buckets may be off by. */
static void many_values_are_off_by_at_most_half_a_percent(void **state)
{
    enum { VALUES = 30000 };
    static const double percents[] = {1, 5, 10, 25, 50, 75, 90, 95, 99};
    struct ration few = {.left_bytes = 1 << 20, .exact_max = 100};
    struct ration all = {.left_bytes = 1 << 20, .exact_max = VALUES};
    struct spread sketch = {.count = 0};
    struct spread exact = {.count = 0};
    struct rng rng;

    (void)state;
    rng_init(&rng, 11);
    for (int i = 0; i < VALUES; i++) {
        double value = exp(20 * rng_unit(&rng) - 7); /* from 1e-3 to 4e5 */

        spread_add(&sketch, &few, value);
        spread_add(&exact, &all, value);
    }
    assert_true(spread_approximate(&sketch) && !spread_approximate(&exact));
    for (size_t i = 0; i < sizeof percents / sizeof *percents; i++) {
        /* Between two ranks the exact one is interpolated: a little is added. */
        assert_true(near(spread_percentile(&sketch, percents[i]),
                         spread_percentile(&exact, percents[i]), SPREAD_ERROR + 0.001));
    }
    assert_true(near(spread_mean(&sketch), spread_mean(&exact), 1e-12));
    assert_true(spread_max(&sketch) >= spread_max(&exact));
    /* The ends are no buckets' middles. */
    assert_true(spread_percentile(&sketch, 0) == spread_min(&sketch));
    assert_true(spread_percentile(&sketch, 100) == spread_max(&sketch));
    assert_true(few.left_bytes > (1 << 20) - 20000);
    spread_done(&sketch, &few);
    spread_done(&exact, &all);
    assert_int_equal(few.left_bytes, 1 << 20);
}

static void zeros_and_giants_have_buckets_too(void **state)
{
    struct ration ration = {.left_bytes = 1 << 20, .exact_max = 2};
    struct spread spread = {.count = 0};

    (void)state;
    for (int i = 0; i < 10; i++) {
        spread_add(&spread, &ration, 0);
        spread_add(&spread, &ration, 1e12);
    }
    assert_true(spread_approximate(&spread));
    assert_true(spread_percentile(&spread, 10) == 0);
    assert_true(near(spread_percentile(&spread, 90), 1e12, SPREAD_ERROR));
    spread_done(&spread, &ration);
}

static void without_memory_percentiles_are_unknown_and_the_mean_is_not(void **state)
{
    struct ration ration = {.left_bytes = 64, .exact_max = 1000};
    struct spread spread = {.count = 0};

    (void)state;
    for (int i = 1; i <= 101; i++)
        spread_add(&spread, &ration, i);
    assert_true(isnan(spread_percentile(&spread, 50)));
    assert_true(spread_mean(&spread) == 51);
    assert_true(spread_max(&spread) == 101);
    spread_done(&spread, &ration);
    assert_int_equal(ration.left_bytes, 64);
}

static void two_merged_are_as_one(void **state)
{
    static const size_t exact_max[] = {1000, 3};
    struct rng rng;

    (void)state;
    rng_init(&rng, 3);
    for (size_t k = 0; k < 2; k++) {
        struct ration ration = {.left_bytes = 1 << 20, .exact_max = exact_max[k]};
        struct spread one = {.count = 0};
        struct spread halves[2] = {{.count = 0}, {.count = 0}};

        for (int i = 0; i < 200; i++) {
            double value = 100 + 50 * rng_unit(&rng);

            spread_add(&one, &ration, value);
            spread_add(&halves[i % 3 == 0], &ration, value);
        }
        spread_merge(&halves[0], &ration, &halves[1]);
        assert_int_equal(halves[0].count, 200);
        assert_true(near(spread_mean(&halves[0]), spread_mean(&one), 1e-6));
        assert_true(near(spread_std(&halves[0]), spread_std(&one), 1e-5));
        assert_true(near(spread_percentile(&halves[0], 95), spread_percentile(&one, 95),
                         1e-12));
        spread_done(&one, &ration);
        spread_done(&halves[0], &ration);
        spread_done(&halves[1], &ration);
    }
}

static void numbers_are_sorted_however_many(void **state)
{
    static const size_t counts[] = {0, 1, 2, 48, 49, 5000};
    static float values[5000];
    static int64_t times[5000];
    struct rng rng;

    (void)state;
    rng_init(&rng, 5);
    for (size_t k = 0; k < sizeof counts / sizeof *counts; k++) {
        for (size_t i = 0; i < counts[k]; i++) {
            values[i] = (float)exp(60 * rng_unit(&rng) - 20);
            times[i] = (int64_t)(rng_next(&rng) >> (1 + rng_below(&rng, 60)));
        }
        if (counts[k] > 2)
            values[2] = -0.0F;
        sort_values(values, counts[k]);
        sort_times(times, counts[k]);
        for (size_t i = 1; i < counts[k]; i++) {
            assert_true(values[i - 1] <= values[i]);
            assert_true(times[i - 1] <= times[i]);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_few_values_give_what_was_worked_out_by_hand),
        cmocka_unit_test(without_values_nothing_is_known),
        cmocka_unit_test(a_small_deviation_of_large_values_is_not_lost),
        cmocka_unit_test(many_values_are_off_by_at_most_half_a_percent),
        cmocka_unit_test(zeros_and_giants_have_buckets_too),
        cmocka_unit_test(without_memory_percentiles_are_unknown_and_the_mean_is_not),
        cmocka_unit_test(two_merged_are_as_one),
        cmocka_unit_test(numbers_are_sorted_however_many),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_histogram.c - bins of round widths, and what settings show of a URL. */
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "analyzer/histogram.h"
#include "analyzer/run_info.h"
#include "analyzer/spread.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct ration ration_of(size_t exact_max)
{
    return (struct ration){.left_bytes = 1 << 20, .exact_max = exact_max};
}

static void values_fall_into_bins_of_a_round_width(void **state)
{
    struct ration ration = ration_of(1000);
    struct spread spread = {.count = 0};
    struct bin bins[HISTOGRAM_BINS_MAX];
    size_t count;

    (void)state;
    for (int i = 1; i <= 100; i++)
        spread_add(&spread, &ration, i);
    count = histogram_make(&spread, 10, bins);
    assert_int_equal(count, 10);
    for (size_t i = 0; i < count; i++) {
        assert_true(bins[i].from == 10.0 * (double)i);
        assert_true(bins[i].to == 10.0 * (double)(i + 1));
        assert_int_equal(bins[i].count, 10);
    }
    spread_done(&spread, &ration);
}

static void what_is_beyond_the_99th_percentile_has_a_bin_of_its_own(void **state)
{
    struct ration ration = ration_of(10000);
    struct spread spread = {.count = 0};
    struct bin bins[HISTOGRAM_BINS_MAX];
    size_t count;
    int64_t sum = 0;

    (void)state;
    for (int i = 0; i < 1000; i++)
        spread_add(&spread, &ration, 100 + i % 50);
    spread_add(&spread, &ration, 1e6);
    count = histogram_make(&spread, 10, bins);
    for (size_t i = 0; i < count; i++)
        sum += bins[i].count;
    assert_int_equal(sum, 1001);
    assert_int_equal(bins[count - 1].count, 1);
    assert_true(bins[count - 1].to == 1e6);
    assert_true(count <= 14);
    spread_done(&spread, &ration);
}

static void nothing_and_one_value_are_fine(void **state)
{
    struct ration ration = ration_of(10);
    struct spread spread = {.count = 0};
    struct bin bins[HISTOGRAM_BINS_MAX];

    (void)state;
    assert_int_equal(histogram_make(&spread, 10, bins), 0);
    spread_add(&spread, &ration, 0);
    assert_int_equal(histogram_make(&spread, 10, bins), 1);
    assert_int_equal(bins[0].count, 1);
    spread_done(&spread, &ration);
}

static void counts_agree_whether_values_are_kept_or_sketched(void **state)
{
    struct ration few = ration_of(10);
    struct ration many = ration_of(100 * 1000);
    struct spread sketched = {.count = 0};
    struct spread exact = {.count = 0};

    (void)state;
    for (int i = 1; i <= 20 * 1000; i++) {
        spread_add(&sketched, &few, i);
        spread_add(&exact, &many, i);
    }
    assert_true(spread_approximate(&sketched) && !spread_approximate(&exact));
    for (int value = 500; value < 20 * 1000; value += 500) {
        assert_int_equal(spread_count_to(&exact, value), value);
        assert_true(llabs(spread_count_to(&sketched, value) - value) <= value / 50);
    }
    assert_int_equal(spread_count_to(&sketched, 1e9), 20 * 1000);
    assert_int_equal(spread_count_to(&sketched, 0.5), 0);
    spread_done(&sketched, &few);
    spread_done(&exact, &many);
}

static void expect_mask(const char *text, const char *masked)
{
    char *found = run_info_mask(text);

    assert_string_equal(found, masked);
    free(found);
}

static void urls_lose_their_users_passwords_and_queries(void **state)
{
    (void)state;
    expect_mask("http://host:1/path", "http://host:1/path");
    expect_mask("http://me:pw@host/x", "http://***@host/x");
    expect_mask("redis://:p@ss@host", "redis://***@host");
    expect_mask("https://host/x?key=1", "https://host/x?***");
    expect_mask("a=http://u@h,b=http://v:w@i?q c",
                "a=http://***@h,b=http://***@i?*** c");
    expect_mask("llama3.2:3b", "llama3.2:3b");
    expect_mask("", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_fall_into_bins_of_a_round_width),
        cmocka_unit_test(what_is_beyond_the_99th_percentile_has_a_bin_of_its_own),
        cmocka_unit_test(nothing_and_one_value_are_fine),
        cmocka_unit_test(counts_agree_whether_values_are_kept_or_sketched),
        cmocka_unit_test(urls_lose_their_users_passwords_and_queries),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_chart.c - bars, sparklines and the choice of turns that pictures show. */
#include <math.h>
#include <stdint.h>

#include "analyzer/chart.h"
#include "analyzer/picks.h"
#include "base/width.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { MAX_BYTES = 4096 };

static void expect_bar(double value, double max, bool ascii, const char *drawn)
{
    struct buf into;

    buf_init(&into, MAX_BYTES);
    chart_bar(&into, value, max, 4, ascii);
    assert_string_equal(buf_text(&into), drawn);
    assert_int_equal(width_text(buf_str(&into)), 4);
    buf_done(&into);
}

static void a_bar_is_as_long_as_its_value(void **state)
{
    (void)state;
    expect_bar(10, 10, false, "████");
    expect_bar(5, 10, false, "██  ");
    expect_bar(1.25, 10, false, "▌   ");
    expect_bar(99, 10, false, "████");
    expect_bar(5, 10, true, "##  ");
}

static void a_small_value_is_a_sliver_and_an_unknown_one_is_blank(void **state)
{
    (void)state;
    expect_bar(0.0001, 10, false, "▏   ");
    expect_bar(0.0001, 10, true, "#   ");
    expect_bar(0, 10, false, "    ");
    expect_bar(NAN, 10, false, "    ");
    expect_bar(3, 0, false, "    ");
}

static double expect_spark(const double *values, size_t count, size_t width, bool ascii,
                           const char *drawn)
{
    struct buf into;
    double max;

    buf_init(&into, MAX_BYTES);
    max = chart_spark(&into, values, count, width, ascii);
    assert_string_equal(buf_text(&into), drawn);
    buf_done(&into);
    return max;
}

static void a_sparkline_spans_from_zero_to_the_greatest(void **state)
{
    static const double values[] = {0, 1, 2, 3, 4, 5, 6, 7};

    (void)state;
    assert_true(expect_spark(values, 8, 8, false, "▁▂▃▄▅▆▇█") == 7);
    (void)expect_spark(values, 8, 8, true, "_.-~=+*#");
    assert_true(expect_spark(values, 8, 4, true, ".~+#") == 6.5);
}

static void a_sparkline_leaves_gaps_where_nothing_is_known(void **state)
{
    const double values[] = {7, NAN, 7};

    (void)state;
    (void)expect_spark(values, 3, 3, false, "█ █");
    (void)expect_spark(values, 3, 6, true, "##  ##");
    assert_true(isnan(expect_spark(values + 1, 1, 2, false, "  ")));
    assert_true(isnan(expect_spark(NULL, 0, 2, false, "  ")));
}

static void take_turns(struct picks *picks, size_t count, const char *conversation)
{
    for (size_t i = 0; i < count; i++) {
        struct pick pick = {.end_us = (int64_t)picks->seen, .turn = (int64_t)i + 1};

        picks_take(picks, &pick, str_of(conversation), (int64_t)(i % 2) + 1, "Ada");
    }
}

static void picks_stay_bounded_and_even(void **state)
{
    struct picks *picks = picks_new();

    (void)state;
    take_turns(picks, 100 * 1000, "c1");
    assert_int_equal(picks->seen, 100 * 1000);
    assert_int_equal(picks->early_count, PICKS_EARLY);
    assert_int_equal(picks->row_count, 2);
    assert_int_equal(picks->every, 64);
    assert_int_equal(picks->even_count, (100 * 1000 + 63) / 64);
    for (size_t i = 0; i < picks->even_count; i++)
        assert_int_equal(picks->even[i].end_us, i * picks->every);
    picks_free(picks);
}

static void rows_are_the_first_speakers_and_no_more(void **state)
{
    struct picks *picks = picks_new();
    char id[] = "a";

    (void)state;
    for (; *id <= 'z'; ++*id)
        take_turns(picks, 4, id);
    assert_int_equal(picks->row_count, PICKS_ROWS);
    assert_int_equal(picks_conversations(picks), PICKS_ROWS / 2);
    assert_int_equal(picks->early_count, 4 * PICKS_ROWS / 2);
    assert_string_equal(picks->rows[2].conversation, "b");
    assert_int_equal(picks->early[5].row, 3);
    picks_free(picks);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bar_is_as_long_as_its_value),
        cmocka_unit_test(a_small_value_is_a_sliver_and_an_unknown_one_is_blank),
        cmocka_unit_test(a_sparkline_spans_from_zero_to_the_greatest),
        cmocka_unit_test(a_sparkline_leaves_gaps_where_nothing_is_known),
        cmocka_unit_test(picks_stay_bounded_and_even),
        cmocka_unit_test(rows_are_the_first_speakers_and_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

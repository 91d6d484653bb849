/* test_score.c - calls summed up by endpoint and model. */
#include <math.h>
#include <string.h>

#include "base/width.h"
#include "cli/column.h"
#include "cli/score.h"
#include "cli/score_show.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct score_call call_of(const char *endpoint, const char *model)
{
    return (struct score_call){
        .endpoint = str_of(endpoint),
        .model = str_of(model),
        .outcome = str_of("done"),
        .route = str_of("first"),
        .attempt = 1,
        .prompt_tokens = 100,
        .cached_tokens = -1,
        .generated_tokens = 20,
        .first_ms = 10,
        .total_ms = 50,
        .cost = (double)NAN,
    };
}

static void assert_near(double value, double expected)
{
    assert_true(fabs(value - expected) < 1e-6 * fmax(1, fabs(expected)));
}

static void calls_are_summed_by_endpoint_and_model_which_are_sorted_and_in_all(
    void **state)
{
    struct score_call b = call_of("b", "x");
    struct score_call a = call_of("a", "y");
    struct score_call a2 = call_of("a", "x");
    struct score score;

    (void)state;
    score_init(&score);
    score_take(&score, &b);
    score_take(&score, &a);
    score_take(&score, &a2);
    score_take(&score, &a);
    score_finish(&score);
    assert_int_equal(score.count, 3);
    assert_string_equal(score.rows[0].endpoint, "a");
    assert_string_equal(score.rows[0].model, "x");
    assert_string_equal(score.rows[1].model, "y");
    assert_int_equal(score.rows[1].calls, 2);
    assert_string_equal(score.rows[2].endpoint, "b");
    assert_int_equal(score.total.calls, 4);
    assert_int_equal(score.total.prompt_tokens, 400);
    assert_int_equal(score.total.generated_tokens, 80);
    score_done(&score);
}

static void outcomes_are_counted_and_only_done_calls_are_timed(void **state)
{
    struct score_call done = call_of("a", "x");
    struct score_call failed = call_of("a", "x");
    struct score_call cancelled = call_of("a", "x");
    struct score score;

    (void)state;
    failed.outcome = str_of("failed");
    failed.error = str_of("busy");
    failed.total_ms = 1e6;
    failed.attempt = 2;
    cancelled.outcome = str_of("cancelled");
    cancelled.error = str_of("no failure");
    score_init(&score);
    for (int i = 1; i <= 21; i++) {
        done.first_ms = i;
        done.total_ms = 10 * i;
        score_take(&score, &done);
    }
    score_take(&score, &failed);
    score_take(&score, &cancelled);
    score_finish(&score);
    assert_int_equal(score.total.calls, 23);
    assert_int_equal(score.total.done, 21);
    assert_int_equal(score.total.failed, 1);
    assert_int_equal(score.total.cancelled, 1);
    assert_int_equal(score.total.extra, 1);
    assert_near(score.total.first_ms.stats.p50, 11);
    assert_near(score.total.first_ms.stats.p95, 20);
    assert_near(score.total.total_ms.stats.p95, 200);
    assert_int_equal(score.total.errors.count, 1);
    assert_string_equal(score.total.errors.at[0].word, "busy");
    score_done(&score);
}

static void what_was_not_told_is_not_counted(void **state)
{
    struct score_call untold = call_of("a", "x");
    struct score_call told = call_of("a", "x");
    struct score score;

    (void)state;
    untold.prompt_tokens = -1;
    untold.generated_tokens = -1;
    untold.first_ms = (double)NAN;
    score_init(&score);
    score_take(&score, &untold);
    score_finish(&score);
    assert_true(isnan(score_cache_hits(&score.total)));
    assert_false(score.total.has_cost);
    assert_int_equal(score.total.prompt_tokens, 0);
    assert_int_equal(score.total.first_ms.stats.count, 0);
    told.cached_tokens = 75;
    told.cost = 0.25;
    score_take(&score, &told);
    score_take(&score, &told);
    score_finish(&score);
    assert_near(score_cache_hits(&score.total), 0.75);
    assert_near(score.total.cost, 0.5);
    score_done(&score);
}

static void routes_are_counted_the_most_frequent_first_and_bounded(void **state)
{
    struct score_call call = call_of("a", "x");
    struct score score;
    char word[16];

    (void)state;
    score_init(&score);
    score_take(&score, &call);
    for (int i = 0; i < 100; i++) {
        fmt_into(word, sizeof word, "route_%d", i);
        call.route = str_of(word);
        score_take(&score, &call);
    }
    score_finish(&score);
    assert_int_equal(score.total.routes.count, SCORE_WORDS_MAX);
    assert_string_equal(score.total.routes.at[0].word, "other");
    assert_int_equal(score.total.routes.at[0].count, 101 - (SCORE_WORDS_MAX - 1));
    score_done(&score);
}

static void endpoints_without_end_share_one_row(void **state)
{
    struct score_call call = call_of("", "x");
    struct score score;
    char name[16];

    (void)state;
    score_init(&score);
    for (int i = 0; i < 1000; i++) {
        fmt_into(name, sizeof name, "e%d", i);
        call.endpoint = str_of(name);
        score_take(&score, &call);
    }
    assert_int_equal(score.count, SCORE_ROWS_MAX);
    assert_string_equal(score.rows[SCORE_ROWS_MAX - 1].endpoint, "other");
    assert_int_equal(score.rows[SCORE_ROWS_MAX - 1].calls, 1000 - (SCORE_ROWS_MAX - 1));
    score_done(&score);
}

static void counts_beyond_all_reason_are_none(void **state)
{
    struct score_call call = call_of("a", "x");
    struct score score;

    (void)state;
    score_init(&score);
    score_take(&score, &call);
    call.prompt_tokens = call.generated_tokens = call.cached_tokens = INT64_MAX;
    score_take(&score, &call);
    score_take(&score, &call);
    score_finish(&score);
    assert_int_equal(score.total.calls, 3);
    assert_int_equal(score.total.prompt_tokens, 100);
    assert_int_equal(score.total.generated_tokens, 20);
    assert_true(isnan(score_cache_hits(&score.total)));
    score_done(&score);
}

static void a_table_is_at_most_80_columns_wide_and_harmless(void **state)
{
    struct score_call call =
        call_of("an-endpoint-with-a-long-name", "\x1b[31ma model of quite some length");
    struct score_call large = call_of("b", "y");
    struct score score;
    struct buf out;
    struct str rest;

    (void)state;
    large.prompt_tokens = 99999999;
    large.cached_tokens = 99999999;
    large.cost = 123456.789;
    large.total_ms = 123456;
    large.first_ms = 12345;
    score_init(&score);
    score_take(&score, &call);
    score_take(&score, &large);
    score_finish(&score);
    buf_init(&out, 65536);
    score_show_tables(&score, false, &out);
    assert_null(strchr(buf_text(&out), '\x1b'));
    rest = buf_str(&out);
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        assert_true(width_text(line) <= 80);
    }
    buf_clear(&out);
    score_show_tables(&score, true, &out);
    assert_non_null(strstr(buf_text(&out), "an-endpoint-with-a-long-n"));
    rest = buf_str(&out);
    while (rest.len > 0) {
        struct str line = str_cut(rest, '\n', &rest);

        assert_true(width_text(line) <= 120);
    }
    buf_done(&out);
    score_done(&score);
}

static void a_cell_is_cut_between_characters_and_padded(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 1024);
    column_add(&out, str_of("h\xc3\xa9llo"), 3);
    assert_string_equal(buf_text(&out), "h\xc3\xa9\xe2\x80\xa6 ");
    buf_clear(&out);
    column_add(&out, str_of("\xe7\x81\xaf\xe5\xa1\x94"), 4); /* two columns each */
    assert_string_equal(buf_text(&out), "\xe7\x81\xaf\xe5\xa1\x94 ");
    buf_clear(&out);
    column_add(&out, str_of("\xe7\x81\xaf\xe5\xa1\x94"), 3);
    assert_string_equal(buf_text(&out), "\xe7\x81\xaf\xe2\x80\xa6 ");
    buf_clear(&out);
    column_add(&out, str_of("ab"), 4);
    assert_string_equal(buf_text(&out), "ab   ");
    buf_clear(&out);
    column_add(&out, str_of(""), 2);
    assert_string_equal(buf_text(&out), "-  ");
    buf_done(&out);
}

static void the_widest_columns_give_way_first_and_none_vanishes(void **state)
{
    int widths[] = {5, 30, 12};
    int narrow[] = {10, 10};

    (void)state;
    column_fit(widths, 3, 80);
    assert_int_equal(widths[1], 30);
    column_fit(widths, 3, 27);
    assert_int_equal(widths[0], 5);
    assert_int_equal(widths[1], 11);
    assert_int_equal(widths[2], 11);
    column_fit(narrow, 2, 1);
    assert_int_equal(narrow[0], 4);
    assert_int_equal(narrow[1], 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            calls_are_summed_by_endpoint_and_model_which_are_sorted_and_in_all),
        cmocka_unit_test(outcomes_are_counted_and_only_done_calls_are_timed),
        cmocka_unit_test(what_was_not_told_is_not_counted),
        cmocka_unit_test(routes_are_counted_the_most_frequent_first_and_bounded),
        cmocka_unit_test(endpoints_without_end_share_one_row),
        cmocka_unit_test(counts_beyond_all_reason_are_none),
        cmocka_unit_test(a_table_is_at_most_80_columns_wide_and_harmless),
        cmocka_unit_test(a_cell_is_cut_between_characters_and_padded),
        cmocka_unit_test(the_widest_columns_give_way_first_and_none_vanishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

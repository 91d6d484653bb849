/* test_budget.c - bytes a token, learned from a server's counts; and when these tell
 * that the prompt was cut.
 */
#include <math.h>

#include "worker/budget.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct budget budget;

static int set_up(void **state)
{
    (void)state;
    budget = (struct budget){0};
    return 0;
}

static void learn(const char *model, size_t bytes, int64_t tokens, bool whole)
{
    const struct budget_count count = {bytes, tokens, whole, 0};

    budget_learn(&budget, model, &count);
}

static void expect_ratio(const char *model, double wanted)
{
    double found = budget_bytes_per_token(&budget, model);

    if (fabs(found - wanted) > 1e-4)
        fail_msg("%s: %f, not %f", model, found, wanted);
}

static void a_model_that_is_not_known_gets_three_bytes_a_token(void **state)
{
    (void)state;
    expect_ratio("llama", 3.0);
    learn("llama", 1000, -1, true);
    learn("llama", 1000, 0, true);
    learn("llama", 0, 10, true);
    learn("llama", 1201, 100, true); /* over twelve: no such tokenizer */
    expect_ratio("llama", 3.0);
}

static void the_lowest_of_the_last_sixteen_counts_less_five_percent(void **state)
{
    (void)state;
    learn("llama", 4000, 1000, true);
    expect_ratio("llama", 3.8);
    learn("llama", 5000, 1000, true);
    expect_ratio("llama", 3.8);
    learn("llama", 2000, 1000, true);
    expect_ratio("llama", 1.9);
    for (int i = 0; i < 15; i++)
        learn("llama", 4500, 1000, true);
    expect_ratio("llama", 1.9);
    learn("llama", 4500, 1000, true); /* the low one is the seventeenth now */
    expect_ratio("llama", 4.275);
}

static void models_are_told_apart_and_the_oldest_is_forgotten(void **state)
{
    char name[16];

    (void)state;
    learn("first", 2000, 1000, true);
    for (int i = 1; i < BUDGET_MODELS; i++) {
        fmt_into(name, sizeof name, "model-%d", i);
        learn(name, 4000, 1000, true);
    }
    expect_ratio("first", 1.9);
    learn("one more", 4000, 1000, true); /* in the place of model-1 */
    expect_ratio("first", 1.9);
    expect_ratio("model-2", 3.8);
    expect_ratio("model-1", 3.0);
}

static void a_count_without_what_was_cached_only_makes_more_cautious(void **state)
{
    (void)state;
    learn("llama", 9000, 1000, false);
    expect_ratio("llama", 3.0);
    learn("llama", 2000, 1000, false);
    expect_ratio("llama", 1.9);
    learn("llama", 4000, 1000, false);
    expect_ratio("llama", 1.9);
}

static void room_is_what_the_reply_and_a_margin_leave(void **state)
{
    (void)state;
    /* 2048 - 400 - 16 - 32 = 1600 tokens of 3 bytes. */
    assert_int_equal(budget_room_bytes(&budget, "llama", 2048, 400), 4800);
    learn("llama", 4000, 1000, true);
    assert_int_equal(budget_room_bytes(&budget, "llama", 2048, 400), 6080);
    /* A reply as large as the window leaves the prompt half: 1024 - 48. */
    assert_int_equal(budget_room_bytes(&budget, "else", 2048, 2048), 976 * 3);
    assert_in_range(budget_room_bytes(&budget, "else", 4, 1), 1, 3);
}

static void a_cut_prompt_shrinks_the_room_by_a_quarter(void **state)
{
    (void)state;
    learn("llama", 4000, 1000, true);
    budget_shrink(&budget, "llama", 4000, 4000);
    expect_ratio("llama", 4.0 * 0.75 * 0.95);
    for (int i = 0; i < 100; i++)
        budget_shrink(&budget, "llama", 4000, 4000);
    assert_true(budget_bytes_per_token(&budget, "llama") > 0.4);
}

static void a_cut_prompt_that_was_known_not_to_fit_takes_no_room_from_others(
    void **state)
{
    (void)state;
    learn("llama", 4000, 1000, true);
    budget_shrink(&budget, "llama", 4001, 4000);
    expect_ratio("llama", 4.0 * 0.95);
}

static void counts_tell_that_a_prompt_was_cut(void **state)
{
    static const struct {
        struct budget_count count;
        struct budget_before before;
        bool cut;
    } rows[] = {
        {{6000, 1500, true, 2048}, {0, 0}, false},
        {{6000, -1, true, 2048}, {0, 0}, false},
        {{9000, 2046, true, 2048}, {0, 0}, false},
        {{9000, 2047, true, 2048}, {0, 0}, true},
        {{9000, 2047, false, 2048}, {0, 0}, true},
        {{9000, 2048, true, 2048}, {0, 0}, true},
        {{9000, 2048, true, 0}, {0, 0}, false}, /* a window of its own */
        {{9000, 749, true, 2048}, {0, 0}, true},
        {{9000, 750, true, 2048}, {0, 0}, false},
        {{9000, 100, false, 2048}, {0, 0}, false}, /* the rest was cached */
        {{6000, 1400, true, 2048}, {5500, 1400}, true},
        {{6000, 1300, true, 2048}, {5500, 1400}, true},
        {{6000, 1401, true, 2048}, {5500, 1400}, false},
        {{5900, 1400, true, 2048}, {5500, 1400}, false},
        {{6000, 1400, false, 2048}, {5500, 1400}, false},
        {{6000, 1400, true, 2048}, {5500, -1}, false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (budget_was_cut(&rows[i].count, &rows[i].before) != rows[i].cut)
            fail_msg("row %zu", i);
}

static void refuse(size_t bytes, int64_t window)
{
    const struct budget_refusal refusal = {
        bytes, budget_room_bytes(&budget, "llama", 8192, 400), 8192, window};

    budget_refused(&budget, "llama", &refusal);
}

static void a_window_that_a_refusal_tells_is_the_window_from_then_on(void **state)
{
    size_t small = budget_room_bytes(&budget, "other", 4096, 400);

    (void)state;
    refuse(20000, 4096);
    assert_int_equal(budget_room_bytes(&budget, "llama", 8192, 400), small);
    assert_int_equal(budget_room_bytes(&budget, "llama", 2048, 400),
                     budget_room_bytes(&budget, "other", 2048, 400));
    expect_ratio("llama", 3.0);
}

/* The window is known, and the prompt was to fit it: tokens are shorter than thought.
 */
static void a_prompt_refused_by_a_window_that_is_known_makes_the_next_one_shorter(
    void **state)
{
    (void)state;
    refuse(100, 8192);
    expect_ratio("llama", 3.0 * 0.75);
    refuse(100, -1);
    expect_ratio("llama", 3.0 * 0.75 * 0.75);
    refuse(100, 4096);
    expect_ratio("llama", 3.0 * 0.75 * 0.75);
    refuse(100, 4096);
    expect_ratio("llama", 3.0 * 0.75 * 0.75 * 0.75);
    refuse(100000, -1); /* larger than its room: that is no news */
    expect_ratio("llama", 3.0 * 0.75 * 0.75 * 0.75);
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_window_that_a_refusal_tells_is_the_window_from_then_on),
        TEST(a_prompt_refused_by_a_window_that_is_known_makes_the_next_one_shorter),
        TEST(a_model_that_is_not_known_gets_three_bytes_a_token),
        TEST(the_lowest_of_the_last_sixteen_counts_less_five_percent),
        TEST(models_are_told_apart_and_the_oldest_is_forgotten),
        TEST(a_count_without_what_was_cached_only_makes_more_cautious),
        TEST(room_is_what_the_reply_and_a_margin_leave),
        TEST(a_cut_prompt_shrinks_the_room_by_a_quarter),
        TEST(a_cut_prompt_that_was_known_not_to_fit_takes_no_room_from_others),
        TEST(counts_tell_that_a_prompt_was_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

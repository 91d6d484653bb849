/* test_due.c - what is done with a conversation that is due, for every state and time.
 */
#include <string.h>

#include "manager/due.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { NO_DEADLINE, AHEAD, NOW, PAST, TIMES };
#define NOW_US INT64_C(1769855400123456)
static const int64_t now_us = NOW_US;
static const int64_t deadlines_us[TIMES] = {-1, NOW_US + 1, NOW_US, NOW_US - 1};

static const struct {
    const char *state;
    enum due_action wanted[TIMES]; /* no deadline, ahead, now, past */
} rows[] = {
    {"running", {DUE_LOOK, DUE_LOOK, DUE_CLOSE, DUE_CLOSE}},
    {"closing", {DUE_LOOK, DUE_LOOK, DUE_END, DUE_END}},
    {"preparing", {DUE_LOOK, DUE_LOOK, DUE_LOOK, DUE_LOOK}},
    {"paused", {DUE_LOOK, DUE_LOOK, DUE_LOOK, DUE_LOOK}},
    {"ended", {DUE_FORGET, DUE_FORGET, DUE_FORGET, DUE_FORGET}},
    {"", {DUE_FORGET, DUE_FORGET, DUE_FORGET, DUE_FORGET}},
    {"from a later version", {DUE_LOOK, DUE_LOOK, DUE_LOOK, DUE_LOOK}},
};

static void every_state_at_every_time_has_its_action(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int t = 0; t < TIMES; t++) {
            enum due_action got =
                due_decide(str_of(rows[i].state), deadlines_us[t], now_us);

            if (got != rows[i].wanted[t])
                fail_msg("'%s' at time %d: %d", rows[i].state, t, got);
        }
}

static void a_deadline_of_0_is_one_and_the_largest_never_comes(void **state)
{
    (void)state;
    assert_int_equal(due_decide(str_of("running"), 0, now_us), DUE_CLOSE);
    assert_int_equal(due_decide(str_of("running"), INT64_MAX, now_us), DUE_LOOK);
}

static void a_state_is_compared_whole(void **state)
{
    (void)state;
    assert_int_equal(due_decide(str_make("running!", 7), 0, now_us), DUE_CLOSE);
    assert_int_equal(due_decide(str_of("running!"), 0, now_us), DUE_LOOK);
    assert_int_equal(due_decide(str_of("end"), 0, now_us), DUE_LOOK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_state_at_every_time_has_its_action),
        cmocka_unit_test(a_deadline_of_0_is_one_and_the_largest_never_comes),
        cmocka_unit_test(a_state_is_compared_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

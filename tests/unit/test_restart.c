/* test_restart.c - what follows the deaths of a process, as a table. */
#include "cli/restart.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { STEPS_MAX = 9 };

/* One death a step, and what follows it without jitter; -1: given up. */
struct step {
    struct restart_death death;
    int64_t wait_ms;
};
#define READY(now)              \
    {                           \
        true, false, false, now \
    }
#define UNREADY(now)             \
    {                            \
        false, false, false, now \
    }
#define EXCUSED(now)           \
    {                          \
        true, true, false, now \
    }
#define FINAL(now)             \
    {                          \
        true, false, true, now \
    }

static void walk(const struct step *steps)
{
    struct restart restart = {0};

    for (int i = 0; steps[i].death.ready || steps[i].wait_ms != 0; i++) {
        restart_died(&restart, &steps[i].death);
        assert_int_equal(restart_hopeless(&restart), steps[i].wait_ms < 0);
        if (steps[i].wait_ms >= 0)
            assert_int_equal(restart_wait_ms(&restart, 0), steps[i].wait_ms);
    }
}

static void one_that_was_ready_comes_back_at_once(void **state)
{
    static const struct step steps[STEPS_MAX] = {
        {READY(1), 0}, {READY(2), 0}, {READY(2), 0}};

    (void)state;
    walk(steps);
}

static void one_that_dies_before_it_is_ready_waits_longer_each_time(void **state)
{
    static const struct step steps[STEPS_MAX] = {
        {READY(0), 0},     {UNREADY(1), 100}, {UNREADY(2), 200}, {UNREADY(3), 400},
        {UNREADY(4), 800}, {READY(5), 0},     {UNREADY(6), 100}};

    (void)state;
    walk(steps);
}

static void five_deaths_without_a_turn_between_are_the_end(void **state)
{
    static const struct step steps[STEPS_MAX] = {
        {READY(7), 0}, {READY(7), 0}, {UNREADY(7), 100}, {READY(7), 0}, {READY(7), -1}};

    (void)state;
    walk(steps);
}

static void a_turn_between_deaths_begins_the_count_anew(void **state)
{
    static const struct step steps[STEPS_MAX] = {
        {READY(0), 0}, {READY(0), 0}, {READY(0), 0}, {READY(0), 0},
        {READY(1), 0}, {READY(1), 0}, {READY(1), 0}, {READY(1), 0}};

    (void)state;
    walk(steps);
}

static void a_turn_count_that_goes_back_is_no_progress(void **state)
{
    static const struct step steps[STEPS_MAX] = {
        {READY(9), 0}, {READY(3), 0}, {READY(2), 0}, {READY(2), 0}, {READY(1), -1}};

    (void)state;
    walk(steps);
}

static void a_death_whose_cause_lies_outside_counts_for_nothing(void **state)
{
    static const struct step steps[STEPS_MAX] = {
        {READY(0), 0},      {READY(0), 0},      {READY(0), 0},      {READY(0), 0},
        {EXCUSED(0), 1000}, {EXCUSED(0), 1000}, {EXCUSED(0), 1000}, {READY(0), -1}};

    (void)state;
    walk(steps);
}

static void one_that_would_end_so_again_has_died_for_the_last_time(void **state)
{
    static const struct step steps[STEPS_MAX] = {{READY(1), 0}, {FINAL(2), -1}};

    (void)state;
    walk(steps);
}

static void no_wait_is_longer_than_the_longest_nor_shorter_than_half(void **state)
{
    struct restart restart = {0};
    const struct restart_death death = UNREADY(0);

    (void)state;
    for (int i = 0; i < 100; i++) {
        int64_t whole_ms;
        int64_t short_ms;

        restart_died(&restart, &death);
        whole_ms = restart_wait_ms(&restart, 0);
        short_ms = restart_wait_ms(&restart, 0.999999);
        assert_in_range(whole_ms, RESTART_FIRST_MS, RESTART_MOST_MS);
        assert_in_range(short_ms, whole_ms / 2, whole_ms / 2 + 1);
    }
    assert_int_equal(restart_wait_ms(&restart, 0), RESTART_MOST_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_was_ready_comes_back_at_once),
        cmocka_unit_test(one_that_dies_before_it_is_ready_waits_longer_each_time),
        cmocka_unit_test(five_deaths_without_a_turn_between_are_the_end),
        cmocka_unit_test(a_turn_between_deaths_begins_the_count_anew),
        cmocka_unit_test(a_turn_count_that_goes_back_is_no_progress),
        cmocka_unit_test(a_death_whose_cause_lies_outside_counts_for_nothing),
        cmocka_unit_test(one_that_would_end_so_again_has_died_for_the_last_time),
        cmocka_unit_test(no_wait_is_longer_than_the_longest_nor_shorter_than_half),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

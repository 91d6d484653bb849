/* test_replay_clock.c - the time that a replay shows. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "observer/source/replay_clock.h"

enum { SECOND = 1000000 };
static const int64_t first_us = 1000 * (int64_t)SECOND;
static const int64_t last_us = 1300 * (int64_t)SECOND;

static struct replay_clock started(int64_t speed)
{
    struct replay_clock clock;

    replay_clock_init(&clock, first_us, last_us, speed, 50);
    return clock;
}

static void see(const struct replay_clock *clock, int64_t mono_us, const char *wanted)
{
    struct buf words;

    buf_init(&words, 100);
    replay_clock_words(clock, mono_us, &words);
    assert_string_equal(buf_text(&words), wanted);
    buf_done(&words);
}

static void it_runs_as_fast_as_it_is_told_to(void **state)
{
    struct replay_clock clock = started(800);

    (void)state;
    see(&clock, 50, "replay 0:00 of 5:00 x8");
    assert_int_equal(replay_clock_now(&clock, 50 + SECOND), first_us + 8 * SECOND);
    replay_clock_slower(&clock, 50 + SECOND);
    assert_int_equal(replay_clock_now(&clock, 50 + 2 * SECOND), first_us + 12 * SECOND);
    see(&clock, 50 + 2 * SECOND, "replay 0:12 of 5:00 x4");
    replay_clock_faster(&clock, 50 + 2 * SECOND);
    assert_int_equal(replay_clock_now(&clock, 50 + 3 * SECOND), first_us + 20 * SECOND);
}

static void it_stands_while_it_is_paused(void **state)
{
    struct replay_clock clock = started(100);

    (void)state;
    replay_clock_pause(&clock, true, 50 + SECOND);
    assert_int_equal(replay_clock_now(&clock, 50 + 9 * SECOND), first_us + SECOND);
    assert_int_equal(replay_clock_wait_us(&clock, last_us, 50), -1);
    see(&clock, 50 + 9 * SECOND, "replay 0:01 of 5:00 x1 paused");
    replay_clock_pause(&clock, false, 50 + 9 * SECOND);
    assert_int_equal(replay_clock_now(&clock, 50 + 10 * SECOND), first_us + 2 * SECOND);
}

static void it_stays_within_the_record(void **state)
{
    struct replay_clock clock = started(REPLAY_SPEED_TOP);

    (void)state;
    assert_false(replay_clock_over(&clock, 50));
    assert_true(replay_clock_over(&clock, 50 + SECOND));
    assert_int_equal(replay_clock_now(&clock, INT64_MAX / 2), last_us);
    see(&clock, 50 + SECOND, "replay 5:00 of 5:00 x1024 end");
    replay_clock_seek(&clock, first_us - 1, 60);
    assert_int_equal(replay_clock_now(&clock, 60), first_us);
    assert_int_equal(replay_clock_now(&clock, 0), first_us);
}

static void a_wait_is_over_when_the_clock_shows_that_time(void **state)
{
    static const int64_t speeds[] = {25, 100, 300, 800, 102400};

    (void)state;
    for (size_t i = 0; i < sizeof speeds / sizeof *speeds; i++) {
        struct replay_clock clock = started(speeds[i]);
        int64_t at_us = first_us + 123456789;
        int64_t wait_us = replay_clock_wait_us(&clock, at_us, 50);

        assert_true(wait_us > 0);
        assert_true(replay_clock_now(&clock, 50 + wait_us) >= at_us);
        assert_true(replay_clock_now(&clock, 50 + wait_us - 2 - wait_us / 1000)
                    < at_us);
        assert_int_equal(replay_clock_wait_us(&clock, first_us, 50), 0);
    }
}

static void the_fastest_is_moved_by_who_plays(void **state)
{
    struct replay_clock clock = started(REPLAY_SPEED_TOP);

    (void)state;
    replay_clock_faster(&clock, 50);
    assert_int_equal(clock.speed, REPLAY_SPEED_MAX);
    assert_int_equal(replay_clock_now(&clock, 50 + SECOND), first_us);
    see(&clock, 50, "replay 0:00 of 5:00 max");
    replay_clock_slower(&clock, 50);
    assert_int_equal(clock.speed, REPLAY_SPEED_TOP);
}

static void speeds_are_numbers_or_max(void **state)
{
    static const struct {
        const char *text;
        int64_t speed; /* -1: refused */
    } rows[] = {{"1", 100},   {"0.5", 50},      {"x8", 800}, {"8x", 800},  {"max", 0},
                {"0.25", 25}, {"1024", 102400}, {"0.1", -1}, {"2000", -1}, {"", -1},
                {"x", -1},    {"fast", -1},     {"-1", -1},  {"1 ", -1},   {"nan", -1}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int64_t speed = -1;

        assert_int_equal(replay_speed_parse(rows[i].text, &speed), rows[i].speed >= 0);
        assert_int_equal(speed, rows[i].speed);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_runs_as_fast_as_it_is_told_to),
        cmocka_unit_test(it_stands_while_it_is_paused),
        cmocka_unit_test(it_stays_within_the_record),
        cmocka_unit_test(a_wait_is_over_when_the_clock_shows_that_time),
        cmocka_unit_test(the_fastest_is_moved_by_who_plays),
        cmocka_unit_test(speeds_are_numbers_or_max),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_wall_row.c - one row of the wall: its rate, its times, its warnings. */
#include <string.h>

#include "test_wall_rig.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static void assert_near(double got, double wanted)
{
    if (got < wanted - 0.01 || got > wanted + 0.01)
        fail_msg("%.4f instead of %.4f", got, wanted);
}

static int64_t after_s(double seconds)
{
    return RIG_START + (int64_t)(seconds * 1e6);
}

static void assert_words(const struct wall_row *row, const char *wanted)
{
    struct buf words;

    buf_init(&words, 512);
    wall_row_words(row, &words);
    assert_string_equal(buf_text(&words), wanted);
    buf_done(&words);
}

static void the_rate_is_the_tokens_of_a_turn_by_the_time_between_turns(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_facts("running");

    (void)state;
    wall_row_facts(row, &facts, after_s(0.3));
    assert_near(wall_row_rate(row, after_s(0.3)), -1);
    /* The turn came 2 s after the start; when we looked does not matter. */
    facts = rig_after(1, 60, after_s(2));
    wall_row_facts(row, &facts, after_s(2.4));
    assert_near(wall_row_rate(row, after_s(2.4)), 30);
    /* Two turns at once between two looks. */
    facts = rig_after(3, 160, after_s(4));
    wall_row_facts(row, &facts, after_s(4.1));
    assert_near(wall_row_rate(row, after_s(5)), 50);
    /* Nothing comes: it falls. */
    assert_near(wall_row_rate(row, after_s(14)), 10);
    assert_int_equal(row->sample_count, 2);
    assert_near(wall_row_sample(row, 0), 30);
    assert_near(wall_row_sample(row, 1), 50);
    facts = rig_ended("turns");
    wall_row_facts(row, &facts, after_s(15));
    assert_near(wall_row_rate(row, after_s(15)), -1);
    wall_row_free(row);
}

static void a_pause_is_not_time_in_which_nothing_was_said(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_after(1, 10, after_s(1));

    (void)state;
    wall_row_facts(row, &facts, after_s(1));
    facts = rig_after(2, 30, after_s(2));
    wall_row_facts(row, &facts, after_s(2));
    assert_near(wall_row_rate(row, after_s(2)), 20);
    facts = rig_after(2, 30, -1);
    (void)snprintf(facts.talk.state, sizeof facts.talk.state, "paused");
    wall_row_facts(row, &facts, after_s(3));
    assert_near(wall_row_rate(row, after_s(3)), -1);
    facts = rig_after(2, 30, after_s(100));
    wall_row_facts(row, &facts, after_s(100));
    facts = rig_after(3, 60, after_s(102));
    wall_row_facts(row, &facts, after_s(102));
    assert_near(wall_row_rate(row, after_s(102)), 15);
    wall_row_free(row);
}

static void only_the_last_samples_are_kept(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);

    (void)state;
    for (int i = 0; i <= 40; i++) {
        struct wall_facts facts = rig_after(i, 5 * i * (i + 1), after_s(i * 10));

        wall_row_facts(row, &facts, after_s(i * 10));
    }
    assert_int_equal(row->sample_count, WALL_SAMPLES);
    assert_near(wall_row_sample(row, 0), 25);
    assert_near(wall_row_sample(row, WALL_SAMPLES - 1), 40);
    wall_row_free(row);
}

static void turns_that_vanish_are_told_as_rewound(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_after(9, 90, after_s(9));

    (void)state;
    wall_row_facts(row, &facts, after_s(9));
    assert_words(row, "");
    facts = rig_after(7, 70, after_s(10));
    wall_row_facts(row, &facts, after_s(10));
    assert_words(row, "rewound");
    assert_near(wall_row_rate(row, after_s(10)), -1);
    facts = rig_after(8, 90, after_s(11));
    wall_row_facts(row, &facts, after_s(11));
    assert_near(wall_row_rate(row, after_s(11)), 20);
    wall_row_free(row);
}

static void the_words_tell_all_warnings_the_worst_first(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_after(9, 90, after_s(9));
    struct wall_turn turn = {.turn = 9, .context_truncated = true, .fallback = true};

    (void)state;
    facts.failures = 2;
    facts.issue = 3;
    wall_row_facts(row, &facts, after_s(9));
    wall_row_waiting(row, 10, str_of("local, cloud"));
    wall_row_turn(row, &turn);
    assert_words(row,
                 "waits for local, cloud, 2 failed, asked 3 times, fallback reply, "
                 "context cut");
    /* The next turn: the wait is over; that a prompt was cut stays. */
    facts = rig_after(10, 100, after_s(10));
    wall_row_facts(row, &facts, after_s(10));
    turn = (struct wall_turn){.turn = 10};
    wall_row_turn(row, &turn);
    assert_words(row, "context cut");
    facts = rig_ended("duration");
    facts.talk.turns = 10;
    wall_row_facts(row, &facts, after_s(11));
    assert_words(row, "duration, context cut");
    wall_row_free(row);
}

static void what_is_left_and_asked_is_by_the_given_time(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_facts("running");

    (void)state;
    assert_int_equal(wall_row_left_ms(row, after_s(0)), -1);
    assert_int_equal(wall_row_asked_ms(row, after_s(0)), -1);
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(wall_row_left_ms(row, after_s(100)), 200000);
    assert_int_equal(wall_row_left_ms(row, after_s(400)), 0);
    assert_int_equal(wall_row_asked_ms(row, after_s(2.5)), 2500);
    assert_int_equal(wall_row_asked_ms(row, after_s(-1)), 0);
    facts.talk.deadline_us = -1;
    facts.talk.left_ms = 7000;
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(wall_row_left_ms(row, after_s(400)), 7000);
    facts = rig_ended("failed");
    facts.talk.left_ms = 7000; /* kept for a retry */
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(wall_row_left_ms(row, after_s(0)), -1);
    wall_row_free(row);
}

static void names_are_kept_short_and_whole_characters(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_facts("running");
    char longest[300];
    struct str names[WALL_NAMES + 4];
    struct wall_cast cast = {.version = 1, .names = names};

    (void)state;
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = "\xE6\xBC\xA2"[i % 3]; /* a Han character */
    for (size_t i = 0; i < WALL_NAMES + 4; i++)
        names[i] = str_make(longest, 297);
    cast.name_count = WALL_NAMES + 4;
    cast.topic = str_make(longest, 297);
    wall_row_cast(row, &cast);
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(row->name_count, WALL_NAMES);
    assert_int_equal(wall_row_speaker(row).len, (WALL_NAME_SIZE - 1) / 3 * 3);
    assert_int_equal(strlen(row->topic), (WALL_TOPIC_SIZE - 1) / 3 * 3);
    facts.talk.seat = 99;
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(wall_row_speaker(row).len, 0);
    cast.name_count = 0;
    wall_row_cast(row, &cast);
    facts.talk.seat = 1;
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(wall_row_speaker(row).len, 0);
    wall_row_free(row);
}

static void a_state_of_a_later_version_is_not_taken_for_one_we_know(void **state)
{
    struct wall_row *row = wall_row_new(rig_id(1), 1);
    struct wall_facts facts = rig_facts("dreaming");

    (void)state;
    wall_row_facts(row, &facts, after_s(0));
    assert_int_equal(wall_row_state(row), WALL_IS_UNKNOWN);
    assert_false(wall_row_ended(row));
    wall_row_free(row);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rate_is_the_tokens_of_a_turn_by_the_time_between_turns),
        cmocka_unit_test(a_pause_is_not_time_in_which_nothing_was_said),
        cmocka_unit_test(only_the_last_samples_are_kept),
        cmocka_unit_test(turns_that_vanish_are_told_as_rewound),
        cmocka_unit_test(the_words_tell_all_warnings_the_worst_first),
        cmocka_unit_test(what_is_left_and_asked_is_by_the_given_time),
        cmocka_unit_test(names_are_kept_short_and_whole_characters),
        cmocka_unit_test(a_state_of_a_later_version_is_not_taken_for_one_we_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

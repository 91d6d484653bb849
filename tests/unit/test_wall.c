/* test_wall.c - the wall's model: who is shown in which order, who stays selected, what
 * the figures are.
 */
#include <string.h>

#include "test_wall_rig.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const int64_t now_us = RIG_START + 10 * RIG_SECOND;

static void count_change(void *owner)
{
    ++*(int *)owner;
}

static void assert_order(struct wall *wall, const int *numbers, size_t count)
{
    wall_arrange(wall, now_us);
    assert_int_equal(wall_shown(wall), count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(wall_at(wall, i)->id, rig_id(numbers[i]).at);
}

/* Five in different states; the newest is 5. */
static struct wall *five(void)
{
    struct wall *wall = wall_new(NULL, NULL);
    struct wall_facts facts = rig_after(3, 300, now_us - 5 * RIG_SECOND);

    rig_take(wall, 1, &facts, now_us);
    facts = rig_facts("paused");
    facts.talk.asked_at_us = facts.talk.deadline_us = -1;
    facts.talk.left_ms = 5000;
    facts.talk.tokens = 50;
    rig_take(wall, 2, &facts, now_us);
    facts = rig_ended("failed");
    facts.failures = 3;
    rig_take(wall, 3, &facts, now_us);
    facts = rig_after(9, 900, now_us - RIG_SECOND);
    facts.talk.deadline_us = now_us + 60 * RIG_SECOND;
    rig_take(wall, 4, &facts, now_us);
    facts = rig_ended("turns");
    facts.talk.tokens = 2000;
    rig_take(wall, 5, &facts, now_us);
    return wall;
}

static void each_order_is_what_its_name_says(void **state)
{
    static const struct {
        enum wall_sort sort;
        int order[5];
    } rows[] = {
        {WALL_NEWEST, {5, 4, 3, 2, 1}},    {WALL_STATE, {4, 1, 2, 3, 5}},
        {WALL_SLOWEST, {1, 4, 5, 3, 2}},   {WALL_TOKENS, {5, 4, 1, 2, 3}},
        {WALL_TIME_LEFT, {2, 4, 1, 5, 3}}, {WALL_WARNINGS, {3, 5, 4, 2, 1}},
    };
    struct wall *wall = five();

    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, WALL_SORT_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        int reversed[5];

        wall_sort_by(wall, rows[i].sort, false);
        assert_order(wall, rows[i].order, 5);
        wall_sort_by(wall, rows[i].sort, true);
        for (int k = 0; k < 5; k++)
            reversed[k] = rows[i].order[4 - k];
        assert_order(wall, reversed, 5);
    }
    wall_free(wall);
}

static void states_pick_out_those_in_them(void **state)
{
    static const struct {
        enum wall_states states;
        size_t count;
        int order[5];
    } rows[] = {
        {WALL_ALL, 5, {5, 4, 3, 2, 1}}, {WALL_RUNNING, 2, {4, 1}},
        {WALL_WAITING, 0, {0}},         {WALL_PAUSED, 1, {2}},
        {WALL_ENDED, 1, {5}},           {WALL_FAILED, 1, {3}},
    };
    struct wall *wall = five();

    (void)state;
    assert_int_equal(sizeof rows / sizeof *rows, WALL_STATES_COUNT);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wall_filter_states(wall, rows[i].states);
        assert_order(wall, rows[i].order, rows[i].count);
    }
    wall_free(wall);
}

static void who_waits_for_a_server_or_a_worker_is_waiting(void **state)
{
    struct wall *wall = wall_new(NULL, NULL);
    struct wall_facts facts = rig_after(3, 300, now_us - 5 * RIG_SECOND);

    (void)state;
    rig_take(wall, 1, &facts, now_us);
    wall_take_waiting(wall, rig_id(1), 4, str_of("local"));
    facts.calling = false;
    rig_take(wall, 2, &facts, now_us);
    facts.talk.asked_at_us = now_us - RIG_SECOND; /* no call yet, but not for long */
    rig_take(wall, 3, &facts, now_us);
    wall_filter_states(wall, WALL_WAITING);
    assert_order(wall, (int[]){2, 1}, 2);
    /* The next turn is not the one that waited. */
    facts = rig_after(4, 400, now_us);
    rig_take(wall, 1, &facts, now_us);
    facts = rig_facts("running");
    wall_filter_states(wall, WALL_WAITING);
    assert_order(wall, (int[]){2}, 1);
    wall_free(wall);
}

static void a_filter_finds_ids_names_topics_states_reasons_and_warnings(void **state)
{
    static const struct {
        const char *text;
        bool inverse;
        size_t count;
        int order[5];
    } rows[] = {
        {"00004", false, 1, {4}},
        {"ada q", false, 1, {1}},
        {"LIGHTHOUSE", false, 1, {2}},
        {"paused", false, 1, {2}},
        {"turns", false, 1, {5}},
        {"3 failed", false, 1, {3}},
        {"failed", true, 4, {5, 4, 2, 1}},
        {"nowhere", false, 0, {0}},
        {"nowhere", true, 5, {5, 4, 3, 2, 1}},
        {"", true, 5, {5, 4, 3, 2, 1}},
    };
    struct wall *wall = five();

    (void)state;
    rig_cast(wall, 1, "bread", "Ada Quill", "Bo");
    rig_cast(wall, 2, "a lighthouse at night", "Cy", "Di");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        wall_filter(wall, str_of(rows[i].text), rows[i].inverse);
        assert_order(wall, rows[i].order, rows[i].count);
    }
    wall_free(wall);
}

static void a_filter_that_is_too_long_is_cut(void **state)
{
    struct wall *wall = five();
    char text[1000];
    bool inverse;

    (void)state;
    memset(text, 'A', sizeof text);
    wall_filter(wall, str_make(text, sizeof text), false);
    assert_int_equal(wall_filter_text(wall, &inverse).len, WALL_FILTER_SIZE - 1);
    wall_arrange(wall, now_us);
    assert_int_equal(wall_shown(wall), 0);
    wall_free(wall);
}

/* ---- the selected one ---- */

static void the_selection_stays_with_its_conversation_when_rows_move(void **state)
{
    struct wall *wall = five();
    struct wall_facts facts = rig_facts("running");

    (void)state;
    wall_look(wall, 3);
    wall_arrange(wall, now_us);
    wall_select(wall, 1);
    assert_string_equal(wall_selected(wall)->id, rig_id(4).at);
    rig_take(wall, 6, &facts, now_us);
    wall_arrange(wall, now_us);
    assert_string_equal(wall_selected(wall)->id, rig_id(4).at);
    assert_int_equal(wall_selected_at(wall), 2);
    wall_sort_by(wall, WALL_NEWEST, true);
    wall_arrange(wall, now_us);
    assert_string_equal(wall_selected(wall)->id, rig_id(4).at);
    assert_int_equal(wall_selected_at(wall), 3);
    assert_true(wall_top(wall) <= 3 && wall_top(wall) + 3 > 3);
    wall_free(wall);
}

static void before_anything_was_selected_it_is_the_first_row(void **state)
{
    struct wall *wall = five();
    struct wall_facts facts = rig_facts("running");

    (void)state;
    wall_arrange(wall, now_us);
    rig_take(wall, 6, &facts, now_us);
    wall_arrange(wall, now_us);
    assert_string_equal(wall_selected(wall)->id, rig_id(6).at);
    wall_free(wall);
}

static void when_the_selected_one_goes_the_row_at_its_place_is_selected(void **state)
{
    struct wall *wall = five();

    (void)state;
    wall_arrange(wall, now_us);
    wall_select(wall, 1);
    wall_take_gone(wall, rig_id(4));
    /* Also before the order is made anew nothing shows a row that is gone. */
    assert_int_equal(wall_shown(wall), 4);
    assert_string_equal(wall_at(wall, 1)->id, rig_id(3).at);
    wall_arrange(wall, now_us);
    assert_string_equal(wall_selected(wall)->id, rig_id(3).at);
    wall_select(wall, SIZE_MAX);
    assert_string_equal(wall_selected(wall)->id, rig_id(1).at);
    wall_filter(wall, str_of("failed"), false);
    wall_arrange(wall, now_us);
    assert_string_equal(wall_selected(wall)->id, rig_id(3).at);
    wall_filter(wall, str_of("nowhere"), false);
    wall_arrange(wall, now_us);
    assert_null(wall_selected(wall));
    wall_free(wall);
}

static void who_comes_back_is_selected_again_unless_another_was_chosen(void **state)
{
    struct wall *wall = five();
    struct wall_facts facts = rig_facts("running");

    (void)state;
    wall_arrange(wall, now_us);
    wall_select(wall, 1);
    for (int round = 0; round < 2; round++) {
        wall_take_count(wall, 0, now_us);
        wall_arrange(wall, now_us);
        assert_null(wall_selected(wall));
        for (int i = 1; i <= 5; i++) {
            rig_take(wall, i, &facts, now_us);
            wall_arrange(wall, now_us);
            if (round == 1 && i == 3)
                wall_select(wall, 2);
        }
        assert_string_equal(wall_selected(wall)->id, rig_id(round == 0 ? 4 : 1).at);
    }
    wall_free(wall);
}

static void the_window_keeps_the_selection_in_sight(void **state)
{
    struct wall *wall = wall_new(NULL, NULL);
    struct wall_facts facts = rig_facts("running");

    (void)state;
    for (int i = 0; i < 100; i++)
        rig_take(wall, i, &facts, now_us);
    wall_look(wall, 10);
    wall_arrange(wall, now_us);
    wall_select(wall, 42);
    assert_int_equal(wall_top(wall), 33);
    wall_select(wall, 20);
    assert_int_equal(wall_top(wall), 20);
    wall_select(wall, SIZE_MAX);
    assert_int_equal(wall_top(wall), 90);
    wall_look(wall, 200);
    assert_int_equal(wall_top(wall), 0);
    wall_look(wall, 0);
    wall_select(wall, 99);
    wall_look(wall, 1);
    assert_int_equal(wall_top(wall), 99);
    wall_free(wall);
}

/* ---- figures ---- */

static void states_and_failures_are_counted_as_rows_change(void **state)
{
    struct wall *wall = five();
    const struct wall_totals *totals = wall_totals(wall, now_us);
    struct wall_facts facts = rig_ended("failed");

    (void)state;
    assert_int_equal(totals->states[WALL_IS_RUNNING], 2);
    assert_int_equal(totals->states[WALL_IS_PAUSED], 1);
    assert_int_equal(totals->states[WALL_IS_ENDED], 1);
    assert_int_equal(totals->states[WALL_IS_FAILED], 1);
    assert_int_equal(totals->failures, 3);
    facts.failures = 2;
    rig_take(wall, 1, &facts, now_us);
    (void)wall_take_id(wall, rig_id(9), 1);
    totals = wall_totals(wall, now_us);
    assert_int_equal(totals->states[WALL_IS_RUNNING], 1);
    assert_int_equal(totals->states[WALL_IS_FAILED], 2);
    assert_int_equal(totals->states[WALL_IS_UNKNOWN], 1);
    assert_int_equal(totals->failures, 5);
    wall_take_gone(wall, rig_id(3));
    wall_take_gone(wall, rig_id(9));
    totals = wall_totals(wall, now_us);
    assert_int_equal(totals->states[WALL_IS_FAILED], 1);
    assert_int_equal(totals->states[WALL_IS_UNKNOWN], 0);
    assert_int_equal(totals->failures, 2);
    wall_free(wall);
}

static void rates_are_the_growth_of_all_rows_by_the_time(void **state)
{
    struct wall *wall = wall_new(NULL, NULL);
    const struct wall_totals *totals;
    struct wall_facts facts;

    (void)state;
    facts = rig_after(100, 5000, RIG_START);
    rig_take(wall, 1, &facts, RIG_START);
    rig_take(wall, 2, &facts, RIG_START);
    /* What was there before we looked is no growth; and there was no second yet. */
    totals = wall_totals(wall, RIG_START + 1);
    assert_true(totals->turns_per_second < 0);
    assert_int_equal(totals->sample_count, 0);
    for (int second = 1; second <= 20; second++) {
        facts = rig_after(100 + second, 5000 + 40 * second,
                          RIG_START + second * RIG_SECOND);
        facts.failures = second;
        rig_take(wall, 1 + second % 2, &facts, RIG_START + second * RIG_SECOND);
        facts.failures = second - 1;
    }
    totals = wall_totals(wall, RIG_START + 21 * RIG_SECOND);
    /* Each row is read every other second and then shows two seconds' growth. */
    assert_true(totals->turns_per_second > 1.9 && totals->turns_per_second < 2.1);
    assert_true(totals->tokens_per_second > 79 && totals->tokens_per_second < 81);
    assert_int_equal(totals->sample_count, WALL_SECONDS - 1);
    assert_true(totals->samples[totals->sample_count - 1] > 79);
    /* Nothing comes for ten seconds. */
    totals = wall_totals(wall, RIG_START + 32 * RIG_SECOND);
    assert_true(totals->tokens_per_second == 0);
    wall_free(wall);
}

static void a_conversation_that_began_while_we_looked_counts_from_its_first_turn(
    void **state)
{
    struct wall *wall = wall_new(NULL, NULL);
    struct wall_facts facts = rig_after(5, 500, RIG_START);

    (void)state;
    rig_take(wall, 1, &facts, RIG_START);
    facts = rig_after(2, 100, RIG_START + 2 * RIG_SECOND);
    facts.talk.created_at_us = RIG_START + RIG_SECOND;
    rig_take(wall, 2, &facts, RIG_START + 2 * RIG_SECOND);
    assert_true(wall_totals(wall, RIG_START + 10 * RIG_SECOND)->tokens_per_second
                > 9.9);
    assert_true(wall_totals(wall, RIG_START + 10 * RIG_SECOND)->tokens_per_second
                < 10.1);
    wall_free(wall);
}

static void ages_are_of_rows_that_go_on(void **state)
{
    struct wall *wall = wall_new(NULL, NULL);
    struct wall_facts facts = rig_facts("running");

    (void)state;
    (void)wall_take_id(wall, rig_id(1), 1);
    wall_arrange(wall, now_us);
    assert_int_equal(wall_age_us(wall, now_us), -1);
    rig_take(wall, 1, &facts, now_us);
    rig_take(wall, 2, &facts, now_us + RIG_SECOND);
    facts = rig_ended("turns");
    rig_take(wall, 3, &facts, now_us - RIG_SECOND);
    wall_arrange(wall, now_us + RIG_SECOND);
    assert_int_equal(wall_age_us(wall, now_us + 3 * RIG_SECOND), 3 * RIG_SECOND);
    wall_free(wall);
}

/* ---- bounds ---- */

static void an_emptied_redis_leaves_no_row(void **state)
{
    struct wall *wall = five();

    (void)state;
    wall_arrange(wall, now_us);
    wall_select(wall, 3);
    wall_take_count(wall, 0, now_us);
    assert_int_equal(wall_shown(wall), 0);
    assert_null(wall_selected(wall));
    wall_arrange(wall, now_us);
    assert_int_equal(wall_count(wall), 0);
    for (int i = 0; i < WALL_STATE_COUNT; i++)
        assert_int_equal(wall_totals(wall, now_us)->states[i], 0);
    assert_int_equal(wall_totals(wall, now_us)->failures, 0);
    wall_free(wall);
}

static void no_more_rows_than_the_bound_and_only_valid_ids(void **state)
{
    struct wall *wall = wall_new(NULL, NULL);

    (void)state;
    assert_false(wall_take_id(wall, str_of("../../etc/passwd"), 1));
    assert_false(wall_take_id(wall, str_of(""), 1));
    for (int i = 0; i < WALL_ROWS_MAX; i++)
        assert_true(wall_take_id(wall, rig_id(i), i));
    assert_false(wall_take_id(wall, rig_id(WALL_ROWS_MAX), 1));
    assert_true(wall_take_id(wall, rig_id(17), 1)); /* known */
    wall_arrange(wall, now_us);
    assert_int_equal(wall_shown(wall), WALL_ROWS_MAX);
    /* Every other goes; the rest is found. */
    for (int i = 0; i < WALL_ROWS_MAX; i += 2)
        wall_take_gone(wall, rig_id(i));
    for (int i = 0; i < WALL_ROWS_MAX; i++)
        assert_int_equal(wall_find(wall, rig_id(i)) != NULL, i % 2);
    wall_arrange(wall, now_us);
    assert_int_equal(wall_shown(wall), WALL_ROWS_MAX / 2);
    wall_free(wall);
}

static void changes_out_of_sight_draw_nothing_at_once(void **state)
{
    int changes = 0;
    struct wall *wall = wall_new(count_change, &changes);
    struct wall_facts facts = rig_facts("running");

    (void)state;
    for (int i = 0; i < 10; i++)
        rig_take(wall, i, &facts, now_us);
    wall_look(wall, 3);
    wall_arrange(wall, now_us);
    changes = 0;
    facts.talk.tokens = 100;
    rig_take(wall, 2, &facts, now_us + 1); /* the eighth from above */
    assert_int_equal(changes, 0);
    rig_take(wall, 8, &facts, now_us + 1);
    assert_int_equal(changes, 1);
    wall_take_count(wall, 10, now_us + RIG_SECOND); /* what comes each second draws */
    assert_int_equal(changes, 2);
    wall_free(wall);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_order_is_what_its_name_says),
        cmocka_unit_test(states_pick_out_those_in_them),
        cmocka_unit_test(who_waits_for_a_server_or_a_worker_is_waiting),
        cmocka_unit_test(a_filter_finds_ids_names_topics_states_reasons_and_warnings),
        cmocka_unit_test(a_filter_that_is_too_long_is_cut),
        cmocka_unit_test(the_selection_stays_with_its_conversation_when_rows_move),
        cmocka_unit_test(before_anything_was_selected_it_is_the_first_row),
        cmocka_unit_test(when_the_selected_one_goes_the_row_at_its_place_is_selected),
        cmocka_unit_test(who_comes_back_is_selected_again_unless_another_was_chosen),
        cmocka_unit_test(the_window_keeps_the_selection_in_sight),
        cmocka_unit_test(states_and_failures_are_counted_as_rows_change),
        cmocka_unit_test(rates_are_the_growth_of_all_rows_by_the_time),
        cmocka_unit_test(
            a_conversation_that_began_while_we_looked_counts_from_its_first_turn),
        cmocka_unit_test(ages_are_of_rows_that_go_on),
        cmocka_unit_test(an_emptied_redis_leaves_no_row),
        cmocka_unit_test(no_more_rows_than_the_bound_and_only_valid_ids),
        cmocka_unit_test(changes_out_of_sight_draw_nothing_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

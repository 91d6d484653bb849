/* test_talk_model.c - one conversation as the observer's screen knows it. */
#include "test_talk_rig.h"

static void rig_story(struct rig *rig)
{
    struct message message;

    rig_message(&message, MESSAGE_STORY, -1);
    message.story.setting = x_strdup("A harbour at night.");
    message.story.initial_situation = x_strdup("The lamp is out.");
    rig_give(rig, &message);
    for (int seat = 1; seat <= 2; seat++) {
        rig_message(&message, MESSAGE_PERSONA, seat);
        message.persona.name = x_strdup(seat == 1 ? "Ada Quill" : "Bo");
        message.persona.role = x_strdup("keeper");
        message.persona.goal = x_strdup("light");
        message.persona.style = x_strdup("short");
        rig_give(rig, &message);
    }
}

/* "kind turn author: text" of each line. */
static void rig_see(const struct rig *rig, const char *wanted)
{
    struct buf seen;

    buf_init(&seen, 1 << 20);
    for (size_t i = 0; i < rig->talk->count; i++) {
        const struct talk_line *line = rig->talk->lines[i];

        (void)buf_printf(&seen, "%s%s%s%s: %s;", talk_line_kind_name(line->kind),
                         line->speaking ? "* " : " ", buf_text(&line->author), "",
                         buf_text(&line->text));
    }
    assert_string_equal(buf_text(&seen), wanted);
    buf_done(&seen);
}

static void test_story_personas_and_turns_are_lines_in_their_order(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    talk_take_head(rig.talk);
    rig_story(&rig);
    rig_turn(&rig, 1, "Good\tevening.");
    rig_see(&rig, "story : A harbour at night.\nThe lamp is out.;"
                  "persona Ada Quill: keeper; wants: light; speaks: short;"
                  "persona Bo: keeper; wants: light; speaks: short;"
                  "turn Ada Quill: Good    evening.;");
    assert_true(rig.talk->has_head && rig.talk->has_tail);
    assert_string_equal(buf_text(&rig.talk->setting),
                        "A harbour at night.\nThe lamp is out.");
    assert_string_equal(buf_text(&rig.talk->seats[0].model), "tiny");
    assert_int_equal(rig.talk->taken, 1);
    rig_close(&rig);
}

static void test_hostile_text_is_harmless_in_lines_and_names(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig_turn(&rig, 1,
             "a\033]52;c;x\007b\xC2\x9B"
             "31m");
    rig_see(&rig, "turn Ada Quill: a<U+001B>]52;c;x<U+0007>b<U+009B>31m;");
    rig_close(&rig);
}

static void test_a_turn_keeps_its_place_from_its_first_word_to_its_commit(void **state)
{
    struct rig rig;
    int64_t serial;

    (void)state;
    rig_open(&rig);
    rig_live(&rig, "begin", 1, "");
    rig_live(&rig, "delta", 1, "Good ");
    rig_live(&rig, "delta", 1, "eve");
    rig_see(&rig, "turn* Ada Quill: Good eve;");
    serial = talk_speaking(rig.talk)->serial;
    rig_facts(&rig, "paused", "asked");
    rig_turn(&rig, 1, "Good evening.");
    rig_see(&rig, "turn Ada Quill: Good evening.;note : paused;");
    assert_int_equal(rig.talk->lines[0]->serial, serial);
    assert_null(talk_speaking(rig.talk));
    rig_close(&rig);
}

static void test_withdrawn_words_go_and_leave_a_note_where_they_stood(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig_live(&rig, "begin", 1, "");
    rig_live(&rig, "delta", 1, "Nonsense");
    rig_live(&rig, "withdrawn", 1, "");
    rig_see(&rig, "note : Ada Quill: withdrawn, asked again;");
    rig_live(&rig, "begin", 1, "");
    rig_live(&rig, "delta", 1, "Sense");
    rig_live(&rig, "end", 1, "cancelled");
    rig_see(&rig, "note : Ada Quill: withdrawn, asked again;"
                  "note : Ada Quill: cut short, not kept;");
    rig_close(&rig);
}

static void test_a_turn_that_failed_says_so_and_counts_nothing(void **state)
{
    struct rig rig;
    struct message message;

    (void)state;
    rig_open(&rig);
    rig_message(&message, MESSAGE_TURN, 1);
    message.sequence_number = 1;
    message.text = x_strdup("");
    message.failed = true;
    rig_give(&rig, &message);
    rig_see(&rig, "turn Ada Quill: (failed: nothing was said);");
    assert_true(rig.talk->lines[0]->failed);
    assert_true(rig.talk->seats[0].turns == 1 && rig.talk->seats[0].counted == 0);
    rig_close(&rig);
}

static void test_states_are_told_as_notes(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig_facts(&rig, "running", "");
    rig_facts(&rig, "paused", "asked");
    rig_facts(&rig, "running", "asked");
    rig_facts(&rig, "ended", "stopped");
    rig_see(&rig, "note : paused;note : it goes on;"
                  "note : ended: it was stopped; 0 turns in 0:00;");
    assert_true(talk_ended(rig.talk));
    rig_close(&rig);
}

static void test_who_waits_for_servers_is_shown_until_the_turn_comes(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig_live(&rig, "waiting", 1, "local, cloud");
    assert_string_equal(buf_text(&rig.talk->waiting), "local, cloud");
    rig_see(&rig, "note : seat 1 waits for a model server; down: local, cloud; "
                  "last: refused;");
    rig_turn(&rig, 1, "At last.");
    assert_int_equal(rig.talk->waiting.len, 0);
    rig_close(&rig);
}

static void test_sums_of_a_seat_count_each_turn_once(void **state)
{
    struct rig rig;
    const struct talk_seat *ada;

    (void)state;
    rig_open(&rig);
    for (int turn = 1; turn <= 5; turn++)
        rig_turn(&rig, turn, "x");
    rig.entry--; /* the last entry once more */
    rig.state.last_turn = 4;
    rig_turn(&rig, 5, "x");
    ada = &rig.talk->seats[0];
    assert_int_equal(ada->turns, 3);
    assert_int_equal(ada->tokens, 30);
    assert_true(talk_seat_first_token_ms(ada) == 3.0); /* of 1, 3, 5 */
    assert_int_equal(talk_seat_context(ada), 115);     /* 105 + 10 */
    rig_close(&rig);
}

static void test_a_seat_without_counts_has_no_context_and_no_mean(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    assert_true(talk_seat_first_token_ms(&rig.talk->seats[0]) < 0);
    assert_int_equal(talk_seat_context(&rig.talk->seats[0]), -1);
    rig_close(&rig);
}

static void test_a_rewind_takes_the_lost_turns_out_of_lines_and_sums(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    for (int turn = 1; turn <= 4; turn++)
        rig_turn(&rig, turn, "x");
    talk_state_rewound(&rig.state, 2);
    rig_see(&rig, "turn Ada Quill: x;turn Bo: x;"
                  "note : history was rewound: Redis kept no more than turn 2;");
    assert_int_equal(rig.talk->seats[0].turns, 1);
    assert_int_equal(rig.talk->counted_to, 2);
    rig.entry = 2;
    rig_turn(&rig, 3, "y"); /* an entry of the same number as the one lost */
    assert_int_equal(rig.talk->seats[0].turns, 2);
    rig_close(&rig);
}

static void test_the_window_is_bounded_and_lets_go_what_lies_farthest(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    talk_take_head(rig.talk);
    for (int turn = 1; turn <= TALK_LINES_MAX + 10; turn++)
        rig_turn(&rig, turn, "x");
    assert_int_equal(rig.talk->count, TALK_LINES_MAX);
    assert_int_equal(rig.talk->lines[0]->turn, 11);
    assert_false(rig.talk->has_head);
    /* Who looks at the first line keeps it; what comes is not in the window. */
    talk_watch(rig.talk, rig.talk->lines[0]->serial);
    rig_turn(&rig, TALK_LINES_MAX + 11, "x");
    assert_int_equal(rig.talk->lines[0]->turn, 11);
    assert_false(rig.talk->has_tail);
    assert_int_equal(rig.talk->taken, TALK_LINES_MAX + 11);
    assert_int_equal(rig.talk->seats[0].turns + rig.talk->seats[1].turns,
                     TALK_LINES_MAX + 11);
    rig_close(&rig);
}

static void test_the_window_is_bounded_in_bytes(void **state)
{
    struct rig rig;
    char *large = x_malloc(300001);

    (void)state;
    memset(large, 'x', 300000);
    large[300000] = '\0';
    rig_open(&rig);
    for (int turn = 1; turn <= 100; turn++)
        rig_turn(&rig, turn, large);
    assert_in_range(rig.talk->bytes, 1, TALK_BYTES_MAX);
    assert_in_range(rig.talk->count, 5, 30);
    assert_int_equal(rig.talk->lines[rig.talk->count - 1]->turn, 100);
    rig_close(&rig);
    free(large);
}

/* Turns `from` to `to` as a page's entries; the entry's number is the turn's. */
static void give_page(struct rig *rig, int from, int to, const char *text)
{
    int step = from <= to ? 1 : -1;

    rig->page = true;
    rig->full = false;
    for (int turn = from; turn != to + step && !rig->full; turn += step) {
        struct talk_state reader;
        struct talk_state live = rig->state;

        talk_state_init(&reader, RIG_ID, rig_on_sight, rig);
        rig->state = reader;
        rig->entry = (uint64_t)turn - 1;
        rig_turn(rig, turn, text);
        talk_state_done(&rig->state);
        rig->state = live;
    }
    rig->page = false;
}

static void test_older_turns_are_asked_for_near_the_border_and_put_before(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig.entry = 1000;
    for (int turn = 1001; turn <= 1200; turn++)
        rig_turn(&rig, turn, "x");
    talk_watch(rig.talk, rig.talk->lines[199]->serial);
    assert_int_equal(rig.asked, 0);
    talk_watch(rig.talk, rig.talk->lines[20]->serial);
    assert_int_equal(rig.asked, 1);
    assert_true(rig.older);
    assert_int_equal(rig.from, 1001);
    talk_watch(rig.talk, rig.talk->lines[19]->serial);
    assert_int_equal(rig.asked, 1); /* one at a time */
    give_page(&rig, 1000, 901, "p");
    talk_page_end(rig.talk, false);
    assert_int_equal(rig.talk->lines[0]->turn, 901);
    assert_int_equal(rig.talk->count, 300);
    assert_int_equal(rig.talk->counted_from, 901);
    assert_int_equal(rig.talk->seats[0].turns, 150);
    for (size_t i = 1; i < rig.talk->count; i++)
        assert_true(rig.talk->lines[i - 1]->serial < rig.talk->lines[i]->serial);
    rig_close(&rig);
}

static void test_the_end_that_went_out_of_the_window_is_read_again(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    talk_take_head(rig.talk);
    for (int turn = 1; turn <= TALK_LINES_MAX; turn++)
        rig_turn(&rig, turn, "x");
    talk_watch(rig.talk, rig.talk->lines[0]->serial);
    for (int turn = TALK_LINES_MAX + 1; turn <= TALK_LINES_MAX + 50; turn++)
        rig_turn(&rig, turn, "x");
    assert_false(rig.talk->has_tail);
    talk_watch(rig.talk, rig.talk->lines[rig.talk->count - 1]->serial);
    assert_true(rig.asked == 1 && !rig.older);
    assert_int_equal(rig.from, rig.talk->lines[rig.talk->count - 1]->turn);
    give_page(&rig, (int)rig.from + 1, TALK_LINES_MAX + 50, "p");
    talk_page_end(rig.talk, true);
    assert_true(rig.talk->has_tail);
    assert_int_equal(rig.talk->lines[rig.talk->count - 1]->turn, TALK_LINES_MAX + 50);
    assert_int_equal(rig.talk->count, TALK_LINES_MAX);
    assert_int_equal(rig.talk->seats[0].turns + rig.talk->seats[1].turns,
                     TALK_LINES_MAX + 50);
    rig_close(&rig);
}

/* Else a search goes on reading the same page for ever. */
static void test_a_line_of_any_size_has_its_neighbours_in_the_window(void **state)
{
    enum { TABS = 500000 }; /* four blanks each */
    struct rig rig;
    char *large = x_malloc(TABS + 1);

    (void)state;
    memset(large, '\t', TABS);
    large[TABS] = '\0';
    rig_open(&rig);
    rig.entry = 10;
    for (int turn = 11; turn <= 14; turn++)
        rig_turn(&rig, turn, large);
    for (int turn = 11; turn > 8; turn--) {
        talk_watch(rig.talk, rig.talk->lines[0]->serial);
        assert_true(rig.older && rig.from == (uint64_t)rig.talk->lines[0]->turn);
        give_page(&rig, (int)rig.from - 1, (int)rig.from - 2, large);
        talk_page_end(rig.talk, false);
        assert_int_equal(rig.talk->lines[0]->turn, rig.from - 1);
    }
    assert_int_equal(rig.talk->count, TALK_LINES_KEPT);
    rig_close(&rig);
    free(large);
}

static void test_a_page_that_was_lost_is_asked_for_again(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    for (int turn = 1; turn <= 10; turn++)
        rig_turn(&rig, turn, "x");
    assert_true(talk_want_page(rig.talk, true));
    assert_false(talk_want_page(rig.talk, true));
    talk_page_end(rig.talk, false);
    assert_true(talk_want_page(rig.talk, true));
    talk_page_end(rig.talk, true);
    assert_true(rig.talk->has_head);
    assert_false(talk_want_page(rig.talk, true));
    rig_close(&rig);
}

static void test_unknown_and_lost_are_told_apart(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    talk_take_absence(rig.talk);
    assert_int_equal(rig.talk->presence, TALK_UNKNOWN);
    rig_facts(&rig, "running", "");
    rig_turn(&rig, 1, "x");
    talk_take_absence(rig.talk);
    talk_take_absence(rig.talk);
    assert_int_equal(rig.talk->presence, TALK_LOST);
    rig_see(&rig, "turn Ada Quill: x;note : history lost: Redis no longer knows this "
                  "conversation;");
    rig_close(&rig);
}

static void test_a_request_that_came_for_another_seat_is_passed_over(void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    talk_want_asked(rig.talk, 2);
    assert_int_equal(rig.seat, 2);
    talk_take_asked(rig.talk, 1, str_of("{\"a\":1}"));
    assert_false(rig.talk->asked.answered);
    talk_take_asked(rig.talk, 2, str_of("{\"b\":2}"));
    assert_true(rig.talk->asked.answered);
    assert_string_equal(buf_text(&rig.talk->asked.text), "{\"b\":2}");
    talk_set_reader(rig.talk, NULL);
    talk_want_asked(rig.talk, 1);
    assert_true(rig.talk->asked.answered && rig.talk->asked.text.len == 0);
    rig_close(&rig);
}

static void test_a_page_that_nobody_brings_any_more_leaves_no_window_that_seems_whole(
    void **state)
{
    struct rig rig;

    (void)state;
    rig_open(&rig);
    rig_turn(&rig, 1, "Good evening.");
    assert_true(talk_jump(rig.talk, NULL));
    talk_set_reader(rig.talk, NULL); /* another screen is looked at */
    talk_set_reader(rig.talk, &rig_reader);
    assert_false(rig.talk->has_tail);
    assert_false(rig.talk->has_head);
    rig_close(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_story_personas_and_turns_are_lines_in_their_order),
        cmocka_unit_test(test_hostile_text_is_harmless_in_lines_and_names),
        cmocka_unit_test(test_a_turn_keeps_its_place_from_its_first_word_to_its_commit),
        cmocka_unit_test(test_withdrawn_words_go_and_leave_a_note_where_they_stood),
        cmocka_unit_test(test_a_turn_that_failed_says_so_and_counts_nothing),
        cmocka_unit_test(test_states_are_told_as_notes),
        cmocka_unit_test(test_who_waits_for_servers_is_shown_until_the_turn_comes),
        cmocka_unit_test(test_sums_of_a_seat_count_each_turn_once),
        cmocka_unit_test(test_a_seat_without_counts_has_no_context_and_no_mean),
        cmocka_unit_test(test_a_rewind_takes_the_lost_turns_out_of_lines_and_sums),
        cmocka_unit_test(test_the_window_is_bounded_and_lets_go_what_lies_farthest),
        cmocka_unit_test(test_the_window_is_bounded_in_bytes),
        cmocka_unit_test(test_older_turns_are_asked_for_near_the_border_and_put_before),
        cmocka_unit_test(test_the_end_that_went_out_of_the_window_is_read_again),
        cmocka_unit_test(test_a_line_of_any_size_has_its_neighbours_in_the_window),
        cmocka_unit_test(test_a_page_that_was_lost_is_asked_for_again),
        cmocka_unit_test(test_unknown_and_lost_are_told_apart),
        cmocka_unit_test(test_a_request_that_came_for_another_seat_is_passed_over),
        cmocka_unit_test(
            test_a_page_that_nobody_brings_any_more_leaves_no_window_that_seems_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

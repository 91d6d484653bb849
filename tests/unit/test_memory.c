/* test_memory.c - what a worker remembers: bounded, and never more than it knows. */
#include <stdlib.h>
#include <string.h>

#include "test_page.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct memory *memory;
static struct memory_page *page;

/* A page with a cast of version 1 that has read turns 1 to `turns`, behind two lines of
 * the transcript that are no turns. */
static void read_page(int64_t turns)
{
    page_set_cast(memory, page, 2, 1);
    for (int64_t turn = 1; turn <= turns; turn++)
        page_add(memory, page, turn, 2 - turn % 2, "words");
    memory_filled(page, turns + 2);
}

static int set_up(void **state)
{
    (void)state;
    memory = memory_new(1 << 20);
    page = memory_pin(memory, "one");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_free(memory);
    return 0;
}

/* A request that wants `lines` of the transcript from `window` on. */
static bool warm(int64_t version, int64_t lines, const char *window, const char *upto,
                 const char *last)
{
    struct memory_need need = {version, lines, window, upto, str_of(last)};

    return memory_warm(memory, page, &need);
}

static void all_texts_of_a_cast_count(void **state)
{
    enum { LONG = 5000 };
    struct cast cast = page_cast(2, 1);
    size_t before = memory_bytes(memory);

    (void)state;
    cast.seats[0].fallback_reply = x_calloc(LONG + 1, 1);
    memset(cast.seats[0].fallback_reply, 'x', LONG);
    cast.seats[1].model.options = x_calloc(LONG + 1, 1);
    memset(cast.seats[1].model.options, 'x', LONG);
    memory_set_cast(memory, page, x_strdup(""), &cast);
    assert_true(memory_bytes(memory) > before + 2 * LONG);
}

static void a_new_page_is_cold_and_empty(void **state)
{
    (void)state;
    assert_int_equal(page->line_count, 0);
    assert_int_equal(page->known, 0);
    assert_string_equal(page->topic, "");
    assert_string_equal(page->last_id, "");
    assert_false(warm(1, 2, "", "2-0", ""));
    assert_false(warm(-1, 1, "", "1-0", "")); /* the version of no cast is none */
}

static void a_page_that_has_read_all_is_warm(void **state)
{
    (void)state;
    read_page(5);
    assert_true(warm(1, 7, "", "5-0", ""));
    assert_int_equal(page->line_count, 5);
    assert_string_equal(page->last_id, "5-0");
    assert_string_equal(page->lines[4].id, "5-0");
    assert_int_equal(page->lines[4].turn, 5);
    assert_int_equal(page->lines[4].seat, 1);
    assert_string_equal(page->lines[4].author, "Ada");
    assert_string_equal(page->lines[4].text, "words");
}

static void another_cast_makes_it_cold(void **state)
{
    (void)state;
    read_page(5);
    assert_false(warm(2, 7, "", "5-0", ""));
    page_set_cast(memory, page, 3, 2);
    assert_true(warm(2, 7, "", "5-0", ""));
    assert_string_equal(page->topic, "lamps");
    assert_int_equal(page->cast.seat_count, 3);
}

static void the_requests_last_message_is_enough_for_one_line(void **state)
{
    char *last = page_turn(6, 2, "the last");

    (void)state;
    read_page(5);
    assert_true(warm(1, 8, "", "6-0", last));
    assert_int_equal(page->line_count, 6);
    assert_string_equal(page->lines[5].text, "the last");
    assert_string_equal(page->lines[5].id, "6-0");
    assert_string_equal(page->last_id, "6-0");
    assert_true(warm(1, 8, "", "6-0", last)); /* a redelivery adds it no second time */
    assert_int_equal(page->line_count, 6);
    free(last);
}

static void more_than_one_line_short_is_cold(void **state)
{
    char *last = page_turn(7, 1, "the last");

    (void)state;
    read_page(5);
    assert_false(warm(1, 9, "", "7-0", last));
    assert_false(warm(1, 8, "", "6-0", ""));
    assert_false(warm(1, 6, "", "4-0", "")); /* an earlier turn again */
    assert_int_equal(page->line_count, 5);
    free(last);
}

static void a_last_message_that_is_none_leaves_it_cold(void **state)
{
    static const char *const bad[] = {"{", "[]", "7", "{\"kind\":\"turn\"}", "\xFF"};

    (void)state;
    read_page(5);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(warm(1, 8, "", "6-0", bad[i]));
    assert_int_equal(page->line_count, 5);
    assert_int_equal(page->known, 7);
}

static void own_words_and_the_answer_to_them_need_no_reading(void **state)
{
    char *answer = page_turn(7, 2, "answer");

    (void)state;
    read_page(5);
    memory_add_own(memory, page, 6, 1, "Ada", str_make("mine and more", 4));
    assert_int_equal(page->line_count, 6);
    assert_string_equal(page->lines[5].text, "mine");
    assert_string_equal(page->lines[5].id, "");
    assert_string_equal(page->last_id, "5-0");
    assert_true(warm(1, 9, "", "7-0", answer));
    assert_int_equal(page->line_count, 7);
    assert_string_equal(page->lines[6].text, "answer");
    free(answer);
}

static void what_was_put_in_before_our_own_words_makes_it_cold(void **state)
{
    char *mine = page_turn(6, 1, "mine");
    char *staged = page_staged(0, "rain");

    (void)state;
    read_page(5);
    memory_add_own(memory, page, 6, 1, "Ada", str_of("mine"));
    /* Line 8 is the event, ours stands at 9: not at 8, as the page thinks. */
    assert_false(warm(1, 9, "", "6-0", mine));
    assert_int_equal(page->line_count, 6);
    /* Behind our words it is the one line that was lacking. */
    assert_true(warm(1, 9, "", "7-0", staged));
    assert_int_equal(page->line_count, 7);
    assert_int_equal(page->lines[6].turn, -1);
    assert_string_equal(page->lines[6].text, "rain");
    free(mine);
    free(staged);
}

static void own_words_whose_place_is_not_known_do_not_end_a_request(void **state)
{
    (void)state;
    read_page(5);
    memory_add_own(memory, page, 6, 1, "Ada", str_of("mine"));
    assert_false(warm(1, 8, "", "6-0", ""));
}

static void a_page_that_began_behind_the_window_is_cold(void **state)
{
    (void)state;
    read_page(5);
    memory_drop_before(memory, page, "3-0");
    assert_int_equal(page->line_count, 3);
    assert_string_equal(page->lines[0].id, "3-0");
    assert_true(warm(1, 7, "3-0", "5-0", ""));
    assert_true(warm(1, 7, "4-0", "5-0", ""));
    assert_false(warm(1, 7, "2-0", "5-0", ""));
    assert_false(warm(1, 7, "", "5-0", ""));
}

static void rewinding_drops_what_has_no_id(void **state)
{
    (void)state;
    read_page(5);
    memory_add_own(memory, page, 6, 1, "Ada", str_of("mine"));
    memory_rewind(memory, page, "");
    assert_int_equal(page->line_count, 5);
    assert_int_equal(page->known, 7);
    assert_string_equal(page->last_id, "5-0");
    page_add(memory, page, 6, 1, "mine, as it was stored");
    memory_filled(page, 8);
    assert_true(warm(1, 8, "", "6-0", ""));
    assert_string_equal(page->lines[5].text, "mine, as it was stored");
}

static void rewinding_before_the_first_line_starts_anew(void **state)
{
    (void)state;
    read_page(5);
    memory_drop_before(memory, page, "3-0");
    memory_rewind(memory, page, "3-0");
    assert_int_equal(page->line_count, 3);
    memory_rewind(memory, page, "2-0");
    assert_int_equal(page->line_count, 0);
    assert_int_equal(page->known, 0);
    assert_string_equal(page->last_id, "");
    assert_string_equal(page->first_id, "");
    memory_add_own(memory, page, 6, 1, "Ada", str_of("mine"));
    memory_rewind(memory, page, "");
    assert_int_equal(page->line_count, 0);
}

static void dropping_keeps_what_stands_at_the_window_and_behind(void **state)
{
    (void)state;
    read_page(4);
    memory_add_own(memory, page, 5, 1, "Ada", str_of("mine"));
    memory_drop_before(memory, page, "");
    memory_drop_before(memory, page, "1-0");
    assert_int_equal(page->line_count, 5);
    assert_string_equal(page->first_id, ""); /* nothing went: it began at the start */
    memory_drop_before(memory, page, "2-1");
    assert_int_equal(page->line_count, 3);
    assert_string_equal(page->lines[0].id, "3-0");
    assert_string_equal(page->lines[2].text, "mine");
    memory_rewind(memory, page, "2-1");
    assert_int_equal(page->line_count, 2);
    assert_string_equal(page->lines[1].id, "4-0");
}

static void lines_without_an_id_go_with_the_one_before_them(void **state)
{
    char *answer = page_turn(4, 2, "answer");

    (void)state;
    read_page(2);
    memory_add_own(memory, page, 3, 1, "Ada", str_of("mine"));
    assert_true(warm(1, 6, "", "4-0", answer));
    assert_int_equal(memory_first_from(page, ""), 0);
    assert_int_equal(memory_first_from(page, "2-0"), 1);
    assert_int_equal(memory_first_from(page, "4-0"), 3);
    assert_int_equal(memory_first_from(page, "9-0"), 4);
    memory_drop_before(memory, page, "4-0");
    assert_int_equal(page->line_count, 1);
    assert_string_equal(page->lines[0].text, "answer");
    free(answer);
}

static void only_turns_become_lines(void **state)
{
    struct err err = {0};
    struct message story;
    struct buf json;

    (void)state;
    message_init(&story, MESSAGE_STORY);
    story.message_id = x_strdup("k3v9q2m4x7ab:story:1");
    story.conversation_id = x_strdup("k3v9q2m4x7ab");
    story.story.setting = x_strdup("here");
    story.story.initial_situation = x_strdup("now");
    buf_init(&json, 1 << 16);
    assert_true(message_format(&story, &json));
    assert_true(memory_add_entry(memory, page, str_of("1-0"), buf_str(&json), &err));
    assert_int_equal(page->line_count, 0);
    assert_string_equal(page->last_id, "1-0");
    message_done(&story);
    buf_done(&json);
}

static void broken_entries_are_refused_by_id(void **state)
{
    char *turn = page_turn(1, 1, "words");
    struct err err = {0};
    char long_id[ENTRY_SIZE + 1];

    (void)state;
    memset(long_id, '1', sizeof long_id);
    assert_false(memory_add_entry(memory, page, str_of("7-3"), str_of("{"), &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.msg, "7-3"));
    assert_false(memory_add_entry(memory, page, str_of(""), str_of(turn), &err));
    assert_false(memory_add_entry(memory, page, str_make(long_id, ENTRY_SIZE),
                                  str_of(turn), &err));
    assert_int_equal(page->line_count, 0);
    assert_true(memory_add_entry(memory, page, str_make(long_id, ENTRY_SIZE - 1),
                                 str_of(turn), &err));
    assert_int_equal(strlen(page->last_id), ENTRY_SIZE - 1);
    free(turn);
}

static void ids_are_ordered_by_both_their_numbers(void **state)
{
    static const char *const order[] = {
        "",
        "0-1",
        "1-0",
        "1-9",
        "1-10",
        "9-0",
        "10-0",
        "1700000000000-0",
        "1700000000000-18446744073709551615",
        "18446744073709551615-0",
        "18446744073709551615-18446744073709551615",
    };
    enum { IDS = sizeof order / sizeof *order };

    (void)state;
    for (int i = 0; i < IDS; i++)
        for (int j = 0; j < IDS; j++) {
            int got = entry_compare(order[i], order[j]);

            if ((got > 0) - (got < 0) != (i > j) - (i < j))
                fail_msg("'%s' and '%s' gave %d", order[i], order[j], got);
        }
    assert_int_equal(entry_compare("5", "5-0"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_texts_of_a_cast_count),
        TEST(a_new_page_is_cold_and_empty),
        TEST(a_page_that_has_read_all_is_warm),
        TEST(another_cast_makes_it_cold),
        TEST(the_requests_last_message_is_enough_for_one_line),
        TEST(more_than_one_line_short_is_cold),
        TEST(a_last_message_that_is_none_leaves_it_cold),
        TEST(own_words_and_the_answer_to_them_need_no_reading),
        TEST(what_was_put_in_before_our_own_words_makes_it_cold),
        TEST(own_words_whose_place_is_not_known_do_not_end_a_request),
        TEST(a_page_that_began_behind_the_window_is_cold),
        TEST(rewinding_drops_what_has_no_id),
        TEST(rewinding_before_the_first_line_starts_anew),
        TEST(dropping_keeps_what_stands_at_the_window_and_behind),
        TEST(lines_without_an_id_go_with_the_one_before_them),
        TEST(only_turns_become_lines),
        TEST(broken_entries_are_refused_by_id),
        TEST(ids_are_ordered_by_both_their_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

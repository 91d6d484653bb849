/* test_prompt.c - what a persona is told: the same bytes each time, within the room. */
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "test_page.h"
#include "worker/budget.h"
#include "worker/prompt.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { WIDE = 100000 };

static struct prompt_templates templates;
static struct memory *memory;
static struct memory_page *page;

static int load_templates(void **state)
{
    struct err err = {0};

    (void)state;
    return prompt_templates_load(NULL, &templates, &err) ? 0 : -1;
}

static int drop_templates(void **state)
{
    (void)state;
    prompt_templates_done(&templates);
    return 0;
}

static int set_up(void **state)
{
    (void)state;
    memory = memory_new(1 << 24);
    page = memory_pin(memory, "one");
    page_set_cast(memory, page, 2, 1);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    memory_free(memory);
    return 0;
}

static struct prompt build_wish(const struct prompt_wish *wish)
{
    struct prompt prompt;
    struct err err = {0};

    if (!prompt_system(&templates, memory, page, wish->seat, false, &err))
        fail_msg("%s", err.msg);
    if (!prompt_build(&templates, wish, &prompt, &err))
        fail_msg("%s", err.msg);
    assert_string_equal(prompt.messages[0].role, "system");
    return prompt;
}

static struct prompt build(int64_t seat, const char *window, size_t room_bytes)
{
    struct prompt_wish wish = {
        .page = page, .seat = seat, .window = window, .room_bytes = room_bytes};

    return build_wish(&wish);
}

static void expect_message(const struct prompt *prompt, size_t i, const char *role,
                           const char *text)
{
    assert_true(i < prompt->count);
    assert_string_equal(prompt->messages[i].role, role);
    if (!str_is(prompt->messages[i].text, text))
        fail_msg("message %zu is '%.*s'", i, (int)prompt->messages[i].text.len,
                 prompt->messages[i].text.at);
}

static bool holds(struct str text, const char *part)
{
    for (size_t i = 0; i < text.len; i++)
        if (str_starts(str_make(text.at + i, text.len - i), part))
            return true;
    return false;
}

static void the_persona_is_told_who_and_where_it_is(void **state)
{
    static const char *const parts[] = {
        "You are Ada, keeper.",        "Topic: lamps",
        "Setting: a lighthouse",       "the lamp is out",
        "- Ada, keeper\n- Bo, keeper", "Your traits: calm",
        "Your goal: light it",         "Your style: plain",
    };
    struct prompt prompt = build(1, "", WIDE);

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        if (!holds(prompt.messages[0].text, parts[i]))
            fail_msg("%s", parts[i]);
    assert_false(holds(prompt.messages[0].text, "{"));
    prompt_done(&prompt);
}

static void the_first_to_speak_is_asked_to_begin(void **state)
{
    struct prompt prompt = build(1, "", WIDE);

    (void)state;
    assert_int_equal(prompt.count, 2);
    expect_message(&prompt, 1, "user", "(The scene begins. Ada speaks first.)");
    assert_string_equal(prompt.window, "");
    prompt_done(&prompt);
}

static void own_words_are_the_assistants_and_others_bear_their_names(void **state)
{
    struct prompt prompt;

    (void)state;
    page_set_cast(memory, page, 3, 1);
    page_add(memory, page, 1, 1, "from Ada");
    page_add(memory, page, 2, 2, "from Bo");
    page_add(memory, page, 3, 3, "Cyd: from {name} \xE2\x82\xAC");
    memory_add_own(memory, page, 4, 1, "Ada", str_of("Ada again"));
    page_add(memory, page, 5, 2, "Bo again");
    prompt = build(1, "", WIDE);
    assert_int_equal(prompt.count, 7);
    expect_message(&prompt, 1, "user", "(The scene begins. Ada speaks first.)");
    expect_message(&prompt, 2, "assistant", "from Ada");
    expect_message(&prompt, 3, "user", "Bo: from Bo");
    expect_message(&prompt, 4, "user", "Cyd: Cyd: from {name} \xE2\x82\xAC");
    expect_message(&prompt, 5, "assistant", "Ada again");
    expect_message(&prompt, 6, "user", "Bo: Bo again");
    prompt_done(&prompt);
    prompt = build(3, "", WIDE);
    expect_message(&prompt, 1, "user", "Ada: from Ada");
    expect_message(&prompt, 3, "assistant", "Cyd: from {name} \xE2\x82\xAC");
    expect_message(&prompt, 5, "user", "Bo: Bo again");
    prompt_done(&prompt);
}

static void after_a_failed_turn_the_seat_is_asked_to_go_on(void **state)
{
    static const char go_on[] = "(There was no answer. Ada goes on.)";
    struct prompt prompt;

    (void)state;
    page_add(memory, page, 1, 1, "anybody there?");
    prompt = build(1, "", WIDE);
    assert_int_equal(prompt.count, 4);
    expect_message(&prompt, 2, "assistant", "anybody there?");
    expect_message(&prompt, 3, "user", go_on);
    prompt_done(&prompt);

    page_add(memory, page, 2, 2, ""); /* Bo's turn failed and was passed */
    prompt = build(1, "", WIDE);
    assert_int_equal(prompt.count, 4);
    expect_message(&prompt, 2, "assistant", "anybody there?");
    expect_message(&prompt, 3, "user", go_on);
    prompt_done(&prompt);

    prompt = build(2, "", WIDE); /* Bo, asked again, hears Ada */
    assert_int_equal(prompt.count, 2);
    expect_message(&prompt, 1, "user", "Ada: anybody there?");
    prompt_done(&prompt);
}

static void a_failed_turn_between_others_is_not_told(void **state)
{
    struct prompt prompt;

    (void)state;
    page_add(memory, page, 1, 1, "one");
    page_add(memory, page, 2, 2, "");
    page_add(memory, page, 3, 1, "three");
    prompt = build(2, "", WIDE);
    assert_int_equal(prompt.count, 3);
    expect_message(&prompt, 1, "user", "Ada: one");
    expect_message(&prompt, 2, "user", "Ada: three");
    prompt_done(&prompt);
}

static void when_nobody_has_said_a_word_the_scene_begins(void **state)
{
    struct prompt prompt;

    (void)state;
    page_add(memory, page, 1, 1, "");
    page_add(memory, page, 2, 2, "");
    prompt = build(1, "", WIDE);
    assert_int_equal(prompt.count, 2);
    expect_message(&prompt, 1, "user", "(The scene begins. Ada speaks first.)");
    prompt_done(&prompt);
}

/* All messages in one text, roles and borders included; the caller frees. */
static char *flat(const struct prompt *prompt)
{
    struct buf text;

    buf_init(&text, 1 << 24);
    for (size_t i = 0; i < prompt->count; i++) {
        buf_printf(&text, "%s %zu ", prompt->messages[i].role,
                   prompt->messages[i].text.len);
        buf_add_str(&text, prompt->messages[i].text);
        buf_add_char(&text, '\n');
    }
    return buf_take(&text);
}

static void the_system_text_is_the_same_at_every_turn(void **state)
{
    struct prompt first = build(2, "", WIDE);

    (void)state;
    for (int64_t turn = 1; turn <= 40; turn++) {
        struct prompt prompt;

        page_add(memory, page, turn, 2 - turn % 2, "some words of a turn");
        prompt = build(2, turn > 20 ? "15-0" : "", turn % 3 == 0 ? 900 : WIDE);
        assert_true(str_eq(prompt.messages[0].text, first.messages[0].text));
        prompt_done(&prompt);
    }
    prompt_done(&first);
}

/* A turn's prompt begins with all of the prompt before it: a server's cache hits. From
 * a seat's first turn on, also where it opened the scene. */
static void expect_growing(int64_t seat)
{
    char *before = NULL;

    for (int64_t turn = 1; turn <= 30; turn++) {
        if (turn % 2 == seat % 2) { /* its own turn comes next */
            struct prompt prompt = build(seat, "", WIDE);
            char *text = flat(&prompt);

            if (before != NULL)
                assert_int_equal(strncmp(text, before, strlen(before)), 0);
            free(before);
            before = text;
            prompt_done(&prompt);
        }
        page_add(memory, page, turn, 2 - turn % 2, "some words of a turn");
    }
    free(before);
}

static void a_later_prompt_begins_with_the_earlier_one(void **state)
{
    (void)state;
    expect_growing(1);
    memory_forget_all(memory);
    page_set_cast(memory, page, 2, 1);
    expect_growing(2);
}

/* How many of the rooms made the window move. */
static int count_moved(int64_t seat)
{
    int moved = 0;

    for (size_t room = 900; room < 1400; room += 25) {
        struct prompt prompt = build(seat, "", room);

        if (prompt.window[0] != '\0') {
            assert_string_equal(prompt.messages[1].role, "user");
            moved++;
        }
        prompt_done(&prompt);
    }
    return moved;
}

static void a_window_begins_with_the_words_of_another(void **state)
{
    int moved = 0;

    (void)state;
    for (int64_t turn = 1; turn <= 60; turn++) {
        page_add(memory, page, turn, 2 - turn % 2, "some words of a turn");
        if (turn > 8)
            moved += count_moved(1 + turn % 2); /* whoever speaks next */
    }
    assert_true(moved > 100);
}

static void a_redelivery_builds_the_same_bytes(void **state)
{
    struct prompt prompt;
    char *cached;
    char *again;

    (void)state;
    for (int64_t turn = 1; turn <= 8; turn++)
        page_add(memory, page, turn, 2 - turn % 2, "some words of a turn");
    memory_add_own(memory, page, 9, 1, "Ada", str_of("Ada's ninth"));
    page_add(memory, page, 10, 2, "Bo's tenth");
    prompt = build(1, "4-0", 800);
    cached = flat(&prompt);
    prompt_done(&prompt);

    memory_forget_all(memory); /* another worker, or the same after a crash */
    page_set_cast(memory, page, 2, 1);
    for (int64_t turn = 4; turn <= 8; turn++)
        page_add(memory, page, turn, 2 - turn % 2, "some words of a turn");
    page_add(memory, page, 9, 1, "Ada's ninth");
    page_add(memory, page, 10, 2, "Bo's tenth");
    prompt = build(1, "4-0", 800);
    again = flat(&prompt);
    prompt_done(&prompt);
    assert_string_equal(cached, again);
    free(cached);
    free(again);
}

static size_t prompt_bytes(const struct prompt *prompt)
{
    size_t bytes = 0;

    for (size_t i = 0; i < prompt->count; i++)
        bytes += prompt->messages[i].text.len + BUDGET_MESSAGE_BYTES;
    return bytes;
}

static void a_long_talk_stays_in_its_room_and_the_window_moves_by_quarters(void **state)
{
    enum { ROOM_BYTES = 2400, TURNS = 400 };
    char window[ENTRY_SIZE] = "";
    int moves = 0;
    size_t fewest = SIZE_MAX;

    (void)state;
    for (int64_t turn = 1; turn <= TURNS; turn++) {
        struct prompt prompt;
        char text[64];

        fmt_into(text, sizeof text, "turn %lld says about so much", (long long)turn);
        page_add(memory, page, turn, 2 - turn % 2, text);
        prompt = build(turn % 2 == 1 ? 2 : 1, window, ROOM_BYTES);
        assert_int_equal(prompt_bytes(&prompt), prompt.bytes);
        assert_true(prompt.bytes <= ROOM_BYTES);
        assert_true(holds(prompt.messages[prompt.count - 1].text, text));
        if (prompt.window[0] != '\0') {
            assert_true(entry_compare(prompt.window, window) > 0);
            fmt_into(window, sizeof window, "%s", prompt.window);
            moves++;
        }
        if (moves > 0 && prompt.count < fewest)
            fewest = prompt.count;
        prompt_done(&prompt);
    }
    /* About 33 lines fit: they move by eight or so, never each turn, never all. */
    assert_in_range(moves, 10, TURNS / 6);
    assert_in_range(fewest, 15, 33);
}

static void the_window_moves_as_soon_as_one_byte_is_too_much(void **state)
{
    enum { LINES = 9 };
    static const size_t line_bytes = sizeof "Ada: twenty bytes of text" - 1 + 16;
    struct prompt prompt = build(2, "", WIDE);
    size_t enough = prompt.messages[0].text.len + 16 + LINES * line_bytes;

    (void)state;
    prompt_done(&prompt);
    for (int64_t turn = 1; turn <= LINES; turn++)
        page_add(memory, page, turn, 1, "twenty bytes of text");
    prompt = build(2, "", enough);
    assert_string_equal(prompt.window, "");
    assert_int_equal(prompt.count, 1 + LINES);
    assert_int_equal(prompt.bytes, enough);
    prompt_done(&prompt);
    prompt = build(2, "", enough - 1);
    assert_string_equal(prompt.window, "4-0"); /* 6 of 9 lines are within 3/4 */
    assert_int_equal(prompt.count, 1 + 6);
    prompt_done(&prompt);
}

static void the_new_window_is_the_first_line_that_is_told(void **state)
{
    struct prompt prompt;
    struct prompt again;

    (void)state;
    for (int64_t turn = 1; turn <= 100; turn++) {
        char text[16];

        fmt_into(text, sizeof text, "turn %lld", (long long)turn);
        page_add(memory, page, turn, 1, text);
    }
    prompt = build(2, "", 1800);
    assert_true(prompt.window[0] != '\0');
    again = build(2, prompt.window, 1800);
    assert_string_equal(again.window, ""); /* it did not move once more */
    assert_int_equal(again.count, prompt.count);
    assert_true(str_eq(again.messages[1].text, prompt.messages[1].text));
    {
        char first[64];

        fmt_into(first, sizeof first, "Ada: turn %d", atoi(prompt.window));
        expect_message(&prompt, 1, "user", first);
    }
    prompt_done(&again);
    prompt_done(&prompt);
}

static void without_room_the_system_text_and_the_last_words_stay(void **state)
{
    static const size_t rooms[] = {0, 1, 150};

    (void)state;
    page_add(memory, page, 1, 1, "first");
    page_add(memory, page, 2, 2, "second");
    page_add(memory, page, 3, 1, "third");
    page_add(memory, page, 4, 2, "");
    for (size_t i = 0; i < sizeof rooms / sizeof *rooms; i++) {
        struct prompt prompt = build(2, "", rooms[i]);

        assert_int_equal(prompt.count, 2);
        assert_true(prompt.messages[0].text.len > 100);
        expect_message(&prompt, 1, "user", "Ada: third");
        assert_string_equal(prompt.window, "3-0");
        prompt_done(&prompt);
    }
}

static void a_window_from_nowhere_keeps_the_last_words(void **state)
{
    struct prompt prompt;

    (void)state;
    page_add(memory, page, 1, 1, "first");
    page_add(memory, page, 2, 2, "second");
    prompt = build(1, "18446744073709551615-18446744073709551615", WIDE);
    assert_int_equal(prompt.count, 2);
    expect_message(&prompt, 1, "user", "Bo: second");
    prompt_done(&prompt);
}

static void a_window_never_begins_at_words_without_an_id(void **state)
{
    struct prompt prompt;

    (void)state;
    for (int64_t turn = 1; turn < 40; turn += 2) {
        memory_add_own(memory, page, turn, 1, "Ada", str_of("own words of a turn"));
        page_add(memory, page, turn + 1, 2, "some words of a turn");
    }
    prompt = build(1, "", 1400);
    assert_true(prompt.window[0] != '\0');
    expect_message(&prompt, 1, "user", "Bo: some words of a turn");
    prompt_done(&prompt);
}

static void a_reply_that_could_not_be_used_is_shown_with_what_was_wrong(void **state)
{
    struct prompt_wish wish = {.page = page,
                               .seat = 1,
                               .window = "",
                               .room_bytes = WIDE,
                               .rejected = str_of("{oops"),
                               .complaint = "line 1, column 2: {bad}"};
    struct prompt plain;
    struct prompt prompt;

    (void)state;
    for (int64_t turn = 1; turn <= 9; turn++)
        page_add(memory, page, turn, 2, "twenty bytes of text");
    plain = build(1, "", WIDE);
    prompt = build_wish(&wish);
    assert_int_equal(prompt.count, plain.count + 2);
    for (size_t i = 0; i < plain.count; i++)
        assert_true(str_eq(prompt.messages[i].text, plain.messages[i].text));
    expect_message(&prompt, 10, "assistant", "{oops");
    assert_string_equal(prompt.messages[11].role, "user");
    assert_true(holds(prompt.messages[11].text, "line 1, column 2: {bad}"));
    assert_int_equal(prompt_bytes(&prompt), prompt.bytes);
    wish.room_bytes = prompt.bytes - 1; /* they take room from the history */
    prompt_done(&prompt);
    prompt_done(&plain);
    prompt = build_wish(&wish);
    assert_string_equal(prompt.window, "4-0");
    expect_message(&prompt, prompt.count - 2, "assistant", "{oops");
    prompt_done(&prompt);
}

/* The opening line of ours comes first then. */
static void the_first_turn_can_be_repaired_too(void **state)
{
    struct prompt_wish wish = {.page = page,
                               .seat = 1,
                               .window = "",
                               .room_bytes = WIDE,
                               .rejected = str_of("no"),
                               .complaint = "not JSON"};
    struct prompt prompt = build_wish(&wish);

    (void)state;
    assert_int_equal(prompt.count, 4);
    expect_message(&prompt, 1, "user", "(The scene begins. Ada speaks first.)");
    expect_message(&prompt, 2, "assistant", "no");
    assert_true(holds(prompt.messages[3].text, "not JSON"));
    prompt_done(&prompt);
}

static void the_system_text_is_built_once_and_counted(void **state)
{
    struct err err = {0};
    size_t before;
    size_t with_persona;
    const char *text;

    (void)state;
    before = memory_bytes(memory);
    assert_true(prompt_system(&templates, memory, page, 1, false, &err));
    text = page->systems[0];
    with_persona = memory_bytes(memory);
    assert_int_equal(with_persona - before, strlen(text) + 1);
    assert_true(prompt_system(&templates, memory, page, 1, true, &err));
    assert_ptr_equal(page->systems[0], text); /* as it was built first */
    assert_true(prompt_system(&templates, memory, page, 2, true, &err));
    assert_true(holds(str_of(page->systems[1]), "spoken words of Bo; \"sentiment\""));
    assert_false(holds(str_of(page->systems[0]), "sentiment"));
    page_set_cast(memory, page, 2, 2); /* another cast: nothing of it is kept */
    assert_null(page->systems[0]);
    assert_null(page->systems[1]);
    assert_int_equal(memory_bytes(memory), before);
}

static void templates_of_the_users_own_replace_the_built_in(void **state)
{
    char folder[] = "/tmp/parley-test-prompt-XXXXXX";
    struct prompt_templates own = {0};
    struct prompt_wish wish = {
        .page = page, .seat = 2, .window = "", .room_bytes = WIDE};
    struct prompt prompt;
    struct err err = {0};
    char *path;

    (void)state;
    assert_non_null(mkdtemp(folder));
    path = path_join(folder, "persona.txt");
    assert_true(file_write(path, str_of("I am {name}.\n"), &err));
    assert_true(prompt_templates_load(folder, &own, &err));
    assert_true(prompt_system(&own, memory, page, 2, false, &err));
    assert_true(prompt_build(&own, &wish, &prompt, &err));
    expect_message(&prompt, 0, "system", "I am Bo.");
    expect_message(&prompt, 1, "user", "(The scene begins. Bo speaks first.)");
    prompt_done(&prompt);
    prompt_templates_done(&own);

    assert_true(file_write(path, str_of("I am {nmae}."), &err));
    assert_true(prompt_templates_load(folder, &own, &err));
    assert_false(prompt_system(&own, memory, page, 1, false, &err));
    assert_int_equal(err.code, ERR_FORMAT);
    assert_non_null(strstr(err.msg, "{nmae}"));
    prompt_templates_done(&own);
    assert_true(file_remove_tree(folder, &err));
    free(path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_persona_is_told_who_and_where_it_is),
        TEST(the_first_to_speak_is_asked_to_begin),
        TEST(own_words_are_the_assistants_and_others_bear_their_names),
        TEST(after_a_failed_turn_the_seat_is_asked_to_go_on),
        TEST(a_failed_turn_between_others_is_not_told),
        TEST(when_nobody_has_said_a_word_the_scene_begins),
        TEST(the_system_text_is_the_same_at_every_turn),
        TEST(a_later_prompt_begins_with_the_earlier_one),
        TEST(a_window_begins_with_the_words_of_another),
        TEST(a_redelivery_builds_the_same_bytes),
        TEST(a_long_talk_stays_in_its_room_and_the_window_moves_by_quarters),
        TEST(the_window_moves_as_soon_as_one_byte_is_too_much),
        TEST(the_new_window_is_the_first_line_that_is_told),
        TEST(without_room_the_system_text_and_the_last_words_stay),
        TEST(a_window_from_nowhere_keeps_the_last_words),
        TEST(a_window_never_begins_at_words_without_an_id),
        TEST(a_reply_that_could_not_be_used_is_shown_with_what_was_wrong),
        TEST(the_first_turn_can_be_repaired_too),
        TEST(the_system_text_is_built_once_and_counted),
        TEST(templates_of_the_users_own_replace_the_built_in),
    };

    return cmocka_run_group_tests(tests, load_templates, drop_templates);
}

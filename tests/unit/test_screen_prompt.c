/* test_screen_prompt.c - the line where the user types: editing, pastes, answers. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "observer/screen/keymap.h"
#include "observer/screen/prompt.h"

enum { CTRL = 0x1F };

static enum prompt_outcome type(struct prompt *prompt, const char *keys)
{
    enum prompt_outcome outcome = PROMPT_OPEN;

    for (; *keys != '\0'; keys++)
        outcome = prompt_key(prompt, (unsigned char)*keys);
    return outcome;
}

static void assert_text(const struct prompt *prompt, const char *wanted)
{
    struct str text = prompt_text(prompt);

    assert_int_equal(text.len, strlen(wanted));
    assert_memory_equal(text.at, wanted, text.len);
}

static void a_line_is_typed_edited_and_given(void **state)
{
    struct prompt *prompt = prompt_new();

    (void)state;
    assert_int_equal(prompt_kind(prompt), PROMPT_NONE);
    prompt_ask_line(prompt, PROMPT_SEARCH, "search: ", str_of("fog"));
    assert_int_equal(prompt_kind(prompt), PROMPT_SEARCH);
    type(prompt, " horn");
    assert_text(prompt, "fog horn");
    prompt_key(prompt, KEY_TO_HOME);
    type(prompt, "the ");
    prompt_key(prompt, KEY_CURSOR_RIGHT);
    prompt_key(prompt, KEY_RUBOUT);
    prompt_key(prompt, KEY_DELETE);
    assert_text(prompt, "the g horn");
    prompt_key(prompt, KEY_TO_END);
    prompt_key(prompt, 'W' & CTRL);
    assert_text(prompt, "the g ");
    prompt_key(prompt, KEY_CURSOR_LEFT);
    prompt_key(prompt, 'K' & CTRL);
    assert_text(prompt, "the g");
    assert_int_equal(type(prompt, "\r"), PROMPT_GIVEN);
    assert_int_equal(prompt_kind(prompt), PROMPT_NONE);
    assert_text(prompt, "the g");
    prompt_free(prompt);
}

static void what_is_typed_is_erased_by_what_one_sees(void **state)
{
    static const int farmer[] = {0x1F469, 0x200D, 0x1F33E}; /* one emoji */
    struct prompt *prompt = prompt_new();

    (void)state;
    prompt_ask_line(prompt, PROMPT_SAY, "say: ", str_of("a"));
    for (size_t i = 0; i < sizeof farmer / sizeof *farmer; i++)
        prompt_key(prompt, farmer[i]);
    assert_text(prompt, "a\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x8C\xBE");
    prompt_key(prompt, KEY_RUBOUT);
    assert_text(prompt, "a");
    prompt_free(prompt);
}

static void a_paste_neither_moves_nor_escapes(void **state)
{
    struct prompt *prompt = prompt_new();

    (void)state;
    prompt_ask_line(prompt, PROMPT_SAY, "say: ", str_of("\033]0;x\007"));
    assert_text(prompt, "<U+001B>]0;x<U+0007>");
    prompt_key(prompt, 'U' & CTRL);
    assert_int_equal(prompt_key(prompt, 0x9B), PROMPT_OPEN);   /* C1 */
    assert_int_equal(prompt_key(prompt, 0x202E), PROMPT_OPEN); /* right to left */
    assert_int_equal(prompt_key(prompt, 0xD800), PROMPT_OPEN); /* half a pair */
    assert_int_equal(prompt_key(prompt, KEY_PAGE_UP), PROMPT_OPEN);
    assert_text(prompt, "");
    prompt_free(prompt);
}

static void paste(struct prompt *prompt, const char *keys)
{
    for (; *keys != '\0'; keys++)
        prompt_paste(prompt, (unsigned char)*keys);
}

static void a_paste_does_not_send_and_says_no_yes(void **state)
{
    struct prompt *prompt = prompt_new();

    (void)state;
    prompt_ask_line(prompt, PROMPT_SAY, "say: ", str_of(""));
    paste(prompt, "one\rtwo\tthree\003");
    assert_int_equal(prompt_kind(prompt), PROMPT_SAY);
    assert_text(prompt, "one two three");
    prompt_ask_yes(prompt, PROMPT_CONFIRM, "stop?");
    paste(prompt, "y\r");
    assert_int_equal(prompt_kind(prompt), PROMPT_CONFIRM);
    assert_int_equal(prompt_key(prompt, 'n'), PROMPT_CANCELLED);
    paste(prompt, "x");
    assert_text(prompt, "");
    prompt_free(prompt);
}

static void a_long_label_leaves_room_for_the_answer(void **state)
{
    struct prompt *prompt = prompt_new();
    struct canvas *canvas = canvas_new(1, 20, true);
    struct buf shown;

    (void)state;
    buf_init(&shown, 256);
    prompt_ask_yes(prompt, PROMPT_CONFIRM, "stop it at once, and for good?");
    prompt_draw(prompt, canvas, canvas_area(canvas));
    canvas_dump(canvas, &shown);
    assert_string_equal(buf_text(&shown), "stop it at onc~ y/n\n");
    buf_clear(&shown);
    prompt_ask_line(prompt, PROMPT_SAY,
                    "say to a persona of many names: ", str_of("good day"));
    prompt_draw(prompt, canvas, canvas_area(canvas));
    canvas_dump(canvas, &shown);
    assert_string_equal(buf_text(&shown), "say to a ~good day\n");
    buf_done(&shown);
    canvas_free(canvas);
    prompt_free(prompt);
}

static void a_line_has_a_bound(void **state)
{
    struct prompt *prompt = prompt_new();

    (void)state;
    prompt_ask_line(prompt, PROMPT_SAY, "say: ", str_of(""));
    for (int i = 0; i < PROMPT_MAX_BYTES; i++)
        prompt_key(prompt, 0x4F60);
    assert_in_range(prompt_text(prompt).len, PROMPT_MAX_BYTES - 3, PROMPT_MAX_BYTES);
    prompt_free(prompt);
}

static void escape_cancels_and_only_y_is_yes(void **state)
{
    struct prompt *prompt = prompt_new();

    (void)state;
    prompt_ask_line(prompt, PROMPT_SAVE, "to: ", str_of("x"));
    assert_int_equal(prompt_key(prompt, KEY_ESCAPE), PROMPT_CANCELLED);
    assert_int_equal(prompt_kind(prompt), PROMPT_NONE);
    prompt_ask_yes(prompt, PROMPT_CONFIRM, "stop?");
    assert_int_equal(prompt_key(prompt, 'y'), PROMPT_GIVEN);
    prompt_ask_yes(prompt, PROMPT_CONFIRM, "stop?");
    assert_int_equal(prompt_key(prompt, KEY_RETURN), PROMPT_CANCELLED);
    prompt_free(prompt);
}

static void the_end_of_a_long_line_is_what_one_sees(void **state)
{
    struct prompt *prompt = prompt_new();
    struct canvas *canvas = canvas_new(1, 20, false);
    struct buf shown;

    (void)state;
    buf_init(&shown, 256);
    prompt_ask_line(prompt, PROMPT_SEARCH, "find: ", str_of("0123456789abcdefghij"));
    prompt_draw(prompt, canvas, canvas_area(canvas));
    canvas_dump(canvas, &shown);
    assert_string_equal(buf_text(&shown), "find: 789abcdefghij\n");
    buf_clear(&shown);
    prompt_ask_yes(prompt, PROMPT_CONFIRM, "stop it?");
    prompt_draw(prompt, canvas, canvas_area(canvas));
    canvas_dump(canvas, &shown);
    assert_string_equal(buf_text(&shown), "stop it? y/n\n");
    buf_done(&shown);
    canvas_free(canvas);
    prompt_free(prompt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_typed_edited_and_given),
        cmocka_unit_test(what_is_typed_is_erased_by_what_one_sees),
        cmocka_unit_test(a_paste_neither_moves_nor_escapes),
        cmocka_unit_test(a_paste_does_not_send_and_says_no_yes),
        cmocka_unit_test(a_long_label_leaves_room_for_the_answer),
        cmocka_unit_test(a_line_has_a_bound),
        cmocka_unit_test(escape_cancels_and_only_y_is_yes),
        cmocka_unit_test(the_end_of_a_long_line_is_what_one_sees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

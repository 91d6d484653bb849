/* test_wrap.c - lines broken at words, whatever pieces the text comes in. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/utf8.h"
#include "base/wrap.h"

enum { OUT_MAX = 1 << 20 };

/* Wraps the text in pieces of so many bytes, never cutting a character. */
static void wrap_in_pieces(struct wrap *wrap, struct str text, size_t bytes,
                           struct buf *into)
{
    while (text.len > 0) {
        size_t piece = 0;
        uint32_t point;

        while (piece < bytes && piece < text.len)
            piece += utf8_decode(str_make(text.at + piece, text.len - piece), &point);
        assert_true(wrap_feed(wrap, str_make(text.at, piece), into));
        text = str_make(text.at + piece, text.len - piece);
    }
    assert_true(wrap_end(wrap, into));
}

static void check(const char *text, unsigned width, unsigned indent, const char *wanted)
{
    for (size_t bytes = 1; bytes <= strlen(text) + 1; bytes++) {
        struct wrap wrap;
        struct buf out;

        buf_init(&out, OUT_MAX);
        wrap_init(&wrap, width, indent, indent);
        wrap_in_pieces(&wrap, str_of(text), bytes, &out);
        assert_string_equal(buf_text(&out), wanted);
        wrap_done(&wrap);
        buf_done(&out);
    }
}

static void lines_break_between_words_with_a_hanging_indent(void **state)
{
    (void)state;
    check("one two three four", 12, 2, "one two\n  three four");
    check("exactly ten", 12, 4, "exactly\n    ten");
    check("exactly it", 14, 4, "exactly it");
    check("", 10, 2, "");
}

static void blanks_are_one_and_none_at_the_ends(void **state)
{
    (void)state;
    check("  a \t b  ", 20, 0, "a b");
    check("\n\n a", 20, 0, "a");
    check("a\n", 20, 0, "a");
}

static void line_ends_stay_and_many_make_one_empty_line(void **state)
{
    (void)state;
    check("a\nb", 20, 2, "a\n  b");
    check("a \n b", 20, 2, "a\n  b");
    check("a\n\n\n\nb", 20, 2, "a\n\n  b");
}

static void a_word_longer_than_a_line_is_cut(void **state)
{
    (void)state;
    check("abcdefghij", 6, 2, "abcd\n  efgh\n  ij");
    check("x abcdefghij", 6, 2, "x\n  abcd\n  efgh\n  ij");
}

static void wide_text_breaks_anywhere_but_before_its_punctuation(void **state)
{
    (void)state;
    /* Four wide characters, five columns behind the indent: two a line. */
    check("\xE4\xB8\x80\xE4\xBA\x8C\xE4\xB8\x89\xE5\x9B\x9B", 5, 0,
          "\xE4\xB8\x80\xE4\xBA\x8C\n\xE4\xB8\x89\xE5\x9B\x9B");
    /* The full stop goes with the character before it. */
    check("\xE4\xB8\x80\xE4\xBA\x8C\xE3\x80\x82", 5, 0,
          "\xE4\xB8\x80\n\xE4\xBA\x8C\xE3\x80\x82");
    check("hello\xF0\x9F\x98\x80!", 7, 0, "hello\n\xF0\x9F\x98\x80!");
}

static void without_width_all_is_one_line(void **state)
{
    (void)state;
    check(" one\ntwo\n\nthree\t four ", 0, 0, "one two three four");
}

static void a_word_is_written_only_when_it_is_whole(void **state)
{
    struct wrap wrap;
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX);
    wrap_init(&wrap, 20, 0, 0);
    assert_true(wrap_feed(&wrap, str_of("hello wor"), &out));
    assert_string_equal(buf_text(&out), "hello");
    assert_true(wrap_feed(&wrap, str_of("ld "), &out));
    assert_string_equal(buf_text(&out), "hello world");
    wrap_done(&wrap);
    buf_done(&out);
}

static void endless_marks_on_one_letter_are_bounded(void **state)
{
    struct wrap wrap;
    struct buf out;

    (void)state;
    buf_init(&out, OUT_MAX);
    wrap_init(&wrap, 20, 0, 0);
    for (int i = 0; i < 20000; i++)
        assert_true(wrap_feed(&wrap, str_of("\xCC\x88"), &out));
    assert_true(wrap_end(&wrap, &out));
    assert_int_equal(out.len, 40000);
    wrap_done(&wrap);
    buf_done(&out);
}

static void a_full_buffer_is_told(void **state)
{
    struct wrap wrap;
    struct buf out;

    (void)state;
    buf_init(&out, 4);
    wrap_init(&wrap, 20, 0, 0);
    assert_false(wrap_feed(&wrap, str_of("much too long "), &out));
    wrap_done(&wrap);
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_break_between_words_with_a_hanging_indent),
        cmocka_unit_test(blanks_are_one_and_none_at_the_ends),
        cmocka_unit_test(line_ends_stay_and_many_make_one_empty_line),
        cmocka_unit_test(a_word_longer_than_a_line_is_cut),
        cmocka_unit_test(wide_text_breaks_anywhere_but_before_its_punctuation),
        cmocka_unit_test(without_width_all_is_one_line),
        cmocka_unit_test(a_word_is_written_only_when_it_is_whole),
        cmocka_unit_test(endless_marks_on_one_letter_are_bounded),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_canvas.c - the grid that screens draw into: clipping, wide characters, charts.
 */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <math.h>
#include <cmocka.h>
/* clang-format on */

#include "base/buf.h"
#include "observer/screen/canvas.h"

static void assert_shows(const struct canvas *canvas, const char *wanted)
{
    struct buf shown;

    buf_init(&shown, 1 << 16);
    canvas_dump(canvas, &shown);
    assert_string_equal(buf_text(&shown), wanted);
    buf_done(&shown);
}

#define NI "\xE4\xBD\xA0" /* a Chinese character, two columns */

static void text_is_clipped_at_its_columns_and_at_the_edge(void **state)
{
    struct canvas *canvas = canvas_new(2, 8, false);

    (void)state;
    assert_int_equal(canvas_put(canvas, 0, 0, 3, PEN_TEXT, str_of("abcdef")), 3);
    assert_int_equal(canvas_put(canvas, 0, 5, 99, PEN_TEXT, str_of("vwxyz")), 3);
    assert_int_equal(canvas_put(canvas, 2, 0, 3, PEN_TEXT, str_of("no")), 0);
    assert_int_equal(canvas_put(canvas, 0, 8, 3, PEN_TEXT, str_of("no")), 0);
    assert_int_equal(canvas_put(canvas, 1, 0, 0, PEN_TEXT, str_of("no")), 0);
    assert_int_equal(canvas_put(canvas, 1, 0, 8, PEN_TEXT, str_of("a\nb\033c")), 8);
    assert_shows(canvas, "abc  vwx\na b<U+00\n");
    canvas_free(canvas);
}

static void a_wide_character_that_does_not_fit_leaves_a_blank(void **state)
{
    struct canvas *canvas = canvas_new(1, 6, false);

    (void)state;
    canvas_put(canvas, 0, 0, 6, PEN_TEXT, str_of("......"));
    assert_int_equal(canvas_put(canvas, 0, 1, 4, PEN_TEXT, str_of("a" NI NI)), 4);
    assert_shows(canvas, ".a" NI " .\n");
    canvas_free(canvas);
}

static void drawing_over_half_of_a_wide_character_blanks_the_other_half(void **state)
{
    struct canvas *canvas = canvas_new(1, 6, false);

    (void)state;
    canvas_put(canvas, 0, 0, 6, PEN_TEXT, str_of(NI NI NI));
    canvas_put(canvas, 0, 1, 1, PEN_TEXT, str_of("x"));
    canvas_put(canvas, 0, 4, 1, PEN_TEXT, str_of("y"));
    assert_shows(canvas, " x" NI "y\n");
    canvas_put(canvas, 0, 1, 2, PEN_TEXT, str_of(NI));
    assert_shows(canvas, " " NI " y\n");
    canvas_free(canvas);
}

static void what_is_cut_ends_in_an_ellipsis(void **state)
{
    struct canvas *canvas = canvas_new(4, 6, false);
    struct canvas *ascii = canvas_new(1, 6, true);

    (void)state;
    assert_int_equal(canvas_put_cut(canvas, 0, 0, 6, PEN_TEXT, str_of("abcdef")), 6);
    assert_int_equal(canvas_put_cut(canvas, 1, 0, 6, PEN_TEXT, str_of("abcdefg")), 6);
    assert_int_equal(canvas_put_cut(canvas, 2, 0, 4, PEN_TEXT, str_of("a" NI NI)), 4);
    assert_int_equal(canvas_put_cut(canvas, 3, 0, 4, PEN_TEXT, str_of(NI NI NI)), 3);
    assert_shows(canvas, "abcdef\nabcde\xE2\x80\xA6\na" NI "\xE2\x80\xA6\n" NI
                         "\xE2\x80\xA6\n");
    canvas_put_cut(ascii, 0, 0, 6, PEN_TEXT, str_of("abcdefg"));
    assert_shows(ascii, "abcde~\n");
    canvas_free(canvas);
    canvas_free(ascii);
}

static void numbers_stand_at_the_right(void **state)
{
    struct canvas *canvas = canvas_new(2, 8, false);

    (void)state;
    canvas_put_right(canvas, 0, 1, 5, PEN_TEXT, str_of("42"));
    canvas_put_right(canvas, 1, 1, 5, PEN_TEXT, str_of("1234567"));
    assert_shows(canvas, "    42\n 12345\n");
    canvas_free(canvas);
}

static void ascii_shows_nothing_but_ascii(void **state)
{
    static const double values[] = {0, 4, 8};
    struct canvas *canvas = canvas_new(4, 8, true);

    (void)state;
    canvas_put(canvas, 0, 0, 8, PEN_TEXT,
               str_of("a" NI "\xC3\xA9"
                      "b"));
    canvas_line(canvas, (struct area){1, 0, 1, 4}, PEN_RULE);
    canvas_line(canvas, (struct area){1, 5, 2, 1}, PEN_RULE);
    canvas_bar(canvas, (struct area){3, 0, 1, 4}, PEN_GRAPH, 0.5);
    canvas_spark(canvas, (struct area){2, 0, 1, 4}, PEN_GRAPH, values, 3, 8);
    assert_shows(canvas, "a???b\n---- |\n  -# |\n##..\n");
    canvas_free(canvas);
}

static void a_bar_shows_little_and_unknown(void **state)
{
    struct canvas *canvas = canvas_new(1, 4, true);

    (void)state;
    canvas_bar(canvas, canvas_area(canvas), PEN_GRAPH, 0.001);
    assert_shows(canvas, "#...\n");
    canvas_bar(canvas, canvas_area(canvas), PEN_GRAPH, 0);
    assert_shows(canvas, "....\n");
    canvas_bar(canvas, canvas_area(canvas), PEN_GRAPH, 7);
    assert_shows(canvas, "####\n");
    canvas_bar(canvas, canvas_area(canvas), PEN_GRAPH, (double)NAN);
    assert_shows(canvas, "-\n");
    canvas_free(canvas);
}

static void a_sparkline_ends_at_the_right_and_leaves_out_the_unknown(void **state)
{
    static const double values[] = {8, 8, 8, 1, (double)NAN, 8};
    struct canvas *canvas = canvas_new(1, 5, true);

    (void)state;
    canvas_spark(canvas, canvas_area(canvas), PEN_GRAPH, values, 6, 8);
    assert_shows(canvas, "##_ #\n");
    canvas_spark(canvas, canvas_area(canvas), PEN_GRAPH, values, 2, 8);
    assert_shows(canvas, "   ##\n");
    canvas_free(canvas);
}

static void endless_marks_are_cut_at_a_character(void **state)
{
    struct canvas *canvas = canvas_new(1, 3, false);
    struct buf text;
    struct buf shown;

    (void)state;
    buf_init(&text, 4096);
    buf_init(&shown, 4096);
    buf_add_text(&text, "x");
    for (int i = 0; i < 60; i++)
        buf_add_text(&text, "\xCC\x81");
    canvas_put(canvas, 0, 0, 3, PEN_TEXT, buf_str(&text));
    canvas_dump(canvas, &shown);
    assert_int_equal(shown.len, 43 + 1); /* x, 21 marks, the line's end */
    assert_int_equal((unsigned char)shown.at[42], 0x81);
    buf_done(&text);
    buf_done(&shown);
    canvas_free(canvas);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_clipped_at_its_columns_and_at_the_edge),
        cmocka_unit_test(a_wide_character_that_does_not_fit_leaves_a_blank),
        cmocka_unit_test(drawing_over_half_of_a_wide_character_blanks_the_other_half),
        cmocka_unit_test(what_is_cut_ends_in_an_ellipsis),
        cmocka_unit_test(numbers_stand_at_the_right),
        cmocka_unit_test(ascii_shows_nothing_but_ascii),
        cmocka_unit_test(a_bar_shows_little_and_unknown),
        cmocka_unit_test(a_sparkline_ends_at_the_right_and_leaves_out_the_unknown),
        cmocka_unit_test(endless_marks_are_cut_at_a_character),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

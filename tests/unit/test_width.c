/* test_width.c - columns of text: marks, wide characters, emoji and what joins them. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/width.h"

static void a_text_takes_the_columns_a_reader_sees(void **state)
{
    static const struct {
        const char *text;
        unsigned columns;
    } rows[] = {
        {"", 0},
        {"plain ascii", 11},
        {"na\xC3\xAFve", 5},
        {"nai\xCC\x88ve", 5},                        /* a combining mark */
        {"\xE4\xBD\xA0\xE5\xA5\xBD", 4},             /* two Chinese characters */
        {"\xEF\xBC\xA1", 2},                         /* a full-width A */
        {"\xED\x95\x9C", 2},                         /* a Hangul syllable */
        {"\xE1\x84\x92\xE1\x85\xA1\xE1\x86\xAB", 2}, /* the same in three parts */
        {"\xF0\x9F\x98\x80", 2},                     /* a face */
        {"\xF0\x9F\x91\x8D\xF0\x9F\x8F\xBD", 2},     /* a thumb with a skin tone */
        {"\xE2\x9D\xA4", 1},                         /* a heart as text */
        {"\xE2\x9D\xA4\xEF\xB8\x8F", 2},             /* and as emoji */
        {"1\xEF\xB8\x8F\xE2\x83\xA3", 2},            /* a keycap */
        {"\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA", 2},     /* a flag */
        {"\xF0\x9F\x87\xA9\xF0\x9F\x87\xAA\xF0\x9F\x87\xAB\xF0\x9F\x87\xB7", 4},
        {"\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x8C\xBE", 2}, /* a farmer: joined */
        {"\xF0\x9F\x91\xA8\xE2\x80\x8D\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x91\xA7", 2},
        {"a\xE2\x80\x8D"
         "b",
         2}, /* a joiner between letters joins nothing */
        {"\xEF\xBF\xBD", 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (width_text(str_of(rows[i].text)) != rows[i].columns)
            fail_msg("%s: %u columns, not %u", rows[i].text,
                     width_text(str_of(rows[i].text)), rows[i].columns);
}

static void a_visible_character_is_never_cut(void **state)
{
    static const char farmer[] = "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x8C\xBE";
    unsigned columns = 0;

    (void)state;
    assert_int_equal(width_next(str_of(farmer), &columns), sizeof farmer - 1);
    assert_int_equal(columns, 2);
    assert_int_equal(width_fit(str_of(farmer), 1), 0);
    assert_int_equal(width_fit(str_of("ab\xE4\xBD\xA0"), 3), 2);
    assert_int_equal(width_fit(str_of("ab\xE4\xBD\xA0"), 4), 5);
    assert_int_equal(width_next(str_of(""), &columns), 0);
    assert_int_equal(columns, 0);
}

static void broken_bytes_do_not_stop_the_walk(void **state)
{
    (void)state;
    assert_int_equal(width_fit(str_of("\xFF\xC3"
                                      "a"),
                               80),
                     3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_takes_the_columns_a_reader_sees),
        cmocka_unit_test(a_visible_character_is_never_cut),
        cmocka_unit_test(broken_bytes_do_not_stop_the_walk),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

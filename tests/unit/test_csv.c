/* test_csv.c - cells and rows, and what a spreadsheet must not take for a formula. */
#include <math.h>
#include <stdint.h>

#include "base/csv.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { MAX_BYTES = 4096 };

static void expect_cell(const char *text, const char *cell)
{
    struct buf into;
    struct csv csv = {.into = &into};

    buf_init(&into, MAX_BYTES);
    csv_text(&csv, text);
    assert_string_equal(buf_text(&into), cell);
    buf_done(&into);
}

static void expect_number(double value, const char *cell)
{
    struct buf into;
    struct csv csv = {.into = &into};

    buf_init(&into, MAX_BYTES);
    csv_number(&csv, value);
    assert_string_equal(buf_text(&into), cell);
    buf_done(&into);
}

static void cells_are_parted_by_commas_and_rows_by_crlf(void **state)
{
    struct buf into;
    struct csv csv = {.into = &into};

    (void)state;
    buf_init(&into, MAX_BYTES);
    csv_text(&csv, NULL);
    csv_text(&csv, "a");
    csv_count(&csv, 12);
    csv_count(&csv, -1);
    csv_end_row(&csv);
    csv_number(&csv, NAN);
    csv_number(&csv, 0.5);
    csv_end_row(&csv);
    assert_string_equal(buf_text(&into), ",a,12,\r\n,0.5\r\n");
    assert_false(into.overflowed);
    buf_done(&into);
}

static void a_text_is_quoted_only_where_it_must_be(void **state)
{
    (void)state;
    expect_cell("plain text", "plain text");
    expect_cell("a,b", "\"a,b\"");
    expect_cell("say \"hi\"", "\"say \"\"hi\"\"\"");
    expect_cell("two\nlines", "\"two\nlines\"");
    expect_cell("", "");
}

static void what_could_be_a_formula_gets_an_apostrophe(void **state)
{
    (void)state;
    expect_cell("=1+1", "\"'=1+1\"");
    expect_cell("+1", "\"'+1\"");
    expect_cell("-1", "\"'-1\"");
    expect_cell("@SUM(A1)", "\"'@SUM(A1)\"");
    expect_cell("\t=1", "\"'\t=1\"");
    expect_cell("\xEF\xBC\x9D"
                "1",
                "\"'\xEF\xBC\x9D"
                "1\"");
    expect_cell("a=1", "a=1");
}

static void control_bytes_are_shown_and_not_written(void **state)
{
    (void)state;
    expect_cell("a\033[2Jb", "a<U+001B>[2Jb");
    expect_cell("\r=1", "<U+000D>=1");
    expect_cell("\xFFz", "\xEF\xBF\xBDz");
}

static void numbers_stay_numbers(void **state)
{
    (void)state;
    expect_number(-1.5, "-1.5");
    expect_number(0, "0");
    expect_number(1200, "1200");
    expect_number(0.1234567, "0.123457");
    expect_number(INFINITY, "");
}

static void a_full_buffer_is_told(void **state)
{
    struct buf into;
    struct csv csv = {.into = &into};

    (void)state;
    buf_init(&into, 8);
    csv_text(&csv, "much longer than that");
    assert_true(into.overflowed);
    buf_done(&into);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cells_are_parted_by_commas_and_rows_by_crlf),
        cmocka_unit_test(a_text_is_quoted_only_where_it_must_be),
        cmocka_unit_test(what_could_be_a_formula_gets_an_apostrophe),
        cmocka_unit_test(control_bytes_are_shown_and_not_written),
        cmocka_unit_test(numbers_stay_numbers),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

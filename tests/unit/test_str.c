/* test_str.c - views, numbers and durations: what is taken, what is refused whole. */
#include <limits.h>
#include <string.h>

#include "base/str.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

static void a_view_of_nothing_is_empty_and_equals_itself(void **state)
{
    struct str none = {0};

    (void)state;
    assert_int_equal(str_of(NULL).len, 0);
    assert_non_null(str_of(NULL).at);
    assert_non_null(str_make(NULL, 7).at);
    assert_int_equal(str_make(NULL, 7).len, 0);
    assert_true(str_eq(none, str_of("")));
    assert_true(str_is(none, ""));
    assert_true(str_starts(str_of("a"), ""));
    assert_false(str_starts(str_of(""), "a"));
    assert_int_equal(str_trim(str_of(" \t\r\n ")).len, 0);
}

static void views_compare_all_bytes_and_their_number(void **state)
{
    (void)state;
    assert_true(str_eq(str_make("a\0b", 3), str_make("a\0b", 3)));
    assert_false(str_eq(str_make("a\0b", 3), str_make("a\0c", 3)));
    assert_false(str_eq(str_of("ab"), str_of("abc")));
    assert_false(str_is(str_make("ab\0", 3), "ab"));
    assert_true(str_starts(str_of("abc"), "ab"));
    assert_false(str_starts(str_of("abc"), "abcd"));
    assert_false(str_starts(str_of("abc"), "ac"));
    assert_true(str_is(str_trim(str_of("\n a b\t ")), "a b"));
}

static void a_cut_gives_the_piece_and_the_rest(void **state)
{
    static const struct {
        const char *text, *piece, *rest;
    } cases[] = {
        {"a=b=c", "a", "b=c"}, {"=b", "", "b"}, {"a=", "a", ""},
        {"abc", "abc", ""},    {"", "", ""},    {"=", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct str rest;
        struct str piece = str_cut(str_of(cases[i].text), '=', &rest);

        assert_true(str_is(piece, cases[i].piece));
        assert_true(str_is(rest, cases[i].rest));
    }
}

static void whole_numbers_are_taken_whole_or_refused(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        " 1",
        "1 ",
        "\t1",
        "\v1",
        "\f1",
        "+1",
        "-",
        "--1",
        "- 1",
        "1.0",
        "1e3",
        "0x10",
        "12a",
        "a",
        "9223372036854775808",
        "-9223372036854775809",
        "123456789012345678901234567890123456789012345678901234567890123456789",
    };
    static const struct {
        const char *text;
        int64_t value;
    } good[] = {
        {"0", 0},
        {"-0", 0},
        {"007", 7},
        {"-12", -12},
        {"9223372036854775807", INT64_MAX},
        {"-9223372036854775808", INT64_MIN},
    };
    int64_t value;

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        value = 77;
        if (str_to_i64(str_of(bad[i]), INT64_MIN, INT64_MAX, &value))
            fail_msg("'%s' was taken", bad[i]);
        assert_int_equal(value, 77);
    }
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(str_to_i64(str_of(good[i].text), INT64_MIN, INT64_MAX, &value));
        assert_true(value == good[i].value);
    }
    assert_false(str_to_i64(str_make("1\0", 2), 0, 9, &value));
    assert_true(str_to_i64(str_make("123", 2), 0, 99, &value));
    assert_int_equal(value, 12);
}

static void a_number_keeps_to_its_bounds(void **state)
{
    int64_t value = 77;
    double real = 77;

    (void)state;
    assert_true(str_to_i64(str_of("1"), 1, 16, &value));
    assert_true(str_to_i64(str_of("16"), 1, 16, &value));
    assert_int_equal(value, 16);
    assert_false(str_to_i64(str_of("0"), 1, 16, &value));
    assert_false(str_to_i64(str_of("17"), 1, 16, &value));
    assert_int_equal(value, 16);
    assert_true(str_to_double(str_of("0.5"), 0.5, 1, &real));
    assert_false(str_to_double(str_of("0.49"), 0.5, 1, &real));
    assert_false(str_to_double(str_of("1.01"), 0.5, 1, &real));
    assert_true(real >= 0.5 && real <= 0.5);
}

static void reals_are_decimal_and_finite(void **state)
{
    static const char *const bad[] = {
        "",       " 1",    "1 ",       "+1",    "\v1",  "nan", "NaN",
        "inf",    "-inf",  "infinity", "0x1p3", "0x10", "1,5", "1e999",
        "-1e999", "1.2.3", "e5",       ".",     "-",
    };
    static const struct {
        const char *text;
        double value;
    } good[] = {{"0", 0}, {"-1.5", -1.5}, {"1e3", 1000}, {".25", .25}, {"2.5E-1", .25}};

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        double value = 77;

        if (str_to_double(str_of(bad[i]), -1e300, 1e300, &value))
            fail_msg("'%s' was taken as %g", bad[i], value);
        assert_true(value >= 77 && value <= 77);
    }
    for (size_t i = 0; i < COUNT(good); i++) {
        double value;

        assert_true(str_to_double(str_of(good[i].text), -1e300, 1e300, &value));
        assert_true(value >= good[i].value && value <= good[i].value);
    }
}

static void durations_are_read_as_people_write_them(void **state)
{
    static const struct {
        const char *text;
        int64_t ms;
    } good[] = {
        {"0", 0},           {"90", 90000},         {"1.5", 1500},
        {"0.25", 250},      {"500ms", 500},        {"20s", 20000},
        {"5m", 300000},     {"1h30m", 5400000},    {"1.5h", 5400000},
        {"2d", 172800000},  {"1m30s500ms", 90500}, {"0ms", 0},
        {"30m1h", 5400000}, {"0.0004s", 0},        {"3650d", INT64_C(315360000000)},
    };
    static const char *const bad[] = {
        "",         " ",
        "5 m",      " 5m",
        "5m ",      "m",
        "-5",       "-5m",
        "+5m",      "5x",
        "5M",       "1h30",
        "1.2.3s",   "5mm",
        "ms",       "1..5s",
        "nan",      "inf",
        "none",     "3651d",
        "1e300",    "99999999999999999999h",
        "3650d1ms", "1h-30m",
        "1h 30m",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        int64_t ms = -1;

        if (!str_to_duration_ms(str_of(good[i].text), &ms) || ms != good[i].ms)
            fail_msg("'%s' gave %lld", good[i].text, (long long)ms);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t ms = -1;

        if (str_to_duration_ms(str_of(bad[i]), &ms))
            fail_msg("'%s' was taken as %lld", bad[i], (long long)ms);
        assert_int_equal(ms, -1);
    }
}

static void durations_are_written_in_the_shortest_exact_form(void **state)
{
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {
        {0, "0s"},          {1, "1ms"},
        {999, "999ms"},     {1000, "1s"},
        {1500, "1.5s"},     {20000, "20s"},
        {60000, "1m"},      {61001, "1m1.001s"},
        {300000, "5m"},     {3600000, "1h"},
        {5400000, "1h30m"}, {3600250, "1h0.25s"},
        {172800000, "48h"}, {INT64_C(315360000000), "87600h"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char text[32];

        duration_format(cases[i].ms, text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

static void a_written_duration_is_read_back(void **state)
{
    static const int64_t longest_ms = INT64_C(315360000000);

    (void)state;
    for (int64_t ms = 0; ms <= longest_ms; ms = ms * 3 / 2 + 1) {
        for (int64_t near = ms; near <= ms + 61 && near <= longest_ms; near++) {
            char text[32];
            int64_t again = -1;

            duration_format(near, text, sizeof text);
            if (!str_to_duration_ms(str_of(text), &again) || again != near)
                fail_msg("%lld became '%s', read as %lld", (long long)near, text,
                         (long long)again);
        }
    }
}

static void formatted_text_fills_its_room_to_the_last_byte(void **state)
{
    char room[6];

    (void)state;
    fmt_into(room, sizeof room, "%s-%d", "abc", 7);
    assert_string_equal(room, "abc-7");
    fmt_into(room, 1, "%s", "");
    assert_string_equal(room, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_view_of_nothing_is_empty_and_equals_itself),
        cmocka_unit_test(views_compare_all_bytes_and_their_number),
        cmocka_unit_test(a_cut_gives_the_piece_and_the_rest),
        cmocka_unit_test(whole_numbers_are_taken_whole_or_refused),
        cmocka_unit_test(a_number_keeps_to_its_bounds),
        cmocka_unit_test(reals_are_decimal_and_finite),
        cmocka_unit_test(durations_are_read_as_people_write_them),
        cmocka_unit_test(durations_are_written_in_the_shortest_exact_form),
        cmocka_unit_test(a_written_duration_is_read_back),
        cmocka_unit_test(formatted_text_fills_its_room_to_the_last_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

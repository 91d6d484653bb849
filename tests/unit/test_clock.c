/* test_clock.c - stamps of UTC, written and read back. */
#include <string.h>

#include "base/clock.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

/* The seconds are those of `date -u -d ... +%s`. */
static const struct {
    int64_t us;
    const char *text;
} stamps[] = {
    {0, "1970-01-01T00:00:00.000000Z"},
    {-1, "1969-12-31T23:59:59.999999Z"},
    {INT64_C(1769855400123456), "2026-01-31T10:30:00.123456Z"},
    {INT64_C(951782399000001), "2000-02-28T23:59:59.000001Z"},
    {INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
    {INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"},
    {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
    {INT64_C(-62167219200000000), "0000-01-01T00:00:00.000000Z"},
};

static void stamps_are_written_and_read_to_the_microsecond(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(stamps); i++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t us = 7;

        clock_format_us(stamps[i].us, text);
        assert_string_equal(text, stamps[i].text);
        assert_true(clock_parse_us(str_of(text), &us));
        assert_true(us == stamps[i].us);
    }
}

static void each_day_of_four_centuries_comes_back(void **state)
{
    static const int64_t day_us = INT64_C(86400000000);

    (void)state;
    for (int64_t day = -200 * 366; day < 200 * 366; day++) {
        char text[CLOCK_TEXT_SIZE];
        int64_t us = 7;

        clock_format_us(day * day_us + day_us - 1, text);
        assert_true(clock_parse_us(str_of(text), &us));
        assert_true(us == day * day_us + day_us - 1);
    }
}

static void any_time_fits_the_room(void **state)
{
    char text[CLOCK_TEXT_SIZE];

    (void)state;
    clock_format_us(INT64_MAX, text);
    assert_string_equal(text, "294247-01-10T04:00:54.775807Z");
    clock_format_us(INT64_MIN, text);
    assert_true(strlen(text) < CLOCK_TEXT_SIZE);
}

static void other_forms_of_the_same_time_are_read(void **state)
{
    static const struct {
        const char *text;
        int64_t us;
    } same[] = {
        {"2026-01-31T10:30:00Z", INT64_C(1769855400000000)},
        {"2026-01-31T10:30:00.1Z", INT64_C(1769855400100000)},
        {"2026-01-31T10:30:00.123456789Z", INT64_C(1769855400123456)},
        {"2026-01-31T12:00:00+01:30", INT64_C(1769855400000000)},
        {"2026-01-30T22:30:00-12:00", INT64_C(1769855400000000)},
        {"2026-01-31T10:29:60Z", INT64_C(1769855400000000)},
        {"2026-01-31T10:30:00+00:00", INT64_C(1769855400000000)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(same); i++) {
        int64_t us = 7;

        if (!clock_parse_us(str_of(same[i].text), &us) || us != same[i].us)
            fail_msg("%s gave %lld", same[i].text, (long long)us);
    }
}

static void what_is_no_time_is_refused(void **state)
{
    static const char *const bad[] = {
        "",
        "today",
        "2026-01-31",
        "2026-01-31T10:30Z",
        "2026-01-31T10:30:00",
        "2026-01-31 10:30:00Z",
        "2026-01-31t10:30:00z",
        "2026-01-31T10:30:00Zx",
        "2026-01-31T10:30:00 Z",
        " 2026-01-31T10:30:00Z",
        "26-01-31T10:30:00Z",
        "2026-1-31T10:30:00Z",
        "2026-13-01T10:30:00Z",
        "2026-00-01T10:30:00Z",
        "2026-01-00T10:30:00Z",
        "2026-01-32T10:30:00Z",
        "2026-02-29T10:30:00Z",
        "2100-02-29T10:30:00Z",
        "2026-04-31T10:30:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T10:60:00Z",
        "2026-01-31T10:30:61Z",
        "2026-01-31T-0:30:00Z",
        "2026-01-31T+1:30:00Z",
        "-026-01-31T10:30:00Z",
        "2026-01-31T10:30:00.Z",
        "2026-01-31T10:30:00,5Z",
        "2026-01-31T10:30:00.1234567890Z",
        "2026-01-31T10:30:00+0100",
        "2026-01-31T10:30:00+01",
        "2026-01-31T10:30:00+24:00",
        "2026-01-31T10:30:00+01:60",
        "2026-01-31T10:30:00+-1:00",
    };

    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        int64_t us = 7;

        if (clock_parse_us(str_of(bad[i]), &us))
            fail_msg("'%s' was taken as %lld", bad[i], (long long)us);
        assert_int_equal(us, 7);
    }
}

static void a_text_cut_anywhere_is_refused(void **state)
{
    static const char whole[] = "2026-01-31T10:30:00.123456+01:30";

    (void)state;
    for (size_t len = 0; len < sizeof whole - 1; len++) {
        int64_t us;

        assert_false(clock_parse_us(str_make(whole, len), &us));
    }
}

static void the_clocks_go_forward_in_their_units(void **state)
{
    int64_t before_us = clock_mono_us();
    int64_t now_ms = clock_mono_ms();
    int64_t after_us = clock_mono_us();
    int64_t wall_us = clock_wall_us();

    (void)state;
    assert_true(before_us / 1000 <= now_ms && now_ms <= after_us / 1000);
    assert_true(wall_us > INT64_C(1700000000000000)); /* after 2023 */
    assert_true(wall_us < INT64_C(9000000000000000));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(stamps_are_written_and_read_to_the_microsecond),
        cmocka_unit_test(each_day_of_four_centuries_comes_back),
        cmocka_unit_test(any_time_fits_the_room),
        cmocka_unit_test(other_forms_of_the_same_time_are_read),
        cmocka_unit_test(what_is_no_time_is_refused),
        cmocka_unit_test(a_text_cut_anywhere_is_refused),
        cmocka_unit_test(the_clocks_go_forward_in_their_units),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

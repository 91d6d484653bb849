/* test_retry_after.c - each way in which a server says how long to leave it alone. */

/* cmocka.h needs the others before it. */
/* clang-format off */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/clock.h"
#include "llm/retry_after.h"

/* Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110. */
static int64_t now_us(void)
{
    int64_t us = 0;

    assert_true(clock_parse_us(str_of("1994-11-06T08:49:37Z"), &us));
    return us;
}

static void the_header_is_seconds_or_a_date(void **state)
{
    static const struct {
        const char *header;
        int64_t wait_ms;
    } rows[] = {
        {"2", 2000},
        {" 120 ", 120000},
        {"0", 0},
        {"0.25", 250},
        {"1.0001", 1001}, /* rounded up: never too early */
        {"-5", 0},
        {"1000000000", RETRY_AFTER_MAX_MS},
        {"99999999999999", RETRY_AFTER_MAX_MS},
        {"Sun, 06 Nov 1994 08:49:37 GMT", 0},
        {"Sun, 06 Nov 1994 08:49:40 GMT", 3000},
        {"Sun, 06 Nov 1994 08:49:30 GMT", 0}, /* past */
        {"Mon, 07 Nov 1994 08:49:37 GMT", 86400000},
        {"Sunday, 06-Nov-94 08:50:37 GMT", 60000},
        {"Monday, 06-Nov-44 08:49:37 GMT", 0}, /* 1944 */
        {"Sun Nov  6 08:49:39 1994", 2000},
        {"Sun Nov 16 08:49:37 1994", 864000000},
        {"", -1},
        {"soon", -1},
        {"12x", -1},
        {"1e999", -1},
        {"nan", -1},
        {"Sun, 06 Foo 1994 08:49:37 GMT", -1},
        {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 25:49:37 GMT", -1},
        {"Sun, 06 Nov 1994 8:49:37 GMT", -1},
        {"Sun, 06 Nov 1994", -1},
        {"Sun,", -1},
        {",", -1},
        {"2026-01-31T10:30:00Z", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].header);
        assert_int_equal(retry_after_parse(str_of(rows[i].header), now_us()),
                         rows[i].wait_ms);
    }
}

static void a_year_of_two_digits_is_at_most_fifty_years_ahead(void **state)
{
    int64_t now = 0;

    (void)state;
    assert_true(clock_parse_us(str_of("2026-01-31T10:30:00Z"), &now));
    assert_int_equal(retry_after_parse(str_of("Saturday, 31-Jan-26 10:30:05 GMT"), now),
                     5000);
    assert_int_equal(retry_after_parse(str_of("Sunday, 06-Nov-76 08:49:37 GMT"), now),
                     RETRY_AFTER_MAX_MS); /* 2076 */
    assert_int_equal(retry_after_parse(str_of("Sunday, 06-Nov-77 08:49:37 GMT"), now),
                     0); /* 1977 */
}

static void the_other_header_is_milliseconds(void **state)
{
    (void)state;
    assert_int_equal(retry_after_parse_ms(str_of("250")), 250);
    assert_int_equal(retry_after_parse_ms(str_of("1.2")), 2);
    assert_int_equal(retry_after_parse_ms(str_of("-1")), 0);
    assert_int_equal(retry_after_parse_ms(str_of("1e15")), RETRY_AFTER_MAX_MS);
    assert_int_equal(retry_after_parse_ms(str_of("")), -1);
    assert_int_equal(retry_after_parse_ms(str_of("2s")), -1);
}

static void a_sentence_tells_it_with_its_unit(void **state)
{
    static const struct {
        const char *sentence;
        int64_t wait_ms;
    } rows[] = {
        {"Rate limit reached for gpt-4o. Please try again in 2.5s. Visit x.", 2500},
        {"Please try again in 20s.", 20000},
        {"please TRY AGAIN IN 6ms", 6},
        {"try again in 1m12s", 72000},
        {"try again in 1h2m3.5s.", 3723500},
        {"Please retry after 20 seconds.", 20000},
        {"retry in 2 minutes", 120000},
        {"try again in a while, retry after 1 second", 1000},
        {"try again in 5", -1},
        {"try again in 5 parsecs", -1},
        {"try again in .s", -1},
        {"try again in ", -1},
        {"try again later", -1},
        {"", -1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        print_message("%s\n", rows[i].sentence);
        assert_int_equal(retry_after_find(str_of(rows[i].sentence)), rows[i].wait_ms);
    }
    assert_int_equal(retry_after_find(str_make(NULL, 0)), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_header_is_seconds_or_a_date),
        cmocka_unit_test(a_year_of_two_digits_is_at_most_fifty_years_ahead),
        cmocka_unit_test(the_other_header_is_milliseconds),
        cmocka_unit_test(a_sentence_tells_it_with_its_unit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

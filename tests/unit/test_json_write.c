/* test_json_write.c - what is written is JSON that jansson reads back as the same. */
#include <jansson.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "base/utf8.h"
#include "proto/json_write.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static void expect_json(struct str text, const char *json)
{
    struct buf out;

    buf_init(&out, 1 << 20);
    assert_true(json_write_string(&out, text));
    assert_string_equal(buf_text(&out), json);
    buf_done(&out);
}

static void strings_are_escaped_by_rfc_8259(void **state)
{
    (void)state;
    expect_json(str_of(""), "\"\"");
    expect_json(str_of("plain"), "\"plain\"");
    expect_json(str_of("a\"b\\c/d"), "\"a\\\"b\\\\c/d\"");
    expect_json(str_of("\n\r\t"), "\"\\n\\r\\t\"");
    expect_json(str_of("\x1B[31m\x01\x1F\x7F"), "\"\\u001b[31m\\u0001\\u001f\x7F\"");
    expect_json(str_make("a\0b", 3), "\"a\\u0000b\"");
    expect_json(str_of("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"),
                "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
}

static void broken_utf8_is_mended(void **state)
{
    (void)state;
    expect_json(str_of("a\xFFz"), "\"a\xEF\xBF\xBDz\"");
    expect_json(str_of("\xE2\x82"), "\"\xEF\xBF\xBD\"");
    expect_json(str_of("\"\xED\xA0\x80\n"),
                "\"\\\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\n\"");
}

/* Bytes that often are, or nearly are, a character of several bytes. */
static char hostile_byte(struct rng *rng)
{
    static const char often[] = "a\"\\\n\xC3\xA4\xE2\x82";

    if (rng_below(rng, 3) == 0)
        return (char)rng_below(rng, 256);
    return often[rng_below(rng, sizeof often - 1)];
}

static void any_bytes_come_back_as_their_mended_text(void **state)
{
    struct rng rng;
    struct buf out;
    struct buf mended;

    (void)state;
    rng_init(&rng, 20260131);
    buf_init(&out, 1 << 12);
    buf_init(&mended, 1 << 12);
    for (int round = 0; round < 20000; round++) {
        char bytes[40];
        size_t len = rng_below(&rng, sizeof bytes);
        json_t *read;

        for (size_t i = 0; i < len; i++)
            bytes[i] = hostile_byte(&rng);
        buf_clear(&out);
        buf_clear(&mended);
        assert_true(json_write_string(&out, str_make(bytes, len)));
        assert_true(utf8_mend(str_make(bytes, len), &mended));
        read = json_loadb(out.at, out.len, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        assert_non_null(read);
        assert_true(str_eq(buf_str(&mended), str_make(json_string_value(read),
                                                      json_string_length(read))));
        json_decref(read);
    }
    buf_done(&out);
    buf_done(&mended);
}

static void no_text_is_null(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 100);
    assert_true(json_write_text(&out, NULL));
    assert_true(json_write_text(&out, "x"));
    assert_string_equal(buf_text(&out), "null\"x\"");
    buf_done(&out);
}

static void words_become_an_array(void **state)
{
    static const char *const cases[][2] = {
        {"", "null"},
        {"a", "[\"a\"]"},
        {"a,b c,\"", "[\"a\",\"b c\",\"\\\"\"]"},
        {" a ,,b,", "[\"a\",\"b\"]"},
        {",,", "null"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct buf out;

        buf_init(&out, 100);
        assert_true(json_write_words(&out, str_of(cases[i][0])));
        assert_string_equal(buf_text(&out), cases[i][1]);
        buf_done(&out);
    }
}

static void integers_are_written_whole_and_minus_1_is_an_unknown_count(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 200);
    json_write_i64(&out, 0);
    buf_add_char(&out, ' ');
    json_write_i64(&out, -1);
    buf_add_char(&out, ' ');
    json_write_i64(&out, INT64_MAX);
    buf_add_char(&out, ' ');
    json_write_i64(&out, INT64_MIN);
    buf_add_char(&out, ' ');
    json_write_count(&out, -1);
    json_write_count(&out, 41);
    assert_string_equal(buf_text(&out),
                        "0 -1 9223372036854775807 -9223372036854775808 null41");
    buf_done(&out);
}

static void numbers_are_short_and_know_no_locale(void **state)
{
    static const struct {
        double value;
        int decimals;
        const char *json;
    } cases[] = {
        {0, 3, "0"},
        {-0.0, 3, "0"},
        {812.4, 3, "812.4"},
        {0.0004, 3, "0"},
        {-0.0004, 3, "0"},
        {0.0005, 3, "0.001"},
        {-0.25, 3, "-0.25"},
        {1.999996, 3, "2"},
        {100, 0, "100"},
        {2.5, 0, "3"},
        {0.001, 3, "0.001"},
        {1e15, 3, "1000000000000000"},
        {1e22, 3, "10000000000000000000000"},
        {NAN, 3, "null"},
        {INFINITY, 3, "null"},
        {-INFINITY, 3, "null"},
        {57.2, 1, "57.2"},
        {123456.789, 6, "123456.789"},
    };
    struct buf out;

    (void)state;
    (void)setlocale(LC_ALL, "de_DE.UTF-8"); /* where it is installed: a comma */
    buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        buf_clear(&out);
        assert_true(json_write_number(&out, cases[i].value, cases[i].decimals));
        assert_string_equal(buf_text(&out), cases[i].json);
    }
    buf_done(&out);
}

static void a_number_with_three_decimals_comes_back_the_same(void **state)
{
    struct rng rng;
    struct buf out;

    (void)state;
    rng_init(&rng, 7);
    buf_init(&out, 100);
    for (int i = 0; i < 100000; i++) {
        double value = (double)rng_below(&rng, UINT64_C(1) << (1 + i % 50)) / 1000;

        buf_clear(&out);
        assert_true(json_write_number(&out, value, 3));
        assert_true(strtod(buf_text(&out), NULL) == value);
    }
    buf_done(&out);
}

static void a_full_buffer_is_told(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 5);
    assert_false(json_write_string(&out, str_of("12345")));
    assert_true(out.overflowed);
    buf_clear(&out);
    assert_false(json_write_string(&out, str_of("\x01")));
    buf_clear(&out);
    assert_true(json_write_string(&out, str_of("123")));
    assert_false(json_write_i64(&out, 1));
    assert_false(json_write_number(&out, 0.5, 1));
    assert_false(json_write_text(&out, NULL));
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(strings_are_escaped_by_rfc_8259),
        cmocka_unit_test(broken_utf8_is_mended),
        cmocka_unit_test(any_bytes_come_back_as_their_mended_text),
        cmocka_unit_test(no_text_is_null),
        cmocka_unit_test(words_become_an_array),
        cmocka_unit_test(integers_are_written_whole_and_minus_1_is_an_unknown_count),
        cmocka_unit_test(numbers_are_short_and_know_no_locale),
        cmocka_unit_test(a_number_with_three_decimals_comes_back_the_same),
        cmocka_unit_test(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_asked.c - a request as it is kept for people to look at. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/asked.h"

static void round_trip(struct str body, struct asked *ret_asked)
{
    const struct asked_sent sent = {"c:1/1.1-ab", "http://h/api/chat", body, 7};
    struct err err = {0};
    struct buf json;

    buf_init(&json, ASKED_MAX_BYTES);
    assert_true(asked_format(&sent, &json));
    assert_true(asked_parse(buf_str(&json), ret_asked, &err));
    buf_done(&json);
}

static void test_what_was_sent_is_read_as_it_was(void **state)
{
    struct asked asked;

    (void)state;
    round_trip(str_of("{\"messages\":[\"\\u001b \xC3\xA4\"]}"), &asked);
    assert_string_equal(asked.body, "{\"messages\":[\"\\u001b \xC3\xA4\"]}");
    assert_string_equal(asked.call, "c:1/1.1-ab");
    assert_string_equal(asked.url, "http://h/api/chat");
    assert_true(asked.turn == 7 && !asked.cut);
    assert_int_equal(asked.body_bytes, strlen(asked.body));
    asked_done(&asked);
}

static void test_a_long_body_is_cut_behind_a_whole_character_and_says_so(void **state)
{
    size_t len = ASKED_BODY_MAX_BYTES + 1000;
    char *body = x_malloc(len + 1);
    struct asked asked;

    (void)state;
    /* Two bytes a character, one byte before: the border lies inside of one. */
    body[0] = 'x';
    for (size_t i = 1; i < len; i++)
        body[i] = i % 2 == 1 ? '\xC3' : '\xA4';
    len = 1 + (len - 1) / 2 * 2;
    round_trip(str_make(body, len), &asked);
    assert_true(asked.cut);
    assert_int_equal(asked.body_bytes, len);
    assert_int_equal(strlen(asked.body), ASKED_BODY_MAX_BYTES - 1);
    assert_true(utf8_valid(str_of(asked.body)));
    asked_done(&asked);
    free(body);
}

static void test_what_is_no_request_is_refused_with_its_reason(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{}",
        "{\"call\":\"c\",\"turn\":1,\"url\":\"u\",\"bytes\":1,\"cut\":1,\"body\":"
        "\"b\"}",
        "{\"call\":\"c\",\"turn\":-1,\"url\":\"u\",\"bytes\":1,\"body\":\"b\"}",
        "{\"call\":\"c\",\"turn\":1,\"url\":\"u\",\"bytes\":1,\"body\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct asked asked;
        struct err err = {0};

        assert_false(asked_parse(str_of(bad[i]), &asked, &err));
        assert_true(err.code == ERR_FORMAT && err.msg[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_was_sent_is_read_as_it_was),
        cmocka_unit_test(test_a_long_body_is_cut_behind_a_whole_character_and_says_so),
        cmocka_unit_test(test_what_is_no_request_is_refused_with_its_reason),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

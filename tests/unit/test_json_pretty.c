/* test_json_pretty.c - JSON for reading, whole or cut off anywhere. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "proto/json_pretty.h"

static void sees(const char *json, const char *wanted)
{
    struct buf shown;

    buf_init(&shown, 4096);
    assert_true(json_pretty(str_of(json), &shown));
    assert_string_equal(buf_text(&shown), wanted);
    buf_done(&shown);
}

static void test_members_and_items_stand_on_lines_of_their_own(void **state)
{
    (void)state;
    sees("{\"a\":1,\"b\":[true, null],\"c\":{}, \"d\": [ ]}",
         "{\n  \"a\": 1,\n  \"b\": [\n    true,\n    null\n  ],\n  \"c\": {},\n"
         "  \"d\": []\n}");
}

static void test_what_stands_in_strings_is_left_alone(void **state)
{
    (void)state;
    sees("[\"a,{}:[]\\\"\\\\\"]", "[\n  \"a,{}:[]\\\"\\\\\"\n]");
}

static void test_a_text_that_was_cut_is_shown_as_far_as_it_goes(void **state)
{
    const char *json = "{\"a\":[1,\"x\\\"y\",{\"b\":2}]}";

    (void)state;
    sees("{\"a\":\"cut of", "{\n  \"a\": \"cut of");
    sees("\"x\\", "\"x\\");
    sees("]]}", "\n]\n]\n}");
    for (size_t len = 0; len < strlen(json); len++) {
        struct buf shown;

        buf_init(&shown, 4096);
        assert_true(json_pretty(str_make(json, len), &shown));
        buf_done(&shown);
    }
}

static void test_a_buffer_that_is_full_says_so(void **state)
{
    struct buf shown;

    (void)state;
    buf_init(&shown, 6);
    assert_false(json_pretty(str_of("[1,2,3]"), &shown));
    buf_done(&shown);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_members_and_items_stand_on_lines_of_their_own),
        cmocka_unit_test(test_what_stands_in_strings_is_left_alone),
        cmocka_unit_test(test_a_text_that_was_cut_is_shown_as_far_as_it_goes),
        cmocka_unit_test(test_a_buffer_that_is_full_says_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

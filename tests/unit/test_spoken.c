/* test_spoken.c - the words of a structured reply while its JSON arrives: the same as a
 * JSON parser reads from the whole, however it was cut.
 */
#include <jansson.h>
#include <string.h>

#include "worker/spoken.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct buf words;

static int set_up(void **state)
{
    (void)state;
    buf_init(&words, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&words);
    return 0;
}

static void feed(const char *json, size_t first, size_t second)
{
    const size_t borders[] = {0, first, second, strlen(json)};
    struct spoken spoken;

    spoken_init(&spoken);
    buf_clear(&words);
    for (size_t i = 0; i < 3; i++)
        assert_true(spoken_feed(
            &spoken, str_make(json + borders[i], borders[i + 1] - borders[i]), &words));
}

/* Whole, and in three pieces at every pair of places. */
static void expect(const char *json, const char *wanted)
{
    size_t len = strlen(json);

    for (size_t first = 0; first <= len; first++)
        for (size_t second = first; second <= len; second++) {
            feed(json, first, second);
            if (!str_is(buf_str(&words), wanted))
                fail_msg("%s cut at %zu and %zu: '%s', not '%s'", json, first, second,
                         buf_text(&words), wanted);
        }
}

static void the_words_are_those_a_parser_reads(void **state)
{
    static const char *const documents[] = {
        "{\"message\":\"Good evening.\",\"sentiment\":0.5,\"references\":[]}",
        "{\"message\":\"\"}",
        " { \"sentiment\" : null , \"message\" : \"last\" } ",
        "{\"references\":[\"message\",\"a:b\"],\"message\":\"behind a list\"}",
        "{\"o\":{\"message\":\"inner\"},\"l\":[[{\"message\":1}]],\"message\":\"m\"}",
        "{\"message\":\"\\\"quoted\\\" \\\\ \\/ \\b\\f\\n\\r\\t\"}",
        "{\"message\":\"\\u0041\\u00e9\\u20AC\\ud83d\\uDE00!\"}",
        "{\"message\":\"Na\xC3\xAFve \xF0\x9F\x98\x80\"}",
        "{\"m\\u0065ssage\":\"an escaped key\"}",
        "{\"text\":\"message\",\"message\":\"value, not key\"}",
        "{\"messages\":\"no\",\"mess\":\"no\",\"message\":\"yes\"}",
        "{\"a key that is longer than sixteen\":\"no\",\"message\":\"yes\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof documents / sizeof *documents; i++) {
        json_t *document = json_loads(documents[i], 0, NULL);

        assert_non_null(document);
        expect(documents[i], json_string_value(json_object_get(document, "message")));
        json_decref(document);
    }
}

static void what_is_no_json_gives_what_can_be_read(void **state)
{
    (void)state;
    expect("```json\n{\"message\":\"fenced\"}\n```", "fenced");
    expect("{\"message\":\"cut o", "cut o");
    expect("{\"message\":\"first\",\"message\":\"second\"}", "first");
    expect("{\"message\":\"lone \\ud83d half\"}", "lone \xEF\xBF\xBD half");
    expect("{\"message\":\"\\ud83d\\ud83d\\ude00\"}", "\xEF\xBF\xBD\xF0\x9F\x98\x80");
    expect("{\"message\":\"\\ude00\\u0000\"}", "\xEF\xBF\xBD\xEF\xBF\xBD");
    expect("{\"message\":\"\\ud83d\"}", "\xEF\xBF\xBD");
    expect("{\"message\":\"\\ud83d\\n\"}", "\xEF\xBF\xBD\n");
    expect("{\"message\":42}", "");
    expect("{\"message\":{\"message\":\"inner\"}}", "");
    expect("no JSON at all: \"message\":\"x\"", "");
    expect("", "");
}

static void a_full_buffer_is_told(void **state)
{
    struct spoken spoken;
    struct buf small;

    (void)state;
    spoken_init(&spoken);
    buf_init(&small, 4);
    assert_true(spoken_feed(&spoken, str_of("{\"message\":\"1234"), &small));
    assert_false(spoken_feed(&spoken, str_of("5"), &small));
    buf_done(&small);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_words_are_those_a_parser_reads),
        TEST(what_is_no_json_gives_what_can_be_read),
        TEST(a_full_buffer_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

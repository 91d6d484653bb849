/* test_entry_line.c - entries of Redis as lines of a run's folder: whatever stands in a
 * field, the line is JSON.
 */
#include <jansson.h>
#include <string.h>

#include "net/entry_line.h"
#include "net/redis_value.h"

/* cmocka.h needs those before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

/* The line of a call whose cost is that text, parsed; the caller decrefs. */
static json_t *line_with_cost(const char *cost)
{
    const struct redis_value texts[] = {
        {.kind = REDIS_TEXT, .text = str_of("cost")},
        {.kind = REDIS_TEXT, .text = str_of(cost)},
    };
    const struct redis_value *const items[] = {&texts[0], &texts[1]};
    const struct redis_value entry = {.kind = REDIS_ARRAY, .count = 2, .items = items};
    struct buf line;
    json_t *parsed;

    buf_init(&line, 1 << 16);
    entry_line_call(&entry, &line);
    parsed = json_loads(buf_text(&line), 0, NULL);
    buf_done(&line);
    return parsed;
}

static void numbers_that_are_none_of_json_are_written_as_its_own(void **state)
{
    static const struct {
        const char *text;
        double number;
    } cases[] = {
        {"5.", 5},       {".5", 0.5},           {"-.25", -0.25}, {"007", 7},
        {"-01.5", -1.5}, {"1.e2", 100},         {"0", 0},        {"-0.5", -0.5},
        {"1e3", 1000},   {"0.000123", 0.000123}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *line = line_with_cost(cases[i].text);
        const json_t *cost = json_object_get(line, "cost");

        if (!json_is_number(cost))
            fail_msg("'%s' made no number", cases[i].text);
        assert_true(json_number_value(cost) == cases[i].number);
        json_decref(line);
    }
}

static void what_is_no_number_is_a_text_and_nothing_is_null(void **state)
{
    static const char *const texts[] = {"5,0", "-", "1e", "0x10", "\"}", "nan", " 1"};
    json_t *line = line_with_cost("");

    (void)state;
    assert_true(json_is_null(json_object_get(line, "cost")));
    json_decref(line);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        line = line_with_cost(texts[i]);
        assert_string_equal(json_string_value(json_object_get(line, "cost")), texts[i]);
        json_decref(line);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_that_are_none_of_json_are_written_as_its_own),
        cmocka_unit_test(what_is_no_number_is_a_text_and_nothing_is_null),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

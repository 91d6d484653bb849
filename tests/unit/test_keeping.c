/* test_keeping.c - what a Redis keeps when it dies, in words. */
#include <string.h>

#include "cli/keeping.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const struct {
    struct keeping keeping;
    const char *words;   /* that stand in its line */
    const char *warning; /* that stand in its only warning; NULL: none */
} cases[] = {
    {{true, "yes", "everysec", "noeviction"}, "all but the last 2 s", NULL},
    {{true, "yes", "always", "noeviction"}, "keeps all it acknowledged", NULL},
    {{true, "yes", "no", "noeviction"}, "what the system had written", NULL},
    {{true, "no", "everysec", "noeviction"}, "keeps nothing", "appendonly is off"},
    {{true, "yes", "always", "allkeys-lru"}, "keeps all", "not noeviction"},
    {{.known = false}, "does not tell", NULL},
};

static void each_setting_has_its_words_and_each_danger_its_warning(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *lines[KEEPING_WARNINGS];
        struct buf words;

        buf_init(&words, 4096);
        keeping_words(&cases[i].keeping, &words);
        assert_non_null(strstr(buf_text(&words), cases[i].words));
        buf_done(&words);
        keeping_warnings(&cases[i].keeping, lines);
        if (cases[i].warning == NULL) {
            assert_null(lines[0]);
            continue;
        }
        assert_non_null(strstr(lines[0], cases[i].warning));
        assert_null(lines[1]);
    }
}

static void two_dangers_are_both_told(void **state)
{
    const struct keeping bad = {true, "no", "everysec", "volatile-lru"};
    const char *lines[KEEPING_WARNINGS];

    (void)state;
    keeping_warnings(&bad, lines);
    assert_non_null(lines[0]);
    assert_non_null(lines[1]);
    assert_null(lines[2]);
}

static void what_is_not_known_is_null_in_json(void **state)
{
    const struct keeping known = {true, "yes", "always", "noeviction"};
    const struct keeping unknown = {.known = false};
    struct buf json;

    (void)state;
    buf_init(&json, 4096);
    keeping_json(&known, &json);
    keeping_json(&unknown, &json);
    assert_string_equal(buf_text(&json),
                        "{\"appendonly\":\"yes\",\"appendfsync\":\"always\","
                        "\"maxmemory_policy\":\"noeviction\"}null");
    buf_done(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_setting_has_its_words_and_each_danger_its_warning),
        cmocka_unit_test(two_dangers_are_both_told),
        cmocka_unit_test(what_is_not_known_is_null_in_json),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

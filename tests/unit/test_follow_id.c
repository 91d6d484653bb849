/* test_follow_id.c - ids of stream entries, as the observer's cursors use them. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "observer/tail_id.h"

static void an_id_is_read_and_written_the_same(void **state)
{
    static const char *const texts[] = {"0-0", "1700000000000-3",
                                        "18446744073709551615-18446744073709551615"};

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct tail_id id;
        char text[TAIL_ID_SIZE];

        assert_true(tail_id_parse(str_of(texts[i]), &id));
        tail_id_format(&id, text);
        assert_string_equal(text, texts[i]);
    }
}

static void what_is_no_id_is_refused(void **state)
{
    static const char *const texts[] = {
        "", "5", "5-", "-5", "a-1", "1-2-3", " 1-1", "18446744073709551616-0",
    };
    struct tail_id id;

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(tail_id_parse(str_of(texts[i]), &id));
}

static void ids_are_ordered_by_both_numbers(void **state)
{
    /* As text "9-0" would stand behind "10-0". */
    static const char *const ordered[] = {"0-1", "9-0", "10-0", "10-2", "10-10"};

    (void)state;
    for (size_t i = 1; i < sizeof ordered / sizeof *ordered; i++) {
        struct tail_id a, b;

        assert_true(tail_id_parse(str_of(ordered[i - 1]), &a));
        assert_true(tail_id_parse(str_of(ordered[i]), &b));
        assert_true(tail_id_compare(&a, &b) < 0);
        assert_true(tail_id_compare(&b, &a) > 0);
        assert_int_equal(tail_id_compare(&a, &a), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_id_is_read_and_written_the_same),
        cmocka_unit_test(what_is_no_id_is_refused),
        cmocka_unit_test(ids_are_ordered_by_both_numbers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_nearest.c - what somebody probably meant, and when it was another word. */
#include "base/nearest.h"

/* cmocka.h needs the four before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void a_slip_finds_its_name_and_another_word_none(void **state)
{
    static const char *const names[] = {"turns", "tier", "topic", "model", "seed"};
    static const struct {
        const char *word, *name;
    } cases[] = {
        {"turns", "turns"},
        {"truns", "turns"},
        {"turn", "turns"},
        {"tiers", "tier"},
        {"topics", "topic"},
        {"moodel", "model"},
        {"xmodelxx", "model"}, /* three away */
        {"xxmodelxx", NULL},
        {"s", NULL},
        {"se", NULL},
        {"zzzz", NULL},
        {"", NULL},
        {"tre", NULL},
        {"a word that is much longer than any name that any table has in it", NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct nearest nearest = nearest_to(str_of(cases[i].word));

        for (size_t j = 0; j < sizeof names / sizeof *names; j++)
            nearest_try(&nearest, names[j]);
        if ((nearest.name == NULL) != (cases[i].name == NULL)
            || (nearest.name != NULL && !str_is(str_of(nearest.name), cases[i].name)))
            fail_msg("%s: %s", cases[i].word, nearest.name);
    }
}

static void of_equals_the_first_is_taken(void **state)
{
    struct nearest nearest = nearest_to(str_of("abcd"));

    (void)state;
    nearest_try(&nearest, "abxd");
    nearest_try(&nearest, "abcx");
    assert_string_equal(nearest.name, "abxd");
    nearest_try(&nearest, "abcd");
    assert_string_equal(nearest.name, "abcd");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_slip_finds_its_name_and_another_word_none),
        cmocka_unit_test(of_equals_the_first_is_taken),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

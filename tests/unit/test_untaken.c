/* test_untaken.c - what is remembered of the parameters that models do not take. */
#include "base/str.h"
#include "llm/untaken.h"

/* cmocka.h needs the four before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static void it_is_kept_by_endpoint_and_model(void **state)
{
    struct untaken untaken = {0};

    (void)state;
    assert_int_equal(untaken_find(&untaken, "u", "m"), 0);
    untaken_add(&untaken, "u", "m", PARAM_STOP);
    untaken_add(&untaken, "u", "m", PARAM_SEED);
    untaken_add(&untaken, "u", "n", PARAM_TOP_P);
    assert_int_equal(untaken_find(&untaken, "u", "m"),
                     1U << PARAM_STOP | 1U << PARAM_SEED);
    assert_int_equal(untaken_find(&untaken, "u", "n"), 1U << PARAM_TOP_P);
    assert_int_equal(untaken_find(&untaken, "v", "m"), 0);
    untaken_done(&untaken);
    assert_int_equal(untaken_find(&untaken, "u", "m"), 0);
}

static void of_too_many_models_the_first_is_forgotten(void **state)
{
    struct untaken untaken = {0};
    char model[16];

    (void)state;
    for (int i = 0; i <= UNTAKEN_MODELS; i++) {
        fmt_into(model, sizeof model, "m%d", i);
        untaken_add(&untaken, "u", model, PARAM_STOP);
    }
    assert_int_equal(untaken_find(&untaken, "u", "m0"), 0);
    assert_int_equal(untaken_find(&untaken, "u", "m1"), 1U << PARAM_STOP);
    assert_int_equal(untaken_find(&untaken, "u", model), 1U << PARAM_STOP);
    untaken_done(&untaken);
}

/* Names are read and told by the same table. */
static void each_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (unsigned i = PARAM_NONE + 1; i < PARAM_COUNT; i++)
        for (unsigned j = PARAM_NONE + 1; j < i; j++)
            assert_string_not_equal(param_name((enum llm_param)i),
                                    param_name((enum llm_param)j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_kept_by_endpoint_and_model),
        cmocka_unit_test(of_too_many_models_the_first_is_forgotten),
        cmocka_unit_test(each_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

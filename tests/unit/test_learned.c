/* test_learned.c - what is remembered of models: what they do not take, how they think.
 */
#include "base/str.h"
#include "llm/learned.h"

/* cmocka.h needs the four before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

static unsigned untaken_of(const struct learned *learned, const char *url,
                           const char *model)
{
    const struct learned_model *known = learned_find(learned, url, model);

    return known == NULL ? 0 : known->untaken;
}

static void it_is_kept_by_endpoint_and_model(void **state)
{
    struct learned learned = {0};

    (void)state;
    assert_int_equal(untaken_of(&learned, "u", "m"), 0);
    learned_untaken(&learned, "u", "m", PARAM_STOP);
    learned_untaken(&learned, "u", "m", PARAM_SEED);
    learned_untaken(&learned, "u", "n", PARAM_TOP_P);
    assert_int_equal(untaken_of(&learned, "u", "m"),
                     1U << PARAM_STOP | 1U << PARAM_SEED);
    assert_int_equal(untaken_of(&learned, "u", "n"), 1U << PARAM_TOP_P);
    assert_int_equal(untaken_of(&learned, "v", "m"), 0);
    learned_done(&learned);
    assert_int_equal(untaken_of(&learned, "u", "m"), 0);
}

static void of_too_many_models_the_first_is_forgotten(void **state)
{
    struct learned learned = {0};
    char model[16];

    (void)state;
    for (int i = 0; i <= LEARNED_MODELS; i++) {
        fmt_into(model, sizeof model, "m%d", i);
        learned_untaken(&learned, "u", model, PARAM_STOP);
    }
    assert_int_equal(untaken_of(&learned, "u", "m0"), 0);
    assert_int_equal(untaken_of(&learned, "u", "m1"), 1U << PARAM_STOP);
    assert_int_equal(untaken_of(&learned, "u", model), 1U << PARAM_STOP);
    learned_done(&learned);
}

static void room_for_thoughts_is_twice_the_most_that_was_seen(void **state)
{
    static const int64_t rows[][2] = {
        {-1, 0},     {0, 0},      {1, 1024},     {512, 1024},
        {513, 1026}, {400, 1026}, {5000, 10000}, {INT64_MAX, 32768}};
    struct learned learned = {0};

    (void)state;
    assert_int_equal(learned_room(NULL), 0);
    learned_untaken(&learned, "u", "m", PARAM_STOP);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        learned_thought(&learned, "u", "m", rows[i][0]);
        assert_int_equal(learned_room(learned_find(&learned, "u", "m")), rows[i][1]);
    }
    assert_int_equal(learned_room(learned_find(&learned, "u", "n")), 0);
    learned_done(&learned);
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
        cmocka_unit_test(room_for_thoughts_is_twice_the_most_that_was_seen),
        cmocka_unit_test(each_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_episode.c - lasting trouble is told when it begins, once a minute, and when it
 * is over.
 */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */

#include "base/episode.h"

static void trouble_is_told_at_once_and_then_once_a_minute(void **state)
{
    struct episode episode = {0};
    int lines = 0;

    (void)state;
    for (int64_t now_ms = 1; now_ms <= 180000; now_ms += 100)
        lines += episode_on(&episode, now_ms);
    assert_int_equal(lines, 3);
    assert_int_equal(episode_ms(&episode, 180001), 180000);
    assert_true(episode_over(&episode));
    assert_false(episode_over(&episode));
    assert_int_equal(episode_ms(&episode, 180001), 0);
}

static void trouble_that_comes_and_goes_within_a_minute_is_told_once(void **state)
{
    struct episode episode = {0};
    int begun = 0;
    int ended = 0;

    (void)state;
    for (int64_t now_ms = 1; now_ms < 60000; now_ms += 100) {
        begun += episode_on(&episode, now_ms);
        ended += episode_over(&episode);
    }
    assert_int_equal(begun, 1);
    assert_int_equal(ended, 1);
    assert_true(episode_on(&episode, 60001));
}

static void trouble_that_was_never_there_is_not_over(void **state)
{
    struct episode episode = {0};

    (void)state;
    assert_false(episode_over(&episode));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trouble_is_told_at_once_and_then_once_a_minute),
        cmocka_unit_test(trouble_that_comes_and_goes_within_a_minute_is_told_once),
        cmocka_unit_test(trouble_that_was_never_there_is_not_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

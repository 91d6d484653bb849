/* test_rewind.c - what a leader keeps of its roster, and what it makes of Redis' word.
 */
#include "base/alloc.h"
#include "manager/manager.h"
#include "manager/rewind.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct manager manager;

static int begin(void **state)
{
    (void)state;
    manager = (struct manager){.roster = roster_new()};
    return 0;
}

static int end(void **state)
{
    (void)state;
    rewind_done(&manager.rewind);
    roster_free(manager.roster);
    return 0;
}

static struct talk *add(const char *id)
{
    struct wish *wish = x_malloc(sizeof *wish);

    wish_init(wish);
    return roster_add(manager.roster, id, wish);
}

static void an_earlier_turn_is_a_rewind_and_no_conversation_is_a_loss(void **state)
{
    (void)state;
    assert_int_equal(rewind_judge(5, str_of("running"), 5), REWIND_NONE);
    assert_int_equal(rewind_judge(5, str_of("running"), 6), REWIND_NONE);
    assert_int_equal(rewind_judge(5, str_of("ended"), 6), REWIND_NONE);
    assert_int_equal(rewind_judge(5, str_of("paused"), 4), REWIND_REWOUND);
    assert_int_equal(rewind_judge(5, str_of("preparing"), 0), REWIND_REWOUND);
    assert_int_equal(rewind_judge(0, str_of("preparing"), 0), REWIND_NONE);
    assert_int_equal(rewind_judge(5, str_of(""), 0), REWIND_LOST);
    assert_int_equal(rewind_judge(0, str_of(""), 0), REWIND_LOST);
}

static void all_of_the_roster_is_kept_whatever_its_state(void **state)
{
    (void)state;
    add("a");
    roster_move(manager.roster, add("b"), TALK_WRITING);
    roster_move(manager.roster, add("c"), TALK_READY);
    roster_run(manager.roster, add("d"));
    rewind_remember(&manager);
    assert_int_equal(manager.rewind.count, 4);
    roster_clear(manager.roster);
    assert_int_equal(manager.rewind.count, 4);
}

static void an_empty_roster_takes_nothing_from_what_is_kept(void **state)
{
    (void)state;
    rewind_remember(&manager);
    assert_int_equal(manager.rewind.count, 0);
    add("a");
    rewind_remember(&manager);
    roster_clear(manager.roster);
    rewind_remember(&manager);
    assert_int_equal(manager.rewind.count, 1);
    add("b");
    add("c");
    rewind_remember(&manager);
    assert_int_equal(manager.rewind.count, 2); /* in its place, not beside it */
}

static void what_is_forgotten_is_gone(void **state)
{
    (void)state;
    add("a");
    rewind_remember(&manager);
    rewind_done(&manager.rewind);
    assert_int_equal(manager.rewind.count, 0);
    rewind_check(&manager); /* asks for nothing: there is no Redis here */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_earlier_turn_is_a_rewind_and_no_conversation_is_a_loss),
        cmocka_unit_test_setup_teardown(all_of_the_roster_is_kept_whatever_its_state,
                                        begin, end),
        cmocka_unit_test_setup_teardown(an_empty_roster_takes_nothing_from_what_is_kept,
                                        begin, end),
        cmocka_unit_test_setup_teardown(what_is_forgotten_is_gone, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

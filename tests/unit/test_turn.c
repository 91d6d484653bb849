/* test_turn.c - every cell of the table of a turn's life, by name. */
#include <stdbool.h>
#include <string.h>

#include "worker/turn.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

struct cell {
    enum turn_state next;
    enum turn_action action;
};
/* clang-format off */
#define NO                    {0, TURN_REFUSE}
#define GO(state, action)     {TURN_##state, TURN_##action}

static const struct cell wanted[TURN_STATE_COUNT][TURN_EVENT_COUNT] = {
    /* delivered, poisoned, loaded, unreadable, replied, broke, closed, unwanted,
     * hand-back, settled */
    [TURN_FREE] = {
        GO(LOADING, LOAD), GO(SETTLING, BURY), NO, NO, NO, NO, NO, NO,
        NO, NO},
    [TURN_LOADING] = {
        NO, NO, GO(CALLING, CALL), GO(SETTLING, FAIL), NO, NO, NO, GO(FREE, CLEAR),
        GO(SETTLING, RELEASE), NO},
    [TURN_CALLING] = {
        NO, NO, NO, NO, GO(SETTLING, COMMIT), GO(SETTLING, FAIL), NO,
        GO(CANCELLING, CLOSE_CALL),
        GO(HANDING, CLOSE_CALL), NO},
    [TURN_CANCELLING] = {
        NO, NO, NO, NO, GO(FREE, CLEAR), GO(FREE, CLEAR), GO(FREE, CLEAR),
        GO(CANCELLING, IGNORE),
        GO(CANCELLING, IGNORE), NO},
    [TURN_HANDING] = {
        NO, NO, NO, NO, GO(SETTLING, COMMIT), GO(SETTLING, RELEASE),
        GO(SETTLING, RELEASE), GO(CANCELLING, IGNORE),
        GO(HANDING, IGNORE), NO},
    [TURN_SETTLING] = {
        NO, NO, NO, NO, NO, NO, NO, GO(SETTLING, IGNORE),
        GO(SETTLING, IGNORE), GO(FREE, CLEAR)},
};
/* clang-format on */

static void every_event_in_every_state_does_what_the_table_says(void **state)
{
    (void)state;
    for (int s = 0; s < TURN_STATE_COUNT; s++)
        for (int e = 0; e < TURN_EVENT_COUNT; e++) {
            const struct cell *cell = &wanted[s][e];
            enum turn_state at = (enum turn_state)s;
            enum turn_action action = turn_step(&at, (enum turn_event)e);
            enum turn_state next =
                cell->action == TURN_REFUSE ? (enum turn_state)s : cell->next;

            if (action != cell->action || at != next)
                fail_msg(
                    "%s (%s): action %d, then %s", turn_state_name((enum turn_state)s),
                    turn_event_name((enum turn_event)e), action, turn_state_name(at));
        }
}

static void zero_means_refuse(void **state)
{
    (void)state;
    assert_int_equal(TURN_REFUSE, 0);
    assert_int_equal(TURN_FREE, 0);
}

/* From any state some road leads back to free: nothing hangs. */
static void no_state_is_a_dead_end(void **state)
{
    bool leads_home[TURN_STATE_COUNT] = {[TURN_FREE] = true};

    (void)state;
    for (int round = 0; round < TURN_STATE_COUNT; round++)
        for (int s = 0; s < TURN_STATE_COUNT; s++)
            for (int e = 0; e < TURN_EVENT_COUNT; e++) {
                enum turn_state at = (enum turn_state)s;

                if (turn_step(&at, (enum turn_event)e) != TURN_REFUSE && leads_home[at])
                    leads_home[s] = true;
            }
    for (int s = 0; s < TURN_STATE_COUNT; s++)
        if (!leads_home[s])
            fail_msg("%s", turn_state_name((enum turn_state)s));
}

/* A turn that is not free can always be taken away and handed back. */
static void a_held_turn_always_hears_the_lease_and_the_shutdown(void **state)
{
    (void)state;
    for (int s = TURN_FREE + 1; s < TURN_STATE_COUNT; s++) {
        enum turn_state at = (enum turn_state)s;

        assert_int_not_equal(turn_step(&at, TURN_UNWANTED), TURN_REFUSE);
        at = (enum turn_state)s;
        assert_int_not_equal(turn_step(&at, TURN_HAND_BACK), TURN_REFUSE);
    }
}

static void every_state_and_event_has_a_name_of_its_own(void **state)
{
    (void)state;
    for (int i = 0; i < TURN_STATE_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(turn_state_name((enum turn_state)i),
                                    turn_state_name((enum turn_state)j));
    for (int i = 0; i < TURN_EVENT_COUNT; i++)
        for (int j = 0; j < i; j++)
            assert_string_not_equal(turn_event_name((enum turn_event)i),
                                    turn_event_name((enum turn_event)j));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_event_in_every_state_does_what_the_table_says),
        cmocka_unit_test(zero_means_refuse),
        cmocka_unit_test(no_state_is_a_dead_end),
        cmocka_unit_test(a_held_turn_always_hears_the_lease_and_the_shutdown),
        cmocka_unit_test(every_state_and_event_has_a_name_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

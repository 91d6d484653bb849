/* test_fleet_model.c - what the fleet screen draws: rates and means over what was
 * handed over, nothing of what was not told.
 */
#include <math.h>
#include <string.h>

#include "observer/model/fleet.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define SECOND INT64_C(1000000)
#define NOW    (INT64_C(1769855400) * SECOND)

static int changes;
static struct fleet *fleet;

static void on_changed(void *owner)
{
    (void)owner;
    changes++;
}

static void is_about(double found, double wanted)
{
    if (!(fabs(found - wanted) < 1e-9))
        fail_msg("%f is not %f", found, wanted);
}

static int set_up(void **state)
{
    (void)state;
    changes = 0;
    fleet = fleet_new(on_changed, NULL);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fleet_free(fleet);
    return 0;
}

static struct fleet_member worker(const char *name, int64_t turns, int64_t heard_us)
{
    struct fleet_member member = {
        .pid = 7, .lane = 1, .turns = turns, .heard_us = heard_us};

    memcpy(member.name, name, strlen(name) + 1);
    memcpy(member.state, "serving", sizeof "serving");
    return member;
}

static const struct fleet_member *take(struct fleet_member member, int64_t now_us)
{
    size_t count;
    size_t beyond;

    fleet_take_members(fleet, &member, 1, 0, now_us);
    (void)fleet_members(fleet, &count, &beyond);
    assert_int_equal(count, 1);
    return fleet_members(fleet, &count, &beyond);
}

static void a_members_rate_is_its_turns_over_at_least_two_seconds(void **state)
{
    (void)state;
    assert_true(isnan(take(worker("w", 10, NOW), NOW)->turns_per_second));
    assert_true(isnan(take(worker("w", 15, NOW + SECOND), NOW)->turns_per_second));
    is_about(take(worker("w", 30, NOW + 4 * SECOND), NOW)->turns_per_second, 5);
    /* A process started anew counts from 0: no rate is known. */
    assert_true(isnan(take(worker("w", 2, NOW + 8 * SECOND), NOW)->turns_per_second));
}

static void since_when_a_state_lasts_is_kept_until_it_is_another(void **state)
{
    struct fleet_member member = worker("w", 1, NOW);

    (void)state;
    assert_int_equal(take(member, NOW)->since_us, NOW);
    assert_int_equal(take(member, NOW + SECOND)->since_us, NOW);
    member.state[0] = 'd';
    assert_int_equal(take(member, NOW + 2 * SECOND)->since_us, NOW + 2 * SECOND);
    member.pid = 8;
    assert_int_equal(take(member, NOW + 3 * SECOND)->since_us, NOW + 3 * SECOND);
}

static void who_was_not_heard_of_for_five_seconds_is_silent_and_serves_no_lane(
    void **state)
{
    struct fleet_member members[2] = {worker("a", 0, NOW),
                                      worker("b", 0, NOW - 6 * SECOND)};

    (void)state;
    fleet_take_members(fleet, members, 2, 0, NOW);
    assert_false(fleet_member_silent(&members[0], NOW));
    assert_true(fleet_member_silent(&members[1], NOW));
    assert_int_equal(fleet_lane_workers(fleet, 1, NOW), 1);
    assert_int_equal(fleet_lane_workers(fleet, 2, NOW), 0);
}

static void call(int64_t at_us, bool wasted, double first_token_ms)
{
    struct fleet_call one = {.server = "local",
                             .at_us = at_us,
                             .wasted = wasted,
                             .first_token_ms = first_token_ms,
                             .tokens = wasted ? -1 : 10};

    fleet_take_call(fleet, &one);
}

static void calls_are_counted_over_a_minute_and_then_forgotten(void **state)
{
    struct fleet_rates rates;

    (void)state;
    call(NOW - 90 * SECOND, false, 100);
    for (int i = 0; i < 30; i++)
        call(NOW - i * SECOND, i % 3 == 0, 100);
    call(NOW - 90 * SECOND, false, 100); /* late: its second is another's by now */
    rates = fleet_rates(fleet, NOW);
    assert_int_equal(rates.calls, 30);
    assert_int_equal(rates.wasted, 10);
    assert_int_equal(rates.tokens, 200);
    is_about(rates.calls_per_second, 0.5);
    assert_int_equal(fleet_calls_in(fleet, NOW, 29), 1);
    assert_int_equal(fleet_calls_in(fleet, NOW, 30), 0);
    assert_int_equal(fleet_rates(fleet, NOW + 89 * SECOND).calls, 0);
}

static void where_calls_were_left_out_the_sums_are_the_least_there_were(void **state)
{
    (void)state;
    call(NOW, false, 100);
    assert_false(fleet_rates(fleet, NOW).at_least);
    fleet_take_calls_cut(fleet, NOW - 30 * SECOND);
    fleet_take_calls_cut(fleet, NOW - 40 * SECOND);
    assert_true(fleet_rates(fleet, NOW).at_least);
    assert_true(fleet_rates(fleet, NOW + 29 * SECOND).at_least);
    assert_false(fleet_rates(fleet, NOW + 30 * SECOND).at_least);
    fleet_take_calls_cut(fleet, NOW);
    fleet_forget(fleet);
    assert_false(fleet_rates(fleet, NOW).at_least);
}

static void a_servers_first_token_is_the_mean_of_its_last_twenty_calls(void **state)
{
    struct fleet_server server = {.name = "local"};
    size_t count;
    size_t beyond;

    (void)state;
    fleet_take_servers(fleet, &server, 1, 3);
    assert_true(isnan(fleet_servers(fleet, &count, &beyond)->first_token_ms));
    assert_int_equal(beyond, 3);
    call(NOW, true, -1); /* it never came to a first token */
    assert_true(isnan(fleet_servers(fleet, &count, &beyond)->first_token_ms));
    for (int i = 0; i < 30; i++)
        call(NOW, false, i < 10 ? 9000 : 100 + i % 2 * 100);
    is_about(fleet_servers(fleet, &count, &beyond)->first_token_ms, 150);
}

static void the_last_thousand_events_are_kept_and_numbered(void **state)
{
    uint64_t first;
    uint64_t end;

    (void)state;
    for (int i = 0; i < FLEET_EVENTS_MAX + 5; i++) {
        struct fleet_event event = {.turn = i};

        fleet_take_event(fleet, &event);
    }
    fleet_event_range(fleet, &first, &end);
    assert_int_equal(first, 5);
    assert_int_equal(end, FLEET_EVENTS_MAX + 5);
    assert_int_equal(fleet_event_at(fleet, first)->turn, 5);
    assert_int_equal(fleet_event_at(fleet, end - 1)->turn, FLEET_EVENTS_MAX + 4);
    fleet_forget(fleet);
    fleet_event_range(fleet, &first, &end);
    assert_int_equal(end, 0);
}

static void each_change_is_told_and_nothing_is_known_at_the_start(void **state)
{
    (void)state;
    assert_int_equal(changes, 0);
    assert_int_equal(fleet_totals(fleet)->memory_bytes, -1);
    assert_int_equal(fleet_rates(fleet, NOW).calls, 0);
    (void)take(worker("w", 1, NOW), NOW);
    call(NOW, false, 1);
    assert_int_equal(changes, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_members_rate_is_its_turns_over_at_least_two_seconds),
        TEST(since_when_a_state_lasts_is_kept_until_it_is_another),
        TEST(who_was_not_heard_of_for_five_seconds_is_silent_and_serves_no_lane),
        TEST(calls_are_counted_over_a_minute_and_then_forgotten),
        TEST(where_calls_were_left_out_the_sums_are_the_least_there_were),
        TEST(a_servers_first_token_is_the_mean_of_its_last_twenty_calls),
        TEST(the_last_thousand_events_are_kept_and_numbered),
        TEST(each_change_is_told_and_nothing_is_known_at_the_start),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

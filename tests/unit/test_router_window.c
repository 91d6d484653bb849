/* test_router_window.c - how many calls a server works on at once, whose turn it is
 * when a place is free, and how a window becomes known.
 */
#include "test_router_rig.h"

static void a_window_holds_over_the_calls_of_a_process(void **state)
{
    (void)state;
    list.own = 1;
    endpoints[0].window = 2;
    router_make();
    peers[0].how = HOW_HOLD; /* so that the first two run at the same time */
    for (int i = 0; i < 8; i++)
        start(next_ask());
    wait_asked(&peers[0], 2);
    peer_let_go(&peers[0]);
    run_all();
    assert_int_equal(peers[0].requests, 8);
    assert_int_equal(peers[0].most_running, 2);
    assert_no_places(0);
}

static void a_freed_place_goes_to_the_oldest_at_once(void **state)
{
    struct heard *first;
    struct heard *young;
    struct heard *old;
    struct router_ask ask;
    int64_t freed_ms;

    (void)state;
    one_place_make();
    first = start_held(next_ask());
    ask = next_ask();
    ask.asked_at_us = 9000;
    young = start(ask);
    ask = next_ask();
    ask.asked_at_us = 8000;
    old = start(ask);
    wait_ms(50);
    assert_int_equal(peers[0].requests, 1);
    freed_ms = clock_mono_ms();
    peer_let_go(&peers[0]);
    run_all();
    assert_true(first->ended_ms <= old->ended_ms && old->ended_ms <= young->ended_ms);
    assert_true(old->wait_us >= 45000);
    assert_true(young->ended_ms - freed_ms < 2000);
    assert_int_equal(peers[0].most_running, 1);
}

static void ask_window(enum endpoint_tier tier)
{
    static char openai[] = "openai";

    list.own = 1;
    endpoints[0].provider = openai;
    endpoints[0].tier = tier;
    endpoints[0].window = WINDOW_ASK;
    router_make();
    peers[0].how = HOW_HOLD;
}

static void start_five(void)
{
    for (int i = 0; i < 5; i++)
        start(next_ask());
}

static void a_window_nobody_gave_is_asked_of_the_server(void **state)
{
    (void)state;
    ask_window(TIER_LOCAL);
    start_five();
    wait_asked(&peers[0], 2);
    wait_ms(100);
    assert_int_equal(peers[0].requests, 2);
}

static void a_server_in_the_cloud_is_asked_where_the_config_says_so(void **state)
{
    (void)state;
    ask_window(TIER_CLOUD);
    start_five();
    wait_asked(&peers[0], 2);
    wait_ms(100);
    assert_int_equal(peers[0].requests, 2);
}

static void a_server_that_could_not_tell_its_window_is_asked_again(void **state)
{
    (void)state;
    ask_window(TIER_LOCAL);
    peers[0].loads = true;
    peers[0].how = HOW_STATUS;
    peers[0].status = 400;
    run();
    assert_int_equal(peers[0].requests, 1); /* unknown: no limit */
    peers[0].how = HOW_HOLD;
    peers[0].loads = false;
    wait_ms(1000);
    start(next_ask()); /* asks again, and waits for nothing */
    wait_asked(&peers[0], 2);
    wait_ms(100);
    start_five();
    wait_ms(100);
    assert_int_equal(peers[0].requests, 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUTER_TEST(a_window_holds_over_the_calls_of_a_process),
        ROUTER_TEST(a_freed_place_goes_to_the_oldest_at_once),
        ROUTER_TEST(a_window_nobody_gave_is_asked_of_the_server),
        ROUTER_TEST(a_server_in_the_cloud_is_asked_where_the_config_says_so),
        ROUTER_TEST(a_server_that_could_not_tell_its_window_is_asked_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

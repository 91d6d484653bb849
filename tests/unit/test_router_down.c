/* test_router_down.c - servers that are down: breakers, probes, Retry-After, keys, and
 * that a turn fails by its own fault only.
 */
#include "test_router_rig.h"

/* A call whose failure opens the breaker of the only server: it waits. */
static struct heard *fall(void)
{
    struct heard *it;

    list.own = 1;
    assert_string_equal(ask_redis("HSET", endpoint_key_of(0, ""), "fails 4"), "1");
    peers[0].how = HOW_STATUS;
    peers[0].status = 503;
    it = start(next_ask());
    while (it->ends == 0)
        rig_turns(&rig, 1);
    wait_idle(&peers[0]);
    return it;
}

static void a_turn_waits_while_all_are_down_and_goes_on_with_the_first_good_probe(
    void **state)
{
    struct heard *it;

    (void)state;
    config.attempts = 2;
    it = fall();
    assert_string_equal(field_of(0, "state"), "open");
    wait_ms(400);
    assert_int_equal(peers[0].requests, 1); /* nothing before the back-off is over */
    wait_asked(&peers[0], 2);
    peers[0].how = HOW_WELL;
    run_all();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->routes, "a:only a:probe a:probe"); /* uses no attempt up */
    assert_string_equal(field_of(0, "state"), "closed");
}

static void one_probe_at_a_time_and_then_the_others_come_in(void **state)
{
    int64_t well_ms;

    (void)state;
    fall();
    for (int i = 0; i < 12; i++)
        start(next_ask());
    peers[0].how = HOW_HOLD;
    wait_asked(&peers[0], 2);
    wait_ms(300);
    assert_int_equal(peers[0].requests, 2);
    peer_let_go(&peers[0]);
    well_ms = clock_mono_ms();
    run_all();
    for (size_t i = 1; i < heard_count; i++) {
        assert_int_equal(heard[i].outcome, LLM_DONE);
        assert_true(heard[i].attempts == 1 || strstr(heard[i].routes, "probe") != NULL);
        assert_true(heard[i].ended_ms - well_ms < 3000);
    }
    assert_int_equal(peers[0].requests, 14); /* one failed */
}

/* Else a turn that no server can bear would keep this one closed for all. */
static void after_a_failed_probe_it_is_another_turns_go(void **state)
{
    struct heard *it;

    (void)state;
    it = fall();
    start(next_ask());
    wait_asked(&peers[0], 2);
    while (it->ends < 2)
        rig_turns(&rig, 1);
    peers[0].how = HOW_WELL;
    run_all();
    assert_string_equal(heard[1].routes, "a:probe");
    assert_string_equal(it->routes, "a:only a:probe a:only");
}

static void a_server_that_is_down_is_passed_over_for_the_next(void **state)
{
    struct heard *it;

    (void)state;
    fall();
    list.own = 2;
    it = start(next_ask());
    while (it->results == 0)
        rig_turns(&rig, 1);
    assert_string_equal(it->routes, "b:first");
    peers[0].how = HOW_WELL;
    run_all();
}

static void a_call_waits_as_long_as_retry_after_says(void **state)
{
    struct heard *it;
    int64_t start_ms = clock_mono_ms();

    (void)state;
    list.own = 1;
    peers[0].how = HOW_STATUS;
    peers[0].status = 429;
    peers[0].retry_after = "1";
    peers[0].then_well = 1;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->routes, "a:only a:probe");
    assert_in_range(it->ended_ms - start_ms, 1000, 2100);
}

static void another_server_does_not_wait_for_it(void **state)
{
    struct heard *it;
    int64_t start_ms = clock_mono_ms();

    (void)state;
    peers[0].how = HOW_STATUS;
    peers[0].status = 429;
    peers[0].retry_after = "1000000000";
    it = run();
    assert_string_equal(it->routes, "a:first b:fallback");
    assert_true(it->ended_ms - start_ms < 500);
    assert_string_equal(run()->routes, "b:first");
}

static void retries_come_from_a_budget(void **state)
{
    int64_t start_ms;

    (void)state;
    list.own = 1;
    run();
    assert_string_equal(
        ask_redis("HSET", endpoint_key_of(0, ""), "tokens 0 tokens_at 9999999999999"),
        "0");
    peers[0].how = HOW_STATUS;
    peers[0].status = 500;
    peers[0].then_well = 1;
    start_ms = clock_mono_ms();
    assert_string_equal(run()->errors, "server none");
    /* The first attempt earned 0.1, a token a second trickles in. */
    assert_in_range(clock_mono_ms() - start_ms, 850, 1800);
}

static void a_key_that_is_missing_is_told_and_nothing_is_sent(void **state)
{
    static char variable[] = "PARLEY_TEST_NO_SUCH_KEY";
    struct heard *it;

    (void)state;
    list.own = 1;
    endpoints[0].key_env = variable;
    router_make();
    it = run();
    assert_int_equal(it->error, LLM_ERROR_AUTH);
    assert_non_null(strstr(it->reason, variable));
    assert_false(it->has_attempt);
    list.own = 2;
    assert_string_equal(run()->routes, "b:fallback");
    assert_int_equal(peers[0].requests, 0);
}

static void a_key_goes_to_its_own_server_only(void **state)
{
    char path[] = "/tmp/parley-key-XXXXXX";
    int fd = mkstemp(path);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(write(fd, "sesame\n", 7), 7);
    close(fd);
    endpoints[0].key_file = path;
    router_make();
    unlink(path);
    run();
    assert_string_equal(peers[0].key, "Bearer sesame");
    peers[0].how = HOW_STATUS;
    peers[0].status = 404;
    run();
    assert_string_equal(peers[1].key, "");
}

static void a_port_nobody_listens_on_is_down_like_any_other(void **state)
{
    static char nowhere[] = "http://127.0.0.1:1";
    struct heard *it;

    (void)state;
    endpoints[0].url = nowhere;
    router_make();
    it = run();
    assert_string_equal(it->routes, "a:first b:fallback");
    assert_string_equal(it->errors, "refused none");
}

static void a_lone_turn_waits_for_a_server_that_is_not_there(void **state)
{
    static char nowhere[] = "http://127.0.0.1:1";
    struct heard *it;

    (void)state;
    list.own = 1;
    endpoints[0].url = nowhere;
    router_make();
    it = start(next_ask());
    while (it->ends < 3)
        rig_turns(&rig, 1);
    wait_ms(200);
    assert_int_equal(it->results, 0);
    assert_string_equal(field_of(0, "state"), "open");
}

/* Nobody is answered: so it is not the prompt, however few calls there are. */
static void a_lone_turn_waits_while_all_its_servers_fail(void **state)
{
    struct heard *it;

    (void)state;
    for (size_t i = 0; i < PEERS; i++) {
        peers[i].how = i == 1 ? HOW_CUT : HOW_STATUS;
        peers[i].status = 500;
    }
    it = start(next_ask());
    while (it->waits == 0)
        rig_turns(&rig, 1);
    assert_string_equal(it->servers, "a, b, c");
    for (size_t i = 0; i < PEERS; i++) {
        assert_string_equal(field_of(i, "state"), "open");
        assert_in_range(peers[i].requests, 1, 5);
        peers[i].how = HOW_WELL;
    }
    run_all();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_non_null(strstr(it->errors, "server truncated server"));
}

static void with_a_single_attempt_it_waits_too(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    config.attempts = 1;
    peers[0].how = HOW_STATUS;
    peers[0].status = 502;
    peers[0].then_well = 1;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->routes, "a:only a:probe");
}

/* What the server answers meanwhile shows that it is this prompt it cannot bear. */
static void a_turn_whose_probes_fail_while_others_are_answered_ends(void **state)
{
    struct heard *it;

    (void)state;
    config.attempts = 2;
    it = fall();
    peers[0].how = HOW_HOLD;
    while (it->results == 0) {
        rig_turns(&rig, 1);
        if (peers[0].held[0] != NULL) { /* its probe is there */
            struct serve_request *request = peers[0].held[0];

            peers[0].held[0] = NULL;
            others_are_answered(0);
            serve_reply(request, 500, "application/json", str_of("{}"));
        }
    }
    assert_int_equal(it->error, LLM_ERROR_SERVER);
    assert_string_equal(it->routes, "a:only a:probe a:probe");
}

static void who_waits_for_servers_that_are_down_is_told_so(void **state)
{
    struct heard *it = fall();
    struct heard *other = start(next_ask());
    int64_t from_ms = clock_mono_ms();

    (void)state;
    other->cancel_in_wait = true;
    while (it->waits == 0 || other->waits == 0)
        rig_turns(&rig, 1);
    assert_true(clock_mono_ms() - from_ms >= 1500); /* not for a moment's trouble */
    assert_string_equal(it->servers, "a");
    assert_non_null(strstr(it->reason, "503"));
    while (other->results == 0)
        rig_turns(&rig, 1);
    assert_int_equal(other->outcome, LLM_CANCELLED);
    wait_ms(1200);
    assert_int_equal(it->waits, 1); /* nor each time it looks again */
    peers[0].how = HOW_WELL;
    run_all();
    assert_int_equal(it->outcome, LLM_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUTER_TEST(
            a_turn_waits_while_all_are_down_and_goes_on_with_the_first_good_probe),
        ROUTER_TEST(one_probe_at_a_time_and_then_the_others_come_in),
        ROUTER_TEST(after_a_failed_probe_it_is_another_turns_go),
        ROUTER_TEST(a_lone_turn_waits_for_a_server_that_is_not_there),
        ROUTER_TEST(a_lone_turn_waits_while_all_its_servers_fail),
        ROUTER_TEST(with_a_single_attempt_it_waits_too),
        ROUTER_TEST(a_turn_whose_probes_fail_while_others_are_answered_ends),
        ROUTER_TEST(who_waits_for_servers_that_are_down_is_told_so),
        ROUTER_TEST(a_server_that_is_down_is_passed_over_for_the_next),
        ROUTER_TEST(a_call_waits_as_long_as_retry_after_says),
        ROUTER_TEST(another_server_does_not_wait_for_it),
        ROUTER_TEST(retries_come_from_a_budget),
        ROUTER_TEST(a_key_that_is_missing_is_told_and_nothing_is_sent),
        ROUTER_TEST(a_key_goes_to_its_own_server_only),
        ROUTER_TEST(a_port_nobody_listens_on_is_down_like_any_other),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

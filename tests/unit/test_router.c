/* test_router.c - a call's life: its attempts, its place, its end, whatever ends it. */
#include "test_router_rig.h"

/* ---- one attempt ---- */

static void a_call_is_made_told_and_booked(void **state)
{
    struct heard *it;

    (void)state;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->text, "Well.");
    assert_string_equal(it->ids, "call-0");
    assert_string_equal(it->routes, "a:first");
    assert_string_equal(it->errors, "none");
    assert_true(it->has_attempt);
    assert_string_equal(peers[0].model, "m");
    assert_string_equal(field_of(0, "ok"), "1");
    assert_string_equal(field_of(0, "state"), "closed");
    assert_no_places(0);
}

static void echo_needs_neither_redis_nor_a_copy(void **state)
{
    static char echo[] = "echo";
    struct seat_model model = {.provider = echo};
    struct router_ask ask = next_ask();
    struct heard *it;

    (void)state;
    rig_server_kill(&rig);
    ask.model = &model;
    it = start(ask);
    assert_int_equal(it->attempts, 1); /* at once */
    while (it->results == 0)
        rig_turns(&rig, 1);
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->routes, "echo:only");
    assert_true(it->has_attempt);
}

static void a_dry_run_reaches_no_server_whatever_is_named(void **state)
{
    static char echo[] = "echo";
    static char endpoint[] = "c";
    static char named[] = "c:m";
    struct seat_model model = {.provider = echo, .endpoint = endpoint, .model = named};
    struct router_ask ask = next_ask();

    (void)state;
    ask.model = &model;
    assert_string_equal(start(ask)->routes, "echo:only");
    run_all();
    assert_int_equal(peers[2].requests, 0);
}

static void no_candidate_is_told_in_words(void **state)
{
    static char named[] = "unheard-of";
    struct seat_model model = {.model = named};
    struct router_ask ask = next_ask();
    struct heard *it;

    (void)state;
    ask.model = &model;
    it = start(ask);
    run_all();
    assert_int_equal(it->error, LLM_ERROR_REQUEST);
    assert_non_null(strstr(it->reason, "serves the model unheard-of"));
    assert_false(it->has_attempt);
}

static void a_request_has_what_was_asked_for_though_the_asker_has_gone(void **state)
{
    char *text = x_strdup("Words that go.");
    struct llm_message messages[] = {{"user", str_of(text)}};
    struct router_ask ask = next_ask();
    struct heard *it;

    (void)state;
    ask.request.messages = messages;
    ask.request.message_count = 1;
    peers[0].how = HOW_HOLD;
    it = start(ask);
    memset(text, 'x', strlen(text));
    free(text);
    messages[0].role = NULL;
    wait_asked(&peers[0], 1);
    assert_non_null(strstr(serve_body(peers[0].held[0]).at, "Words that go."));
    peer_let_go(&peers[0]);
    run_all();
    assert_int_equal(it->outcome, LLM_DONE);
}

/* ---- several attempts ---- */

static void a_failure_that_may_pass_is_tried_again(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    peers[0].how = HOW_STATUS;
    peers[0].status = 500;
    peers[0].then_well = 1;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->ids, "call-0 call-0~2");
    assert_string_equal(it->errors, "server none");
    assert_int_equal(it->agains, 1);
    assert_int_equal(peers[0].requests, 2);
    assert_string_equal(field_of(0, "failed"), "1");
    assert_string_equal(field_of(0, "error"), "server");
}

/* Drawn from nothing to a quarter of a second: that eight of them are short by chance
 * is one in ten millions. */
static void a_pause_comes_before_the_same_server_is_asked_again(void **state)
{
    int64_t paused_ms = 0;

    (void)state;
    list.own = 1;
    config.retry_budget = 1; /* so that nothing else is waited for */
    for (int i = 0; i < 8; i++) {
        struct heard *it;

        peers[0].how = HOW_STATUS;
        peers[0].status = 500;
        peers[0].then_well = 1;
        it = run();
        assert_string_equal(it->errors, "server none");
        paused_ms += it->ended_ms - it->began_ms;
    }
    assert_true(paused_ms > 100);
}

static void a_turn_that_fails_while_others_do_not_is_tried_three_times(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    peers_will(HOW_STATUS, 500);
    it = start(next_ask());
    while (it->ends == 0)
        rig_turns(&rig, 1);
    others_are_answered(0);
    run_all();
    assert_int_equal(it->outcome, LLM_FAILED);
    assert_int_equal(it->error, LLM_ERROR_SERVER);
    assert_non_null(strstr(it->reason, "as the test wants"));
    assert_string_equal(it->errors, "server server server");
    assert_int_equal(it->agains, 2);
    assert_int_equal(peers[0].requests, 3);
    assert_no_places(0);
}

static void a_bad_request_is_not_tried_again(void **state)
{
    struct heard *it;

    (void)state;
    peers_will(HOW_STATUS, 400);
    it = run();
    assert_int_equal(it->error, LLM_ERROR_REQUEST);
    assert_int_equal(it->attempts, 1);
    assert_int_equal(peers[0].requests + peers[1].requests + peers[2].requests, 1);
}

static void partial_text_is_void_and_never_stitched(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    peers[0].how = HOW_CUT;
    peers[0].then_well = 1;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->text, "Well.");
    assert_string_equal(it->errors, "truncated none");
}

static void a_model_that_is_missing_is_asked_for_elsewhere_only(void **state)
{
    struct heard *it;

    (void)state;
    peers[0].how = HOW_STATUS;
    peers[0].status = 404;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->routes, "a:first b:fallback");
    list.own = 1;
    it = run();
    assert_int_equal(it->error, LLM_ERROR_MODEL_NOT_FOUND);
    assert_int_equal(it->attempts, 1);
}

static void a_refused_key_parks_the_server(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    peers_will(HOW_STATUS, 401);
    it = run();
    assert_int_equal(it->error, LLM_ERROR_AUTH);
    assert_int_equal(it->attempts, 1);
    it = run();
    assert_int_equal(it->error, LLM_ERROR_AUTH);
    assert_non_null(strstr(it->reason, "as the test wants"));
    assert_int_equal(it->attempts, 0);
    assert_int_equal(peers[0].requests, 1);
    list.own = 2;
    peers[1].how = HOW_WELL;
    it = run();
    assert_string_equal(it->routes, "b:first");
}

static void an_empty_reply_is_asked_for_once_more(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    peers[0].how = HOW_EMPTY;
    peers[0].then_well = 1;
    it = run();
    assert_int_equal(it->outcome, LLM_DONE);
    assert_string_equal(it->errors, "empty none");
    peers[0].how = HOW_EMPTY;
    it = run();
    assert_int_equal(it->error, LLM_ERROR_EMPTY);
    assert_int_equal(it->attempts, 2);
    assert_string_equal(field_of(0, "fails"), "0"); /* nothing against the server */
}

static void what_the_judge_throws_away_is_asked_for_once_more(void **state)
{
    struct heard *it;

    (void)state;
    list.own = 1;
    heard[0].verdict = LLM_ERROR_EMPTY;
    it = run();
    assert_int_equal(it->error, LLM_ERROR_EMPTY);
    assert_string_equal(it->reason, "the model said nothing");
    assert_string_equal(it->errors, "empty empty");
    assert_int_equal(peers[0].requests, 2);
}

static void the_fallback_order_is_gone_through(void **state)
{
    static char endpoint[] = "a";
    static char order[] = "c:m2, b";
    struct seat_model model = {.endpoint = endpoint, .fallback = order};
    struct router_ask ask = next_ask();
    struct heard *it;

    (void)state;
    ask.model = &model;
    peers[0].how = peers[2].how = HOW_STATUS;
    peers[0].status = peers[2].status = 503;
    it = start(ask);
    run_all();
    assert_string_equal(it->routes, "a:first c:fallback b:fallback");
    assert_string_equal(peers[2].model, "m2");
    assert_int_equal(it->outcome, LLM_DONE);
}

/* The one that has failed is well, but it is behind the other for this turn. */
static void a_full_server_is_waited_for_before_the_failed_one_is_asked_again(
    void **state)
{
    static char endpoint[] = "b";
    struct seat_model at_b = {.endpoint = endpoint};
    struct router_ask ask = next_ask();
    struct heard *it;

    (void)state;
    list.own = 2;
    endpoints[1].window = 1;
    router_make();
    peers[1].how = HOW_HOLD;
    ask.model = &at_b;
    start(ask);
    wait_asked(&peers[1], 1);
    peers[0].how = HOW_STATUS;
    peers[0].status = 500;
    peers[0].then_well = 1;
    it = start(next_ask());
    while (it->ends == 0)
        rig_turns(&rig, 1);
    wait_ms(100);
    assert_int_equal(it->attempts, 1);
    peer_let_go(&peers[1]);
    run_all();
    assert_string_equal(it->routes, "a:first b:fallback");
}

/* ---- ends from outside ---- */

static void a_call_that_runs_is_cancelled_and_gives_its_place_back(void **state)
{
    struct heard *it;

    (void)state;
    it = start_held(next_ask());
    router_cancel(it->call);
    assert_int_equal(it->results, 0);
    run_all();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_string_equal(it->errors, "cancelled");
    wait_idle(&peers[0]);
    assert_int_equal(peers[0].aborted, 1);
    assert_no_places(0);
    assert_string_equal(field_of(0, "failed"), "nil");
}

static void a_call_that_waits_is_cancelled_and_waits_no_more(void **state)
{
    struct heard *it;

    (void)state;
    one_place_make();
    start_held(next_ask());
    it = start(next_ask());
    wait_ms(30);
    assert_string_equal(ask_redis("ZCARD", endpoint_key_of(0, "waiting"), ""), "1");
    router_cancel(it->call);
    peer_let_go(&peers[0]);
    run_all();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_false(it->has_attempt);
    assert_no_places(0);
}

static void a_call_is_cancelled_before_its_place_is_known(void **state)
{
    struct heard *it;

    (void)state;
    it = start(next_ask());
    router_cancel(it->call);
    router_cancel(it->call);
    run_all();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_int_equal(peers[0].requests, 0);
    assert_no_places(0);
}

static void a_call_is_cancelled_from_inside_its_callbacks(void **state)
{
    struct heard *it;

    (void)state;
    heard[0].cancel_in_attempt = true;
    it = run();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_string_equal(it->errors, "cancelled");
    assert_int_equal(peers[0].requests, 0);
    heard[1].cancel_in_judge = true;
    it = run();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_string_equal(it->errors, "cancelled");
    heard[2].cancel_at_end = true;
    peers_will(HOW_STATUS, 500);
    it = run();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_int_equal(it->attempts, 1);
    assert_no_places(0);
}

static void a_call_is_cancelled_while_redis_is_gone(void **state)
{
    struct heard *it;

    (void)state;
    rig_server_kill(&rig);
    it = start(next_ask());
    wait_ms(50);
    router_cancel(it->call);
    while (it->results == 0)
        rig_turns(&rig, 1);
    assert_int_equal(it->outcome, LLM_CANCELLED);
}

static void a_dropped_call_says_nothing_and_gives_its_place_back(void **state)
{
    struct heard *it;

    (void)state;
    it = start_held(next_ask());
    router_drop(it->call);
    wait_idle(&peers[0]);
    rig_run(&rig, rig_is_answered);
    assert_int_equal(it->results, 0);
    assert_no_places(0);
}

static void a_call_is_given_up_on_time_while_it_waits(void **state)
{
    struct router_ask ask;
    struct heard *it;
    int64_t start_ms;

    (void)state;
    one_place_make();
    start_held(next_ask());
    ask = next_ask();
    ask.give_up_ms = 300;
    start_ms = clock_mono_ms();
    it = start(ask);
    while (it->results == 0)
        rig_turns(&rig, 1);
    assert_in_range(it->ended_ms - start_ms, 300, 400);
    assert_int_equal(it->error, LLM_ERROR_TIMEOUT);
    assert_string_equal(it->reason, "no server answered within 300ms");
    assert_false(it->has_attempt);
    peer_let_go(&peers[0]);
    run_all();
    assert_no_places(0);
}

static void a_call_is_given_up_while_it_runs_and_a_silent_server_pays(void **state)
{
    struct router_ask ask = next_ask();
    struct heard *it;

    (void)state;
    peers[0].how = HOW_HOLD;
    ask.give_up_ms = 300;
    it = start(ask);
    run_all();
    assert_int_equal(it->error, LLM_ERROR_TIMEOUT);
    assert_string_equal(it->errors, "timeout");
    wait_idle(&peers[0]);
    assert_int_equal(peers[0].aborted, 1);
    assert_string_equal(field_of(0, "fails"), "1");
    assert_no_places(0);
}

static void cancel_it(struct loop_timer *timer, void *owner)
{
    struct heard *it = owner;

    (void)timer;
    router_cancel(it->call);
}

static void a_cancelled_call_is_cancelled_though_its_time_is_up(void **state)
{
    struct router_ask ask = next_ask();
    struct loop_timer timer;
    struct heard *it;

    (void)state;
    ask.give_up_ms = 200;
    it = start_held(ask);
    loop_timer_init(&timer, rig.loop, cancel_it, it);
    loop_timer_start(&timer, 1);
    while (clock_mono_ms() <= it->began_ms + ask.give_up_ms)
        continue; /* the loop stands still, so both come in the same turn */
    run_all();
    assert_int_equal(it->outcome, LLM_CANCELLED);
    assert_string_equal(it->errors, "cancelled");
    assert_string_equal(field_of(0, "failed"), "nil");
    assert_no_places(0);
}

static void a_call_that_outlives_redis_ends_well(void **state)
{
    struct heard *it;

    (void)state;
    it = start_held(next_ask());
    rig_server_kill(&rig);
    peer_let_go(&peers[0]);
    while (it->results == 0)
        rig_turns(&rig, 1);
    assert_int_equal(it->outcome, LLM_DONE);
}

static void a_place_redis_forgot_is_held_again_while_the_call_runs(void **state)
{
    (void)state;
    one_place_make();
    start_held(next_ask());
    assert_string_equal(ask_redis("FLUSHALL", "", ""), "OK");
    wait_ms(3100); /* a lease is renewed each 3 s */
    assert_string_equal(ask_redis("ZCARD", endpoint_key_of(0, "held"), ""), "1");
    peer_let_go(&peers[0]);
    run_all();
    assert_no_places(0);
}

static void a_call_waits_for_redis_to_come(void **state)
{
    struct heard *it;

    (void)state;
    rig_server_kill(&rig);
    it = start(next_ask());
    wait_ms(100);
    assert_int_equal(it->results, 0);
    rig_server_start(&rig, "--appendonly", "no");
    run_all();
    assert_int_equal(it->outcome, LLM_DONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUTER_TEST(a_call_is_made_told_and_booked),
        ROUTER_TEST(echo_needs_neither_redis_nor_a_copy),
        ROUTER_TEST(a_dry_run_reaches_no_server_whatever_is_named),
        ROUTER_TEST(no_candidate_is_told_in_words),
        ROUTER_TEST(a_request_has_what_was_asked_for_though_the_asker_has_gone),
        ROUTER_TEST(a_failure_that_may_pass_is_tried_again),
        ROUTER_TEST(a_pause_comes_before_the_same_server_is_asked_again),
        ROUTER_TEST(a_turn_that_fails_while_others_do_not_is_tried_three_times),
        ROUTER_TEST(a_bad_request_is_not_tried_again),
        ROUTER_TEST(partial_text_is_void_and_never_stitched),
        ROUTER_TEST(a_model_that_is_missing_is_asked_for_elsewhere_only),
        ROUTER_TEST(a_refused_key_parks_the_server),
        ROUTER_TEST(an_empty_reply_is_asked_for_once_more),
        ROUTER_TEST(what_the_judge_throws_away_is_asked_for_once_more),
        ROUTER_TEST(the_fallback_order_is_gone_through),
        ROUTER_TEST(a_full_server_is_waited_for_before_the_failed_one_is_asked_again),
        ROUTER_TEST(a_call_that_runs_is_cancelled_and_gives_its_place_back),
        ROUTER_TEST(a_call_that_waits_is_cancelled_and_waits_no_more),
        ROUTER_TEST(a_call_is_cancelled_before_its_place_is_known),
        ROUTER_TEST(a_call_is_cancelled_from_inside_its_callbacks),
        ROUTER_TEST(a_call_is_cancelled_while_redis_is_gone),
        ROUTER_TEST(a_dropped_call_says_nothing_and_gives_its_place_back),
        ROUTER_TEST(a_call_is_given_up_on_time_while_it_waits),
        ROUTER_TEST(a_call_is_given_up_while_it_runs_and_a_silent_server_pays),
        ROUTER_TEST(a_cancelled_call_is_cancelled_though_its_time_is_up),
        ROUTER_TEST(a_call_that_outlives_redis_ends_well),
        ROUTER_TEST(a_place_redis_forgot_is_held_again_while_the_call_runs),
        ROUTER_TEST(a_call_waits_for_redis_to_come),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_router_tier.c - which server a turn is given to: the favourite of its
 * conversation, the tier it deserves, and what that costs.
 */
#include "test_router_rig.h"

static char least_busy[] = "least-busy";
static char hybrid[] = "hybrid";

static struct heard *run_of(const char *conversation, int64_t seat)
{
    struct router_ask ask = next_ask();
    struct heard *it;

    ask.conversation = conversation;
    ask.seat = seat;
    it = start(ask);
    run_all();
    return it;
}

static void a_conversations_seat_stays_with_its_favourite(void **state)
{
    char first[ROUTES_MAX];
    int favourites = 0;

    (void)state;
    config.strategy = least_busy;
    router_make();
    memcpy(first, run_of("one", 1)->routes, sizeof first);
    assert_string_equal(first + 1, ":sticky");
    router_make(); /* another process knows it too */
    assert_string_equal(run_of("one", 1)->routes, first);
    for (int64_t seat = 1; seat <= 10; seat++)
        run_of("two", seat);
    for (size_t i = 0; i < PEERS; i++)
        favourites += peers[i].requests > 0;
    assert_true(favourites >= 2);
}

static void a_favourite_that_is_full_is_left(void **state)
{
    size_t favourite;

    (void)state;
    config.strategy = least_busy;
    for (size_t i = 0; i < PEERS; i++)
        endpoints[i].window = 1;
    router_make();
    favourite = (size_t)(run()->routes[0] - 'a');
    peers[favourite].how = HOW_HOLD;
    start(next_ask());
    wait_asked(&peers[favourite], 2);
    start(next_ask());
    while (heard[2].results == 0)
        rig_turns(&rig, 1);
    assert_string_equal(heard[2].routes + 1, ":least_busy");
    assert_int_not_equal(heard[2].routes[0] - 'a', favourite);
    peer_let_go(&peers[favourite]);
    run_all();
}

/* ---- tiers ---- */

static void tiers_make(void)
{
    config.strategy = hybrid;
    config.hybrid_every = 4;
    config.hybrid_opening = true;
    config.hybrid_closing = true;
    endpoints[2].prompt_price = 1000.0; /* a million tokens: 0.1 for 100 */
    endpoints[2].generated_price = 0;
    router_make();
}

static const char *route_of(struct router_ask ask)
{
    struct heard *it = start(ask);

    run_all();
    return it->routes;
}

static const char *route_of_turn(int64_t turn)
{
    struct router_ask ask = next_ask();

    ask.turn = turn;
    return route_of(ask) + 1; /* a or b, as it comes */
}

static void marks_take_a_turn_to_the_cloud(void **state)
{
    static char seats[] = "2, 5";
    struct router_ask ask;

    (void)state;
    config.hybrid_seats = seats;
    tiers_make();
    assert_string_equal(route_of_turn(1), ":mark_opening");
    assert_string_equal(route_of_turn(2), ":background");
    assert_string_equal(route_of_turn(8), ":mark_every");
    ask = next_ask();
    ask.turn = 3;
    ask.seat = 5;
    assert_string_equal(route_of(ask), "c:mark_seat");
    ask = next_ask();
    ask.turn = 3;
    ask.spotlight = true;
    assert_string_equal(route_of(ask), "c:mark_seat");
    ask = next_ask();
    ask.turn = 7;
    ask.closing = true;
    assert_string_equal(route_of(ask), "c:mark_closing");
    assert_int_equal(peers[2].requests, 5);
}

static void the_mode_of_a_running_fleet_is_heard(void **state)
{
    (void)state;
    tiers_make();
    assert_string_equal(ask_redis("SET", "parley:{endpoints}:hybrid", "off"), "OK");
    assert_string_equal(route_of_turn(1), ":off");
    assert_string_equal(ask_redis("SET", "parley:{endpoints}:hybrid", "on"), "OK");
    wait_ms(1000);
    assert_string_equal(route_of_turn(1), ":mark_opening");
}

static void a_hard_question_goes_to_the_cloud_in_mode_auto(void **state)
{
    static const char hard[] =
        "Ada: What does the 1851 catalogue say of 3 mechanical instruments, and why "
        "would an astronomer calibrate 12 chronometers against transcontinental "
        "observations of Jupiter's satellites? Could thermodynamic irreversibility "
        "explain 4 contradictory measurements? Or would you suspect "
        "misinterpretation of 7 preliminary calculations?";
    const struct llm_message messages[] = {{"user", {hard, sizeof hard - 1}}};
    struct router_ask ask;

    (void)state;
    tiers_make();
    ask = next_ask();
    ask.turn = 2;
    ask.request.messages = messages;
    ask.request.message_count = 1;
    assert_string_equal(route_of(ask), "c:complexity");
}

/* Found there by a router that knows nothing from before. */
static void redis_has(size_t peer, const char *fields)
{
    char line[256];

    fmt_into(line, sizeof line, "HSET %s %s", endpoint_key_of(peer, ""), fields);
    rig_ask(&rig, line);
    rig_run(&rig, rig_is_answered);
    router_make();
}

static void a_bad_record_moves_background_turns(void **state)
{
    (void)state;
    tiers_make();
    assert_string_equal(route_of_turn(2), ":background");
    redis_has(0, "recent 000011");
    redis_has(1, "recent 000011");
    assert_string_equal(route_of_turn(2), ":record");
    assert_int_equal(peers[2].requests, 1);
}

static void the_best_server_of_a_tier_speaks_for_it(void **state)
{
    (void)state;
    tiers_make();
    redis_has(0, "recent 000011");
    redis_has(1, "recent 111111");
    assert_string_equal(route_of_turn(2), ":background");
    redis_has(0, "recent 111111");
    redis_has(1, "recent 000011");
    assert_string_equal(route_of_turn(2), ":background");
}

static void fewer_than_five_calls_are_no_record(void **state)
{
    (void)state;
    tiers_make();
    redis_has(0, "recent 0000");
    redis_has(1, "recent 0000");
    assert_string_equal(route_of_turn(2), ":background");
}

static void the_cost_cap_sends_marked_turns_home(void **state)
{
    (void)state;
    config.hybrid_cost_cap = 0.15;
    tiers_make();
    assert_string_equal(route_of_turn(1), ":mark_opening");
    router_make(); /* knows nothing from before */
    assert_string_equal(field_of(2, "spent"), "0.100000");
    assert_string_equal(route_of_turn(1), ":mark_opening");
    router_make(); /* knows nothing from before */
    assert_string_equal(route_of_turn(1), ":cost_cap");
    assert_int_equal(peers[2].requests, 2);
    assert_string_equal(field_of(2, "spent"), "0.200000");
}

/* What a router knows of costs is up to a second old; `admit` knows better. */
static void the_cost_cap_holds_where_the_record_is_old(void **state)
{
    struct router_ask ask;
    struct heard *it;

    (void)state;
    config.hybrid_cost_cap = 0.15;
    tiers_make();
    assert_string_equal(route_of_turn(1), ":mark_opening");
    assert_string_equal(route_of_turn(1), ":mark_opening");
    assert_string_equal(route_of_turn(1), ":cost_cap");
    /* Nor does the cloud stand in for what is down. */
    peers_will(HOW_STATUS, 401);
    ask = next_ask();
    ask.turn = 1;
    it = start(ask);
    run_all();
    assert_int_equal(it->outcome, LLM_FAILED);
    assert_int_equal(peers[2].requests, 2);
}

static void the_cost_of_another_day_is_no_matter(void **state)
{
    (void)state;
    config.hybrid_cost_cap = 0.15;
    tiers_make();
    redis_has(2, "spent 99 paid 1 day 1");
    assert_string_equal(route_of_turn(1), ":mark_opening");
    assert_string_equal(field_of(2, "spent"), "0.100000");
}

static void the_other_tier_stands_in_for_one_that_is_down(void **state)
{
    (void)state;
    tiers_make();
    peers[2].how = HOW_STATUS;
    peers[2].status = 401;
    assert_non_null(strstr(route_of_turn(1), "mark_opening"));
    assert_non_null(strstr(route_of_turn(1), ":fallback"));
    assert_int_equal(peers[2].requests, 1); /* parked */
}

static void a_named_endpoint_is_not_a_matter_of_tiers(void **state)
{
    static char name[] = "b";
    struct seat_model model = {.endpoint = name};
    struct router_ask ask;

    (void)state;
    tiers_make();
    ask = next_ask();
    ask.turn = 1;
    ask.model = &model;
    assert_string_equal(route_of(ask), "b:only");
}

static void a_tier_whose_keys_are_missing_is_told_and_not_left(void **state)
{
    static char nowhere[] = "A_KEY_NOBODY_HAS_SET";
    static char off[] = "off";
    struct heard *it;

    (void)state;
    config.hybrid = off;
    endpoints[0].key_env = endpoints[1].key_env = nowhere;
    tiers_make();
    it = run();
    assert_int_equal(it->error, LLM_ERROR_AUTH);
    assert_non_null(strstr(it->reason, nowhere));
    assert_false(it->has_attempt);
    assert_int_equal(peers[2].requests, 0); /* mode off: never */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROUTER_TEST(a_conversations_seat_stays_with_its_favourite),
        ROUTER_TEST(a_favourite_that_is_full_is_left),
        ROUTER_TEST(marks_take_a_turn_to_the_cloud),
        ROUTER_TEST(the_mode_of_a_running_fleet_is_heard),
        ROUTER_TEST(a_hard_question_goes_to_the_cloud_in_mode_auto),
        ROUTER_TEST(a_bad_record_moves_background_turns),
        ROUTER_TEST(the_best_server_of_a_tier_speaks_for_it),
        ROUTER_TEST(fewer_than_five_calls_are_no_record),
        ROUTER_TEST(the_cost_cap_sends_marked_turns_home),
        ROUTER_TEST(the_cost_cap_holds_where_the_record_is_old),
        ROUTER_TEST(the_cost_of_another_day_is_no_matter),
        ROUTER_TEST(the_other_tier_stands_in_for_one_that_is_down),
        ROUTER_TEST(a_named_endpoint_is_not_a_matter_of_tiers),
        ROUTER_TEST(a_tier_whose_keys_are_missing_is_told_and_not_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_redis_sync.c - asking and waiting, and Redis' clock, against a real server. */
#include "net/redis_clock.h"
#include "net/redis_sync.h"
#include "test_redis_rig.h"

static struct rig rig;

static int set_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    loop_hook_stop(&rig.hook); /* the waits are those of redis_sync */
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static bool sync_connect(const char *url, int64_t timeout_ms, struct err *err)
{
    struct redis_target target;
    bool ok;

    assert_true(redis_target_parse(url, &target, err));
    ok = redis_sync_connect(rig.loop, &target, timeout_ms, &rig.redis, err);
    redis_target_done(&target);
    return ok;
}

static bool sync_ask(const char *line, int64_t timeout_ms, struct err *err)
{
    struct str words[RIG_WORDS_MAX];
    struct redis_call call = {.argv = words,
                              .on_answer = rig_on_answer,
                              .owner = &rig,
                              .timeout_ms = timeout_ms};

    call.argc = rig_split(line, words);
    return redis_sync_call(rig.loop, rig.redis, &call, err);
}

static void a_question_is_answered_before_the_function_returns(void **state)
{
    struct err err = {0};

    (void)state;
    rig_server_start(&rig, "--appendonly", "no");
    if (!sync_connect(rig.url, 5000, &err)) /* waits until the server is there */
        fail_msg("%s", err.msg);
    assert_true(sync_ask("SET a 7", 0, &err));
    assert_true(sync_ask("INCR a", 0, &err));
    assert_string_equal(rig.log, "OK 8");
    assert_false(sync_ask("LPUSH a x", 0, &err));
    assert_int_equal(err.code, ERR_REDIS);
    assert_non_null(strstr(err.msg, "WRONGTYPE"));
    assert_string_equal(rig.log, "OK 8 refused:WRONGTYPE");
}

static void nobody_there_is_told_with_the_address(void **state)
{
    struct err err = {0};
    int64_t from_ms = clock_mono_ms();

    (void)state;
    assert_false(sync_connect(rig.url, 200, &err));
    assert_null(rig.redis);
    assert_int_equal(err.code, ERR_REDIS);
    assert_memory_equal(err.msg, rig.url, strlen(rig.url));
    assert_non_null(strstr(err.msg, "No such file"));
    assert_true(clock_mono_ms() - from_ms >= 200);
    assert_true(clock_mono_ms() - from_ms < 5000);
}

static void a_wrong_password_is_not_tried_until_the_timeout(void **state)
{
    struct err err = {0};
    char url[160];
    int64_t from_ms = clock_mono_ms();

    (void)state;
    rig_server_start(&rig, "--requirepass", "secret");
    fmt_into(url, sizeof(url), "unix://:wrong@%s/r.sock", rig.folder);
    assert_false(sync_connect(url, 15000, &err));
    assert_non_null(strstr(err.msg, "WRONGPASS"));
    assert_true(clock_mono_ms() - from_ms < 10000);
}

static void a_server_that_hangs_ends_the_wait(void **state)
{
    struct err err = {0};

    (void)state;
    rig_server_start(&rig, "--appendonly", "no");
    assert_true(sync_connect(rig.url, 5000, &err));
    kill(rig.server, SIGSTOP);
    assert_false(sync_ask("PING", 100, &err));
    assert_int_equal(err.code, ERR_REDIS);
    kill(rig.server, SIGCONT);
    assert_true(sync_ask("ECHO after", 0, &err));
    assert_non_null(strstr(rig.log, "after"));
}

static void on_stop(struct loop_timer *timer, void *owner)
{
    (void)timer;
    loop_stop(owner);
}

static void a_loop_stopped_by_others_interrupts_the_wait(void **state)
{
    struct err err = {0};
    struct loop_timer stop;

    (void)state;
    loop_timer_init(&stop, rig.loop, on_stop, rig.loop);
    loop_timer_start(&stop, 20);
    assert_false(sync_connect(rig.url, 15000, &err));
    assert_non_null(strstr(err.msg, "interrupted"));
}

static struct redis_clock redis_clock;

static bool until_clock_is_known(struct rig *r)
{
    (void)r;
    return redis_clock.known && redis_clock.asked >= 3;
}

static void redis_time_is_known_to_a_part_of_its_round_trip(void **state)
{
    int64_t apart_us;

    (void)state;
    loop_hook_start(&rig.hook, rig.loop, rig_on_turn, &rig);
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    redis_clock_start(&redis_clock, rig.loop, rig.redis);
    apart_us = redis_clock_now_us(&redis_clock) - clock_wall_us();
    assert_true(apart_us > -1000000 && apart_us < 1000000); /* a guess, until told */
    rig_run(&rig, until_clock_is_known);
    /* The same machine: both show the same time. */
    apart_us = redis_clock_now_us(&redis_clock) - clock_wall_us();
    assert_true(apart_us < redis_clock.best_round_trip_us + 1000);
    assert_true(apart_us > -redis_clock.best_round_trip_us - 1000);
    redis_clock_stop(&redis_clock);
    redis_clock_stop(&redis_clock);
}

static void a_clock_that_was_set_is_believed_at_once(void **state)
{
    int64_t apart_us;

    (void)state;
    loop_hook_start(&rig.hook, rig.loop, rig_on_turn, &rig);
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    redis_clock_start(&redis_clock, rig.loop, rig.redis);
    /* As if a perfect sample had said something else a moment ago. */
    redis_clock.known = true;
    redis_clock.offset_us = 3600LL * 1000000;
    redis_clock.best_round_trip_us = 1;
    redis_clock.best_at_ms = clock_mono_ms();
    rig_run(&rig, until_clock_is_known);
    apart_us = redis_clock_now_us(&redis_clock) - clock_wall_us();
    assert_true(apart_us > -1000000 && apart_us < 1000000);
    redis_clock_stop(&redis_clock);
}

#define TEST(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_is_answered_before_the_function_returns),
        TEST(nobody_there_is_told_with_the_address),
        TEST(a_wrong_password_is_not_tried_until_the_timeout),
        TEST(a_server_that_hangs_ends_the_wait),
        TEST(a_loop_stopped_by_others_interrupts_the_wait),
        TEST(redis_time_is_known_to_a_part_of_its_round_trip),
        TEST(a_clock_that_was_set_is_believed_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_redis_watch.c - a reader that reads nothing is connected anew; one that has
 * nothing to read, or no wish to, is left alone.
 */
#include "net/redis_watch.h"
#include "test_redis_rig.h"

enum { QUIET_MS = 60, LONG_MS = 1000 };

static struct rig rig;
static struct redis *reader;
static struct redis_watch watch;
static bool wanted;
static int reader_ready;

static bool wants(void *owner)
{
    (void)owner;
    return wanted;
}

static size_t streams(void *owner, char keys[REDIS_WATCH_STREAMS_MAX][KEY_SIZE])
{
    (void)owner;
    fmt_into(keys[0], KEY_SIZE, "none");
    fmt_into(keys[1], KEY_SIZE, "s");
    return 2;
}

static void on_reader_ready(void *owner, bool restarted)
{
    (void)owner;
    (void)restarted;
    reader_ready++;
}

static bool until_reader_ready(struct rig *r)
{
    (void)r;
    return reader_ready >= 1;
}

static bool until_connected_anew(struct rig *r)
{
    (void)r;
    return reader_ready >= 4;
}

static int rig_up(void **state)
{
    struct redis_target target;
    struct err err = {0};

    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_run(&rig, rig_is_ready);
    rig_ask(&rig, "XGROUP CREATE s g 0 MKSTREAM");
    rig_ask(&rig, "XGROUP CREATE s others $");
    rig_run(&rig, rig_is_answered);
    reader_ready = 0;
    wanted = true;
    assert_true(redis_target_parse(rig.url, &target, &err));
    reader = redis_new(rig.loop, &(struct redis_options){.target = &target,
                                                         .on_ready = on_reader_ready});
    redis_target_done(&target);
    rig_run(&rig, until_reader_ready);
    redis_watch_start(&watch, rig.loop,
                      &(struct redis_watch_options){.redis = rig.redis,
                                                    .reader = reader,
                                                    .group = "g",
                                                    .quiet_ms = QUIET_MS,
                                                    .wants = wants,
                                                    .streams = streams});
    return 0;
}

static int rig_down(void **state)
{
    (void)state;
    redis_watch_stop(&watch);
    redis_free(reader);
    rig_close(&rig);
    return 0;
}

static int64_t over_ms;

static bool until_time_is_over(struct rig *r)
{
    (void)r;
    return clock_mono_ms() >= over_ms;
}

static void run_long(void)
{
    over_ms = clock_mono_ms() + LONG_MS;
    rig_run(&rig, until_time_is_over);
}

static void a_reader_that_reads_nothing_is_connected_anew_until_it_does(void **state)
{
    (void)state;
    rig_ask(&rig, "XADD s * a b");
    rig_run(&rig, until_connected_anew);
    assert_true(watch.stuck.on);
    redis_watch_delivered(&watch);
    rig_ask(&rig, "XREADGROUP GROUP g me STREAMS s >");
    run_long();
    assert_false(watch.stuck.on);
    assert_int_equal(watch.reconnects, 0);
    assert_int_equal(reader_ready, 4);
}

static void where_nothing_waits_nothing_is_done(void **state)
{
    (void)state;
    rig_ask(&rig, "XADD s * a b");
    rig_ask(&rig, "XREADGROUP GROUP g me STREAMS s >"); /* pending, but delivered */
    run_long();
    assert_true(watch.asked_ms > 0);
    assert_int_equal(reader_ready, 1);
}

static void a_lag_that_is_not_true_is_seen_through(void **state)
{
    (void)state;
    rig_ask(&rig, "XADD s * a b");
    rig_ask(&rig, "XREADGROUP GROUP g me STREAMS s >");
    rig_ask(&rig, "XGROUP SETID s g $ ENTRIESREAD 0"); /* as after a restart: lag 1 */
    run_long();
    assert_true(watch.asked_ms > 0);
    assert_int_equal(reader_ready, 1);
}

static void entries_whose_number_is_not_known_are_found(void **state)
{
    (void)state;
    rig_ask(&rig, "XADD s 1-1 a b");
    rig_ask(&rig, "XADD s 1-2 a b");
    rig_ask(&rig, "XADD s 1-3 a b");
    rig_ask(&rig, "XDEL s 1-2"); /* the lag is nil */
    rig_ask(&rig, "XGROUP SETID s g 1-1");
    rig_run(&rig, until_connected_anew);
    assert_true(watch.stuck.on);
}

static void who_wants_nothing_is_left_alone(void **state)
{
    (void)state;
    wanted = false;
    rig_ask(&rig, "XADD s * a b");
    run_long();
    assert_int_equal(reader_ready, 1);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    (void)owner;
    redis_watch_delivered(&watch);
    loop_timer_start(timer, QUIET_MS / 6);
}

static void who_is_given_something_now_and_then_is_left_alone(void **state)
{
    struct loop_timer timer;

    (void)state;
    rig_ask(&rig, "XADD s * a b"); /* a mate may be slow */
    loop_timer_init(&timer, rig.loop, on_tick, NULL);
    loop_timer_start(&timer, 0);
    run_long();
    loop_timer_stop(&timer);
    assert_int_equal(reader_ready, 1);
}

#define WITH_REDIS(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REDIS(a_reader_that_reads_nothing_is_connected_anew_until_it_does),
        WITH_REDIS(where_nothing_waits_nothing_is_done),
        WITH_REDIS(a_lag_that_is_not_true_is_seen_through),
        WITH_REDIS(entries_whose_number_is_not_known_are_found),
        WITH_REDIS(who_wants_nothing_is_left_alone),
        WITH_REDIS(who_is_given_something_now_and_then_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

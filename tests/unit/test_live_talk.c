/* test_live_talk.c - what a talk asks of Redis while answers are on their way. */
#include "net/redis_clock.h"
#include "observer/model/talk_take.h"
#include "observer/source/live_talk.h"
#include "proto/keys.h"
#include "test_redis_rig.h"

static const char id[] = "k3v9q2m4x7ab";
static struct rig rig;
static struct talk *talk;
static char shown[16]; /* the first request that was answered */

static void on_denied(void *owner, const struct err *err)
{
    (void)owner;
    fail_msg("%s", err->msg);
}

static void on_changed(void *owner)
{
    (void)owner;
    if (talk->asked.answered && shown[0] == '\0')
        fmt_into(shown, sizeof shown, "%s", buf_text(&talk->asked.text));
}

static bool until_shown(struct rig *r)
{
    (void)r;
    return shown[0] != '\0';
}

/* Of the seats, one behind the other; what is shown then. */
static const char *want(const int64_t *seats, size_t count)
{
    shown[0] = '\0';
    for (size_t i = 0; i < count; i++)
        talk_want_asked(talk, seats[i]);
    rig_run(&rig, until_shown);
    return shown;
}

static void keep_requests(const struct keys *keys)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of("HSET"), key_make(keys, "asked", id, key),
                          str_of("1"),    str_of("one"),
                          str_of("2"),    str_of("two")};
    struct redis_call call = {
        .argc = 6, .argv = words, .on_answer = rig_on_answer, .owner = &rig};

    assert_true(redis_send(rig.redis, &call));
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "2");
}

static void of_two_requests_wanted_at_once_the_last_one_is_shown(void **state)
{
    struct redis_clock clock;
    struct redis_target target;
    struct keys keys;
    struct live_talk *live;

    (void)state;
    assert_true(redis_target_parse(rig.url, &target, NULL));
    assert_true(keys_init(&keys, "parley", "0", NULL));
    keep_requests(&keys);
    redis_clock_start(&clock, rig.loop, rig.redis);
    live = live_talk_new(&(struct live_talk_options){.loop = rig.loop,
                                                     .target = &target,
                                                     .keys = &keys,
                                                     .redis = rig.redis,
                                                     .clock = &clock,
                                                     .on_denied = on_denied});
    talk = talk_new(id, on_changed, NULL);
    live_talk_watch(live, talk);
    assert_string_equal(want((const int64_t[]){1, 2}, 2), "two");
    assert_string_equal(want((const int64_t[]){1}, 1), "one");
    live_talk_free(live);
    talk_free(talk);
    redis_clock_stop(&clock);
    redis_target_done(&target);
}

static int set_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    rig_server_start(&rig, "--loglevel", "warning");
    rig_connect_to(&rig, rig.url, (struct redis_options){.name = NULL});
    rig_run(&rig, rig_is_ready);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            of_two_requests_wanted_at_once_the_last_one_is_shown, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

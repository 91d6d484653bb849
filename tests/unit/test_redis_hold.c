/* test_redis_hold.c - calls that a real redis-server refuses for a time: kept, sent
 * again in their order, told of once; and refusals that no waiting helps against.
 */
#include "test_redis_rig.h"

static struct rig rig;
static int denied_count;
static struct err denied;

static void on_denied(void *owner, const struct err *err)
{
    (void)owner;
    denied_count++;
    denied = *err;
}

static int rig_up(void **state)
{
    (void)state;
    denied_count = 0;
    rig_open(&rig);
    rig_server_start(&rig, "--appendonly", "no");
    log_set_level(LOG_ERROR);
    rig_connect_to(&rig, rig.url,
                   (struct redis_options){.on_fatal = on_denied, .name = "the-name"});
    rig_run(&rig, rig_is_ready);
    rig.down_count = 0;
    return 0;
}

static int rig_down(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_close(&rig);
    return 0;
}

static void ask_at_once(const char *line)
{
    rig_ask(&rig, line);
    rig_run(&rig, rig_is_answered);
}

static bool until_refused(struct rig *r)
{
    return redis_refusal(r->redis) != NULL;
}

static bool until_calm(struct rig *r)
{
    return redis_refusal(r->redis) == NULL;
}

static bool until_one_waits(struct rig *r)
{
    return redis_waiting(r->redis) <= 1;
}

static int until_count;

static bool until_answers(struct rig *r)
{
    return (int)r->answers >= until_count;
}

static void run_until_answers(int count)
{
    until_count = count;
    rig_run(&rig, until_answers);
}

/* How often a text stands in a file. */
static int count_in(const char *path, const char *text)
{
    struct buf bytes;
    struct err err = {0};
    int count = 0;

    buf_init(&bytes, 1 << 20);
    assert_true(file_slurp(path, &bytes, &err));
    for (const char *at = buf_text(&bytes); (at = strstr(at, text)) != NULL; at++)
        count++;
    buf_done(&bytes);
    return count;
}

static void calls_refused_at_oom_are_kept_and_sent_again_in_their_order(void **state)
{
    (void)state;
    ask_at_once("CONFIG SET maxmemory 1");
    for (int i = 0; i < 9; i++) {
        char line[32];

        fmt_into(line, sizeof line, "RPUSH l %d", i);
        rig_ask_as(&rig, line, true);
    }
    rig_run(&rig, until_refused);
    assert_true(redis_refuses_writes(rig.redis));
    assert_memory_equal(redis_refusal(rig.redis), "OOM ", 4);
    rig_ask(&rig, "SET plain 1"); /* may not be asked twice */
    rig_ask(&rig, "ECHO reads-pass");
    run_until_answers(3);
    assert_string_equal(rig.log, "OK refused:OOM reads-pass");
    assert_int_equal(redis_waiting(rig.redis), 9);
    rig_ask(&rig, "CONFIG SET maxmemory 0");
    rig_run(&rig, rig_is_answered);
    ask_at_once("LINDEX l 0");
    ask_at_once("LINDEX l 8");
    assert_string_equal(rig.log, "OK refused:OOM reads-pass OK 1 2 3 4 5 6 7 8 9 0 8");
    assert_false(redis_refuses_writes(rig.redis));
    assert_int_equal(rig.down_count, 0);
}

static void a_long_refusal_is_one_line_when_it_begins_and_one_when_it_is_over(
    void **state)
{
    char path[96];
    struct err err = {0};

    (void)state;
    fmt_into(path, sizeof path, "%s/lines", rig.folder);
    assert_true(log_open(path, &err));
    log_set_level(LOG_INFO);
    ask_at_once("CONFIG SET maxmemory 1");
    rig_ask_as(&rig, "SET a 1", true);
    for (int i = 0; i < 200; i++) {
        struct str words[] = {str_of("SET"), str_of("b"), str_of("1")};

        /* Nobody's: its refusal would be a line of its own. */
        assert_true(
            redis_send(rig.redis, &(struct redis_call){.argc = 3, .argv = words}));
        rig_run(&rig, until_one_waits);
    }
    assert_int_equal(count_in(path, "class=OOM"), 1);
    rig_ask(&rig, "CONFIG SET maxmemory 0");
    rig_run(&rig, until_calm);
    assert_int_equal(count_in(path, "refused for now"), 1);
    assert_int_equal(count_in(path, "accepted again class=OOM"), 1);
    assert_int_equal(count_in(path, "connection=the-name"), 2);
    assert_int_equal(count_in(path, "refused call="), 0);
}

static void a_read_only_server_is_left_and_asked_anew(void **state)
{
    (void)state;
    ask_at_once("REPLICAOF 127.0.0.1 1");
    rig_ask_as(&rig, "SET a 7", true);
    rig_run(&rig, until_refused);
    assert_true(redis_refuses_writes(rig.redis));
    until_count = rig.ready_count + 3;
    while (rig.ready_count < until_count)
        rig_turns(&rig, 1); /* each try is over a new connection */
    assert_int_equal(rig.down_count, 0);
    rig_ask_as(&rig, "REPLICAOF NO ONE", true);
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "OK OK OK");
}

static void what_waits_can_be_forgotten_and_is_cancelled_at_the_end(void **state)
{
    int other = 0;
    struct str words[] = {str_of("SET"), str_of("b"), str_of("1")};

    (void)state;
    ask_at_once("CONFIG SET maxmemory 1");
    rig_ask_as(&rig, "SET a 1", true);
    assert_true(redis_send(rig.redis, &(struct redis_call){.argc = 3,
                                                           .argv = words,
                                                           .on_answer = rig_on_answer,
                                                           .owner = &other,
                                                           .again = true}));
    rig_run(&rig, until_refused);
    rig_turns(&rig, 20);
    redis_forget(rig.redis, &other);
    redis_free(rig.redis);
    rig.redis = NULL;
    assert_string_equal(rig.log, "OK cancelled");
}

static void calls_in_wait_count_for_the_queue(void **state)
{
    struct str words[] = {str_of("SET"), str_of("b"), str_of("1")};
    struct redis_call call = {.argc = 3, .argv = words, .again = true};
    int sent = 0;

    (void)state;
    redis_free(rig.redis);
    rig_connect_to(&rig, rig.url, (struct redis_options){.queue_max = 16});
    rig_run(&rig, rig_is_ready);
    ask_at_once("CONFIG SET maxmemory 1");
    for (int i = 0; i < 100; i++) {
        sent += redis_send(rig.redis, &call);
        rig_turns(&rig, 2);
    }
    rig_run(&rig, until_refused);
    assert_int_equal(redis_waiting(rig.redis), 16);
    assert_int_equal(sent, 16);
}

static void a_missing_right_is_fatal_and_told_once(void **state)
{
    (void)state;
    ask_at_once("ACL SETUSER default -set");
    rig_ask_as(&rig, "SET a 1", true);
    rig_ask(&rig, "SET a 1");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "OK refused:NOPERM refused:NOPERM");
    assert_int_equal(denied_count, 1);
    assert_int_equal(denied.code, ERR_DENIED);
    assert_non_null(strstr(denied.msg, "SET refused: NOPERM"));
    assert_memory_equal(denied.msg, rig.url, strlen(rig.url));
}

static bool until_denied(struct rig *r)
{
    (void)r;
    return denied_count > 0;
}

static void a_password_that_changed_is_fatal_at_the_next_connection(void **state)
{
    (void)state;
    ask_at_once("CONFIG SET requirepass other");
    redis_reconnect(rig.redis);
    rig_run(&rig, until_denied);
    assert_non_null(strstr(denied.msg, "NOAUTH"));
    assert_non_null(strstr(denied.msg, "--redis-password-file or --redis URL"));
    rig_turns(&rig, 1);
    assert_int_equal(denied_count, 1);
}

#define WITH_REDIS(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_REDIS(calls_refused_at_oom_are_kept_and_sent_again_in_their_order),
        WITH_REDIS(a_read_only_server_is_left_and_asked_anew),
        WITH_REDIS(what_waits_can_be_forgotten_and_is_cancelled_at_the_end),
        WITH_REDIS(calls_in_wait_count_for_the_queue),
        WITH_REDIS(a_missing_right_is_fatal_and_told_once),
        WITH_REDIS(a_password_that_changed_is_fatal_at_the_next_connection),
        /* Last: the log goes to its file from then on. */
        WITH_REDIS(a_long_refusal_is_one_line_when_it_begins_and_one_when_it_is_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

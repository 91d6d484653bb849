/* test_redis.c - the connection against a real redis-server that is killed, stopped,
 * restarted and guarded by a password.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "test_redis_rig.h"

static struct rig rig;

static int rig_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){.command_timeout_ms = 5000});
    rig_run(&rig, rig_is_ready);
    rig.down_count = 0; /* it takes a moment until the server is there */
    return 0;
}

static int rig_up_alone(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    return 0;
}

static int rig_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static const struct redis_script echo_script = {
    .name = "echo",
    .text = "return {KEYS[1], ARGV[1], #ARGV, redis.call('INCR', KEYS[1])}",
    .text_len = 61,
    .sha1 = "0000000000000000000000000000000000000000", /* never known to the server */
};

/* ---- asking ---- */

static void calls_of_one_turn_are_answered_in_order(void **state)
{
    (void)state;
    rig_ask(&rig, "SET a 1");
    rig_ask(&rig, "INCR a");
    rig_ask(&rig, "GET none");
    rig_ask(&rig, "LPUSH a x");
    rig_ask(&rig, "ECHO end");
    assert_int_equal(redis_waiting(rig.redis), 5);
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "OK 2 nil refused:WRONGTYPE end");
    assert_int_equal(rig.ready_count, 1);
    assert_int_equal(rig.restart_count, 0);
}

static void on_binary(void *owner, const struct redis_answer *answer)
{
    static const char bytes[] = "\0a\r\n$3\r\n\xff";

    assert_int_equal(answer->outcome, REDIS_OK);
    assert_int_equal(answer->value->text.len, sizeof(bytes) - 1);
    assert_memory_equal(answer->value->text.at, bytes, sizeof(bytes) - 1);
    assert_true(answer->round_trip_us >= 0);
    rig_note(owner, "same");
}

static void an_argument_may_hold_any_byte(void **state)
{
    struct str words[] = {str_of("ECHO"), str_make("\0a\r\n$3\r\n\xff", 9)};
    struct str empty[] = {str_of("ECHO"), str_make("", 0)};
    struct redis_call call = {2, words, on_binary, &rig, 0, false};
    struct redis_call other = {2, empty, rig_on_answer, &rig, 0, false};

    (void)state;
    assert_true(redis_send(rig.redis, &call));
    assert_true(redis_send(rig.redis, &other));
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "same "); /* and the empty one */
    assert_int_equal(rig.answers, 2);
}

static void on_large(void *owner, const struct redis_answer *answer)
{
    const char *sent = owner;

    assert_int_equal(answer->outcome, REDIS_OK);
    assert_int_equal(answer->value->text.len, 8 << 20);
    assert_memory_equal(answer->value->text.at, sent, 8 << 20);
    rig_note(&rig, "same");
}

static void eight_megabytes_go_there_and_back(void **state)
{
    enum { LEN = 8 << 20 };
    char *large = malloc(LEN);
    struct str words[] = {str_of("ECHO"), str_make(large, LEN)};
    struct redis_call call = {2, words, on_large, large, 0, false};

    (void)state;
    for (size_t i = 0; i < LEN; i++)
        large[i] = (char)(i * 31 >> 3);
    assert_true(redis_send(rig.redis, &call));
    rig_ask(&rig, "PING");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "same PONG");
    free(large);
}

static void on_count(void *owner, const struct redis_answer *answer)
{
    int64_t *last = owner;

    assert_int_equal(answer->value->integer, *last + 1);
    *last = answer->value->integer;
}

static void a_hundred_thousand_calls_keep_their_order(void **state)
{
    enum { COUNT = 100000 };
    struct str words[] = {str_of("INCR"), str_of("n")};
    int64_t last = 0;
    struct redis_call call = {2, words, on_count, &last, 0, false};
    int64_t from_us;

    (void)state;
    from_us = clock_mono_us();
    for (int i = 0; i < COUNT; i++)
        assert_true(redis_send(rig.redis, &call));
    assert_false(redis_send(rig.redis, &call)); /* the queue is full */
    rig_run(&rig, rig_is_answered);
    assert_int_equal(last, COUNT);
    print_message("%d calls in %lld us\n", COUNT,
                  (long long)(clock_mono_us() - from_us));
}

static void a_full_queue_refuses_and_has_room_again_later(void **state)
{
    struct str words[] = {str_of("PING")};
    struct redis_call call = {1, words, rig_on_answer, &rig, 0, false};

    (void)state;
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){.queue_max = 2});
    assert_true(redis_send(rig.redis, &call));
    assert_true(redis_send(rig.redis, &call));
    assert_false(redis_send(rig.redis, &call));
    rig_run(&rig, rig_is_answered);
    assert_true(redis_send(rig.redis, &call));
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "PONG PONG PONG");
}

/* ---- scripts ---- */

static void on_echoed(void *owner, const struct redis_answer *answer)
{
    struct str argument = redis_item_text(answer->value, 1);

    assert_int_equal(answer->outcome, REDIS_OK);
    assert_true(str_is(redis_item_text(answer->value, 0), "k"));
    assert_int_equal(redis_item_i64(answer->value, 2, 0), 1);
    assert_int_equal(argument.len, 3);
    assert_memory_equal(argument.at, "x\0y", 3);
    rig_note(owner, "script");
}

static void a_script_the_server_does_not_know_is_taught(void **state)
{
    struct str words[] = {str_of("k"), str_make("x\0y", 3)};
    struct redis_eval eval = {&echo_script, 1, 2, words, on_echoed, &rig};

    (void)state;
    assert_int_equal(strlen(echo_script.text), echo_script.text_len);
    rig_ask(&rig, "SCRIPT FLUSH");
    assert_true(redis_eval(rig.redis, &eval));
    assert_true(redis_eval(rig.redis, &eval));
    rig_ask(&rig, "ECHO between");
    rig_run(&rig, rig_is_answered);
    /* Each ran once, though it was sent twice; those behind did not wait for it. */
    assert_string_equal(rig.log, "OK between script script");
    rig_ask(&rig, "GET k");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "OK between script script 2");
}

static void a_refused_script_is_told_as_any_error(void **state)
{
    static const struct redis_script broken = {
        "broken", "return redis.error_reply('NOSCRIPT mine')", 41,
        "0000000000000000000000000000000000000001"};
    struct redis_eval eval = {&broken, 0, 0, NULL, rig_on_answer, &rig};

    (void)state;
    assert_int_equal(strlen(broken.text), broken.text_len);
    assert_true(redis_eval(rig.redis, &eval));
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "refused:NOSCRIPT");
}

/* ---- callbacks ---- */

static char owner_one, owner_two;

static void on_forbidden(void *owner, const struct redis_answer *answer)
{
    (void)owner;
    (void)answer;
    rig_note(&rig, "forbidden");
}

static void on_forgetting(void *owner, const struct redis_answer *answer)
{
    (void)owner;
    (void)answer;
    redis_forget(rig.redis, &owner_two);
    rig_ask(&rig, "ECHO from-inside");
    rig_note(&rig, "forgot");
}

static void ping_for(char *owner, redis_on_answer *on_answer)
{
    struct str words[] = {str_of("PING")};
    struct redis_call call = {1, words, on_answer, owner, 0, false};

    assert_true(redis_send(rig.redis, &call));
}

static void a_callback_may_forget_others_and_ask_anew(void **state)
{
    (void)state;
    ping_for(&owner_one, on_forgetting);
    ping_for(&owner_two, on_forbidden);
    ping_for(&owner_two, on_forbidden);
    rig_ask(&rig, "ECHO kept");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "forgot kept from-inside");
}

static void on_reconnecting(void *owner, const struct redis_answer *answer)
{
    (void)owner;
    (void)answer;
    redis_reconnect(rig.redis);
    assert_false(redis_ready(rig.redis));
    rig_ask(&rig, "ECHO new");
    rig_note(&rig, "reconnect");
}

static void a_callback_may_reconnect(void **state)
{
    (void)state;
    ping_for(&owner_one, on_reconnecting);
    rig_ask_as(&rig, "ECHO again", true);
    rig_ask(&rig, "ECHO once");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "reconnect lost again new");
    assert_int_equal(rig.ready_count, 2);
    assert_int_equal(rig.restart_count, 0); /* the server is the same */
    assert_int_equal(rig.down_count, 0);    /* it was us */
}

static void on_cancelled(void *owner, const struct redis_answer *answer)
{
    struct str words[] = {str_of("PING")};
    struct redis_call call = {1, words, rig_on_answer, owner, 0, false};

    assert_int_equal(answer->outcome, REDIS_CANCELLED);
    assert_null(answer->value);
    assert_false(redis_send(rig.redis, &call));
    redis_forget(rig.redis, &owner_two);
    redis_reconnect(rig.redis);
    rig_note(&rig, "cancelled");
}

static void freeing_cancels_what_waits(void **state)
{
    (void)state;
    ping_for(&owner_one, on_cancelled);
    ping_for(&owner_two, on_forbidden);
    ping_for(&owner_one, on_cancelled);
    redis_free(rig.redis);
    rig.redis = NULL;
    assert_string_equal(rig.log, "cancelled cancelled");
}

/* ---- loss ---- */

static bool until_down(struct rig *r)
{
    return r->down_count > 0;
}

static void a_killed_server_loses_only_what_may_not_be_asked_again(void **state)
{
    (void)state;
    kill(rig.server, SIGSTOP); /* so that all is in flight when it dies */
    rig_ask(&rig, "ECHO once-1");
    rig_ask_as(&rig, "ECHO again-1", true);
    rig_ask(&rig, "ECHO once-2");
    rig_ask_as(&rig, "ECHO again-2", true);
    rig_turns(&rig, 3);
    assert_int_equal(rig.answers, 0);
    rig_server_kill(&rig);
    rig_ask(&rig, "ECHO unsent");
    rig_server_start(&rig, "--appendonly", "no");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "lost lost again-1 again-2 unsent");
    assert_int_equal(rig.ready_count, 2);
    assert_int_equal(rig.restart_count, 1);
    assert_true(rig.down_count >= 1);
}

static void calls_made_before_there_is_a_server_wait_for_it(void **state)
{
    (void)state;
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_ask(&rig, "ECHO early");
    rig_turns(&rig, 5);
    assert_false(redis_ready(rig.redis));
    assert_int_equal(redis_waiting(rig.redis), 1);
    assert_true(rig.down_count >= 1);
    assert_int_equal(rig.down.code, ERR_REDIS);
    assert_non_null(strstr(rig.down.msg, rig.url));
    assert_non_null(strstr(rig.down.msg, "No such file"));
    rig_server_start(&rig, "--appendonly", "no");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "early");
}

static void a_server_that_hangs_is_left_after_the_deadline(void **state)
{
    int64_t from_ms;

    (void)state;
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(
        &rig, rig.url,
        (struct redis_options){.command_timeout_ms = 150, .connect_timeout_ms = 150});
    rig_run(&rig, rig_is_ready);
    rig.down_count = 0;
    kill(rig.server, SIGSTOP);
    rig_ask(&rig, "PING");
    from_ms = clock_mono_ms();
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "lost");
    assert_true(clock_mono_ms() - from_ms >= 150);
    assert_true(clock_mono_ms() - from_ms < 5000);
    assert_non_null(strstr(rig.down.msg, "no answer in 150 ms"));
    rig_ask_as(&rig, "ECHO later", true);
    kill(rig.server, SIGCONT);
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "lost later");
    assert_int_equal(rig.restart_count, 0);
}

static void a_large_call_to_a_server_that_hangs_is_given_up_too(void **state)
{
    enum { LEN = 16 << 20 };
    char *large = calloc(1, LEN);
    struct str words[] = {str_of("ECHO"), str_make(large, LEN)};
    struct redis_call call = {2, words, on_count, NULL, 150, false};

    (void)state;
    kill(rig.server, SIGSTOP);
    assert_true(redis_send(rig.redis, &call));
    rig.down_count = 0;
    redis_forget(rig.redis, NULL);
    rig_run(&rig, until_down);
    assert_non_null(strstr(rig.down.msg, "no answer in 150 ms"));
    /* It was sent in part only, cannot have run, and so is kept. */
    assert_int_equal(redis_waiting(rig.redis), 1);
    kill(rig.server, SIGCONT);
    rig_run(&rig, rig_is_answered);
    free(large);
}

static void a_slow_call_has_a_deadline_of_its_own(void **state)
{
    struct str words[] = {str_of("BLPOP"), str_of("none"), str_of("0.6")};
    struct redis_call call = {3, words, rig_on_answer, &rig, 5000, false};

    (void)state;
    rig_server_start(&rig, "--appendonly", "no");
    rig_connect_to(&rig, rig.url, (struct redis_options){.command_timeout_ms = 400});
    assert_true(redis_send(rig.redis, &call));
    rig_ask(&rig, "BLPOP none 0.1"); /* its 400 ms begin at the answer before it */
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "nil nil");
}

static bool until_reconnected(struct rig *r)
{
    return redis_ready(r->redis) && r->ready_count == r->turns;
}

static void reconnecting_leaves_no_descriptor_behind(void **state)
{
    int before;

    (void)state;
    before = rig_descriptors();
    for (int i = 0; i < 16; i++) {
        rig.turns = rig.ready_count + 1;
        if (i % 2 == 0)
            redis_reconnect(rig.redis);
        else
            rig_ask(&rig, "CLIENT KILL TYPE normal SKIPME no");
        rig_run(&rig, until_reconnected);
    }
    assert_int_equal(rig.ready_count, 17);
    assert_int_equal(rig_descriptors(), before);
}

/* ---- who we are ---- */

static bool until_refused(struct rig *r)
{
    return redis_refused(r->redis) && strstr(r->down.msg, "refused");
}

static void a_wrong_password_is_told_and_tried_again(void **state)
{
    char url[160];

    (void)state;
    rig_server_start(&rig, "--requirepass", "secret");
    fmt_into(url, sizeof(url), "unix://:wrong@%s/r.sock", rig.folder);
    rig_connect_to(&rig, url, (struct redis_options){0});
    rig_run(&rig, until_refused); /* the server may not have been there yet */
    assert_non_null(strstr(rig.down.msg, "WRONGPASS"));
    assert_null(strstr(rig.down.msg, "unix://:wrong"));
    rig.down_count = 0;
    rig_run(&rig, until_down);
    assert_int_equal(rig.ready_count, 0);
}

static void no_password_where_one_is_wanted_is_told(void **state)
{
    (void)state;
    rig_server_start(&rig, "--requirepass", "secret");
    rig_connect_to(&rig, rig.url, (struct redis_options){.name = "probe"});
    rig_run(&rig, until_refused); /* the server may not have been there yet */
    assert_non_null(strstr(rig.down.msg, "NOAUTH"));
}

static void password_database_and_name_are_given(void **state)
{
    char url[160];

    (void)state;
    rig_server_start(&rig, "--requirepass", "secret");
    fmt_into(url, sizeof(url), "unix://:secret@%s/r.sock?db=5", rig.folder);
    rig_connect_to(&rig, url, (struct redis_options){.name = "probe-1"});
    rig_ask(&rig, "CLIENT GETNAME");
    rig_ask(&rig, "SET here 1");
    rig_ask(&rig, "SWAPDB 5 6");
    rig_ask(&rig, "EXISTS here");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "probe-1 OK OK 0");
}

/* A port that was free a moment ago. */
static int free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &len), 0);
    close(fd);
    return ntohs(address.sin_port);
}

static void a_host_name_leads_to_whichever_address_answers(void **state)
{
    char url[64], port[16];

    (void)state;
    fmt_into(port, sizeof(port), "%d", free_port());
    fmt_into(url, sizeof(url), "redis://localhost:%s", port);
    rig_server_start(&rig, "--port", port); /* the later of two --port counts */
    rig_connect_to(&rig, url, (struct redis_options){0});
    rig_ask(&rig, "ECHO tcp");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "tcp");
    rig_server_kill(&rig);
    rig.down_count = 0;
    rig_run(&rig, until_down);
    rig_server_start(&rig, "--port", port);
    rig_ask(&rig, "ECHO back");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "tcp back");
}

static void a_name_that_does_not_exist_is_told(void **state)
{
    (void)state;
    rig_connect_to(&rig, "redis://no-such-host.invalid", (struct redis_options){0});
    rig_run(&rig, until_down);
    assert_non_null(strstr(rig.down.msg, "redis://no-such-host.invalid:6379: host"));
}

#define WITH_SERVER(test) cmocka_unit_test_setup_teardown(test, rig_up, rig_down)
#define ALONE(test)       cmocka_unit_test_setup_teardown(test, rig_up_alone, rig_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_SERVER(calls_of_one_turn_are_answered_in_order),
        WITH_SERVER(an_argument_may_hold_any_byte),
        WITH_SERVER(eight_megabytes_go_there_and_back),
        WITH_SERVER(a_hundred_thousand_calls_keep_their_order),
        ALONE(a_full_queue_refuses_and_has_room_again_later),
        WITH_SERVER(a_script_the_server_does_not_know_is_taught),
        WITH_SERVER(a_refused_script_is_told_as_any_error),
        WITH_SERVER(a_callback_may_forget_others_and_ask_anew),
        WITH_SERVER(a_callback_may_reconnect),
        WITH_SERVER(freeing_cancels_what_waits),
        WITH_SERVER(a_killed_server_loses_only_what_may_not_be_asked_again),
        ALONE(calls_made_before_there_is_a_server_wait_for_it),
        ALONE(a_server_that_hangs_is_left_after_the_deadline),
        WITH_SERVER(a_large_call_to_a_server_that_hangs_is_given_up_too),
        ALONE(a_slow_call_has_a_deadline_of_its_own),
        WITH_SERVER(reconnecting_leaves_no_descriptor_behind),
        ALONE(a_wrong_password_is_told_and_tried_again),
        ALONE(no_password_where_one_is_wanted_is_told),
        ALONE(password_database_and_name_are_given),
        ALONE(a_host_name_leads_to_whichever_address_answers),
        ALONE(a_name_that_does_not_exist_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

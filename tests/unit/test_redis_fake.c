/* test_redis_fake.c - the connection against peers that are no good Redis: they speak
 * without being asked, speak nonsense, stop in mid-reply, or say nothing at all.
 *
 * The peer is a child process that greets as a Redis would, then plays its part.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "test_redis_rig.h"

#define GREETING "+PONG\r\n$47\r\nrun_id:0123456789012345678901234567890123456789\r\n"

/* What the peer says on a connection, and how. */
struct part {
    const char *greeting; /* to PING and INFO; NULL: silence */
    const char *at_once;  /* right behind the greeting; NULL: nothing */
    const char *reply;    /* to what is asked later; NULL: nothing */
    bool dribble;         /* one byte at a time */
    bool hang_up;         /* close after the reply */
};

static struct rig rig;
static pid_t peer;
static int listener = -1;

static void say(int fd, const char *text, bool dribble)
{
    struct timespec moment = {.tv_nsec = 200000};
    size_t step = dribble ? 1 : strlen(text);

    for (size_t at = 0; at < strlen(text); at += step) {
        if (send(fd, text + at, step, MSG_NOSIGNAL) < 0)
            return;
        if (dribble)
            nanosleep(&moment, NULL);
    }
}

static void play_part(int fd, const struct part *part)
{
    char heard[4096];
    size_t len = 0;
    bool greeted = false;
    ssize_t n;

    while ((n = read(fd, heard + len, sizeof(heard) - len - 1)) > 0) {
        len += (size_t)n;
        heard[len] = '\0';
        if (!greeted && part->greeting && strstr(heard, "server\r\n")) {
            say(fd, part->greeting, part->dribble);
            say(fd, part->at_once ? part->at_once : "", part->dribble);
            greeted = true;
        } else if (greeted && part->reply) {
            say(fd, part->reply, part->dribble);
            if (part->hang_up)
                return;
        }
        if (greeted)
            len = 0;
    }
}

/* The last part is played for ever. */
static void peer_start(const struct part *parts, size_t count)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    fmt_into(address.sun_path, sizeof(address.sun_path), "%s/r.sock", rig.folder);
    listener = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 16), 0);
    peer = fork();
    if (peer != 0)
        return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0;; i += i + 1 < count) {
        int fd = accept(listener, NULL, NULL);

        play_part(fd, &parts[i]);
        close(fd);
    }
}

static int set_up(void **state)
{
    (void)state;
    log_set_level(LOG_ERROR);
    rig_open(&rig);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (peer > 0) {
        kill(peer, SIGKILL);
        waitpid(peer, NULL, 0);
    }
    if (listener >= 0)
        close(listener);
    peer = 0;
    listener = -1;
    rig_close(&rig);
    return 0;
}

static bool until_down(struct rig *r)
{
    return r->down_count > 0;
}

static bool until_down_thrice(struct rig *r)
{
    return r->down_count >= 3;
}

static bool until_answered_once(struct rig *r)
{
    return r->answers > 0;
}

static const struct redis_options quick = {.command_timeout_ms = 150,
                                           .connect_timeout_ms = 150};
/* For what is answered at once: a slow machine is no reason to fail. */
static const struct redis_options patient = {.command_timeout_ms = 10000,
                                             .connect_timeout_ms = 10000};

static void a_reply_nobody_asked_for_ends_the_connection_not_the_process(void **state)
{
    static const struct part parts[] = {{GREETING, "+OK\r\n", NULL, false, false}};

    (void)state;
    peer_start(parts, 1);
    rig_connect_to(&rig, rig.url, quick);
    rig_run(&rig, until_down_thrice); /* it comes back each time */
    assert_non_null(strstr(rig.down.msg, "nobody asked for"));
}

static void a_second_reply_to_one_call_ends_the_connection(void **state)
{
    static const struct part parts[] = {
        {GREETING, NULL, ":1\r\n:2\r\n", false, false},
        {GREETING, NULL, ":3\r\n", false, false},
    };

    (void)state;
    peer_start(parts, 2);
    rig_connect_to(&rig, rig.url, quick);
    rig_ask(&rig, "PING");
    rig_run(&rig, until_down);
    assert_string_equal(rig.log, "1");
    assert_non_null(strstr(rig.down.msg, "nobody asked for"));
    rig_ask(&rig, "PING");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "1 3");
}

static void nonsense_ends_the_connection_and_loses_the_call(void **state)
{
    static const struct {
        const char *reply, *said;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n\r\n", "not Redis' protocol"},
        {"*1000000000\r\n", "too large"},
        {"%1\r\n+a\r\n+b\r\n", "not Redis' protocol"},
        {"*-7\r\n", "not Redis' protocol"},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
         "not Redis' protocol"},
        {">2\r\n+a\r\n+b\r\n", "not Redis' protocol"},
        {"$3\r\nabcd\r\n", "not Redis' protocol"},
        {"*2\r\n$3\r\nabc$1\r\nd\r\n", "not Redis' protocol"},
        {"$9000000000\r\nabc", "no answer in 150 ms"},
        {"*3\r\n:1\r\n:2\r\n", "no answer in 150 ms"},
        {"$10\r\nabc", "no answer in 150 ms"},
    };

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const struct part parts[] = {{GREETING, NULL, cases[i].reply, false, false}};
        bool is_silent = strstr(cases[i].said, "no answer") != NULL;

        if (i > 0)
            set_up(state);
        peer_start(parts, 1);
        rig_connect_to(&rig, rig.url, is_silent ? quick : patient);
        rig_ask(&rig, "PING");
        rig_run(&rig, until_answered_once);
        rig_run(&rig, until_down);
        assert_string_equal(rig.log, "lost");
        if (!strstr(rig.down.msg, cases[i].said))
            fail_msg("case %zu: %s", i, rig.down.msg);
        if (i + 1 < sizeof(cases) / sizeof(cases[0]))
            tear_down(state);
    }
}

static void half_a_reply_and_a_hang_up_loses_the_call(void **state)
{
    static const struct part parts[] = {
        {GREETING, NULL, "*2\r\n$5\r\nhel", false, true}};

    (void)state;
    peer_start(parts, 1);
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_ask(&rig, "PING");
    rig_run(&rig, until_answered_once);
    rig_run(&rig, until_down);
    assert_string_equal(rig.log, "lost");
    assert_non_null(strstr(rig.down.msg, "closed by the server"));
}

static void a_reply_in_single_bytes_is_read(void **state)
{
    static const struct part parts[] = {
        {GREETING, NULL, "$5\r\nhello\r\n", true, false}};

    (void)state;
    peer_start(parts, 1);
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_ask(&rig, "PING");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "hello");
}

static void a_server_that_is_loading_is_asked_until_it_is_ready(void **state)
{
    static const struct part parts[] = {
        {"-LOADING Redis is loading the dataset in memory\r\n", NULL, NULL, false,
         false},
        {"-LOADING Redis is loading the dataset in memory\r\n", NULL, NULL, false,
         false},
        {GREETING, NULL, "+hi\r\n", false, false},
    };

    (void)state;
    peer_start(parts, 3);
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_ask(&rig, "PING");
    rig_run(&rig, until_down);
    assert_non_null(strstr(rig.down.msg, "LOADING"));
    assert_false(redis_refused(rig.redis));
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "hi");
    assert_int_equal(rig.down_count, 2);
}

static void a_full_disk_does_not_keep_us_out(void **state)
{
    static const struct part parts[] = {
        {"-MISCONF Redis is configured to save RDB snapshots\r\n"
         "$47\r\nrun_id:0123456789012345678901234567890123456789\r\n",
         NULL, "+hi\r\n", false, false}};

    (void)state;
    peer_start(parts, 1);
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_ask(&rig, "PING");
    rig_run(&rig, rig_is_answered);
    assert_string_equal(rig.log, "hi");
    assert_int_equal(rig.down_count, 0);
}

static void a_peer_that_is_no_redis_is_not_taken_for_one(void **state)
{
    static const struct part parts[] = {
        {"+PONG\r\n+hello\r\n", NULL, NULL, false, false}};

    (void)state;
    peer_start(parts, 1);
    rig_connect_to(&rig, rig.url, (struct redis_options){0});
    rig_run(&rig, until_down);
    assert_non_null(strstr(rig.down.msg, "run_id"));
    assert_true(redis_refused(rig.redis));
}

static void a_peer_that_does_not_greet_is_left(void **state)
{
    static const struct part parts[] = {{NULL, NULL, NULL, false, false}};

    (void)state;
    peer_start(parts, 1);
    rig_connect_to(&rig, rig.url, quick);
    rig_run(&rig, until_down);
    assert_non_null(strstr(rig.down.msg, "no answer to the greeting in 150 ms"));
}

static void attempts_come_slower_and_slower(void **state)
{
    int64_t from_ms = clock_mono_ms();

    (void)state;
    rig_connect_to(&rig, rig.url, quick); /* nobody there at all */
    rig_run(&rig, until_down_thrice);
    /* Two waits: 50 to 100 ms, then 100 to 200 ms. */
    assert_true(clock_mono_ms() - from_ms >= 149);
    assert_true(clock_mono_ms() - from_ms < 3000);
}

#define WITH_PEER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PEER(a_reply_nobody_asked_for_ends_the_connection_not_the_process),
        WITH_PEER(a_second_reply_to_one_call_ends_the_connection),
        WITH_PEER(nonsense_ends_the_connection_and_loses_the_call),
        WITH_PEER(half_a_reply_and_a_hang_up_loses_the_call),
        WITH_PEER(a_reply_in_single_bytes_is_read),
        WITH_PEER(a_server_that_is_loading_is_asked_until_it_is_ready),
        WITH_PEER(a_full_disk_does_not_keep_us_out),
        WITH_PEER(a_peer_that_is_no_redis_is_not_taken_for_one),
        WITH_PEER(a_peer_that_does_not_greet_is_left),
        WITH_PEER(attempts_come_slower_and_slower),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

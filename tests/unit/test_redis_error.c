/* test_redis_error.c - what Redis' errors mean: each class once, with what is done. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
/* clang-format on */
#include <string.h>

#include "net/redis_error.h"

static const struct {
    const char *text;
    const char *name;
    enum redis_remedy remedy;
    bool writes;
} rows[] = {
    {"ERR unknown command 'FOO'", "ERR", REDIS_GIVE_BACK, false},
    {"", "ERR", REDIS_GIVE_BACK, false},
    {"NOSCRIPT No matching script.", "NOSCRIPT", REDIS_TEACH, false},
    {"NOGROUP No such key 's'", "NOGROUP", REDIS_GIVE_BACK, false},
    {"WRONGTYPE Operation against a key", "WRONGTYPE", REDIS_GIVE_BACK, false},
    {"EXECABORT Transaction discarded", "EXECABORT", REDIS_GIVE_BACK, false},
    {"LOADING Redis is loading the dataset in memory", "LOADING", REDIS_WAIT, false},
    {"BUSY Redis is busy running a script", "BUSY", REDIS_WAIT, false},
    {"OOM command not allowed when used memory > 'maxmemory'.", "OOM", REDIS_WAIT,
     true},
    {"MISCONF Errors writing to the AOF file", "MISCONF", REDIS_WAIT, true},
    {"NOREPLICAS Not enough good replicas to write.", "NOREPLICAS", REDIS_WAIT, true},
    {"TRYAGAIN Multiple keys request during rehashing", "TRYAGAIN", REDIS_WAIT, false},
    {"CLUSTERDOWN The cluster is down", "CLUSTERDOWN", REDIS_WAIT, false},
    {"ERR max number of clients reached", "MAXCLIENTS", REDIS_MOVE, false},
    {"READONLY You can't write against a read only replica.", "READONLY", REDIS_MOVE,
     true},
    {"MASTERDOWN Link with MASTER is down", "MASTERDOWN", REDIS_MOVE, false},
    {"UNBLOCKED force unblock from blocking operation", "UNBLOCKED", REDIS_MOVE, false},
    {"MOVED 3999 127.0.0.1:6381", "MOVED", REDIS_FATAL, false},
    {"ASK 3999 127.0.0.1:6381", "ASK", REDIS_FATAL, false},
    {"WRONGPASS invalid username-password pair", "WRONGPASS", REDIS_FATAL, false},
    {"NOAUTH Authentication required.", "NOAUTH", REDIS_FATAL, false},
    {"NOPERM this user has no permissions", "NOPERM", REDIS_FATAL, false},
    {"ERR The user executing the script can't run this command", "NOPERM", REDIS_FATAL,
     false},
    {"DENIED Redis is running in protected mode", "DENIED", REDIS_FATAL, false},
    /* Only whole words count. */
    {"BUSYGROUP Consumer Group name already exists", "ERR", REDIS_GIVE_BACK, false},
    {"BUSYKEY Target key name already exists.", "ERR", REDIS_GIVE_BACK, false},
    {"ERR OOM is not what this is about", "ERR", REDIS_GIVE_BACK, false},
    {"OOM", "OOM", REDIS_WAIT, true},
};

static void each_class_has_its_remedy(void **state)
{
    bool seen[REDIS_CLASS_COUNT] = {false};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        enum redis_class found = redis_class_of(str_of(rows[i].text));

        seen[found] = true;
        assert_string_equal(redis_class_name(found), rows[i].name);
        assert_int_equal(redis_class_remedy(found), rows[i].remedy);
        assert_int_equal(redis_class_refuses_writes(found), rows[i].writes);
    }
    for (size_t i = 0; i < REDIS_CLASS_COUNT; i++)
        if (!seen[i])
            fail_msg("no row for %s", redis_class_name((enum redis_class)i));
}

static void the_fatal_ones_tell_what_a_person_can_do(void **state)
{
    struct err err = {0};

    (void)state;
    assert_false(redis_class_explain(REDIS_MOVED, str_of("MOVED 1 h:1"), &err));
    assert_int_equal(err.code, ERR_DENIED);
    assert_string_equal(
        err.msg, "MOVED 1 h:1 (this is a Redis cluster, which is not supported yet)");
    assert_int_equal(err_exit_status(&err), 3);
    for (unsigned i = 0; i < REDIS_CLASS_COUNT; i++) {
        bool fatal = redis_class_remedy((enum redis_class)i) == REDIS_FATAL;

        redis_class_explain((enum redis_class)i, str_of("X"), &err);
        assert_int_equal(err.code, fatal ? ERR_DENIED : ERR_REDIS);
        assert_int_equal(strchr(err.msg, '(') != NULL, fatal);
    }
}

static void what_the_server_says_is_made_harmless(void **state)
{
    struct err err = {0};

    (void)state;
    redis_class_explain(REDIS_CLASS_OTHER, str_of("ERR \033]0;x\a"), &err);
    assert_null(strchr(err.msg, '\033'));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_class_has_its_remedy),
        cmocka_unit_test(the_fatal_ones_tell_what_a_person_can_do),
        cmocka_unit_test(what_the_server_says_is_made_harmless),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

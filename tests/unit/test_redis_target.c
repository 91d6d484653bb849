/* test_redis_target.c - the forms of a Redis URL, and those that are refused. */
#include <string.h>

#include "net/redis_target.h"

/* cmocka.h wants the four before it, in whatever order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
/* clang-format on */

static void assert_same(const char *got, const char *wanted)
{
    if (wanted)
        assert_string_equal(got ? got : "(null)", wanted);
    else
        assert_null(got);
}

static void each_form_is_taken_apart(void **state)
{
    static const struct {
        const char *url, *host, *path, *user, *password, *text;
        int port, db;
    } forms[] = {
        {"redis://localhost", "localhost", NULL, NULL, NULL, "redis://localhost:6379",
         6379, 0},
        {"redis://h:7000/3", "h", NULL, NULL, NULL, "redis://h:7000/3", 7000, 3},
        {"redis://h?db=4", "h", NULL, NULL, NULL, "redis://h:6379/4", 6379, 4},
        {"redis://h:1/", "h", NULL, NULL, NULL, "redis://h:1", 1, 0},
        {"redis://:secret@h", "h", NULL, NULL, "secret", "redis://h:6379", 6379, 0},
        {"redis://ada:p%40ss%2F%3a@h:2", "h", NULL, "ada", "p@ss/:", "redis://ada@h:2",
         2, 0},
        {"redis://ada:p@ss@h", "h", NULL, "ada", "p@ss", "redis://ada@h:6379", 6379, 0},
        {"redis://ada:a:b@h", "h", NULL, "ada", "a:b", "redis://ada@h:6379", 6379, 0},
        {"redis://[::1]:65535/0", "::1", NULL, NULL, NULL, "redis://[::1]:65535", 65535,
         0},
        {"redis://[fe80::1%25eth0]", "fe80::1%eth0", NULL, NULL, NULL,
         "redis://[fe80::1%25eth0]:6379", 6379, 0},
        {"unix:///tmp/a%20b.sock?db=2", NULL, "/tmp/a b.sock", NULL, NULL,
         "unix:///tmp/a%20b.sock?db=2", 0, 2},
        {"redis+unix:///r.sock", NULL, "/r.sock", NULL, NULL, "unix:///r.sock", 0, 0},
        {"unix://ada:pw@/r.sock", NULL, "/r.sock", "ada", "pw", "unix://ada@/r.sock", 0,
         0},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct redis_target target, copy;
        struct err err = {0};
        char *text;

        if (!redis_target_parse(forms[i].url, &target, &err))
            fail_msg("%s: %s", forms[i].url, err.msg);
        redis_target_copy(&target, &copy);
        redis_target_done(&target);
        assert_same(copy.host, forms[i].host);
        assert_same(copy.path, forms[i].path);
        assert_same(copy.user, forms[i].user);
        assert_same(copy.password, forms[i].password);
        assert_int_equal(copy.port, forms[i].port);
        assert_int_equal(copy.db, forms[i].db);
        text = redis_target_text(&copy);
        assert_string_equal(text, forms[i].text);
        free(text);
        redis_target_done(&copy);
    }
}

static void a_url_of_a_wrong_form_is_refused_and_says_why(void **state)
{
    static const struct {
        const char *url, *said;
    } forms[] = {
        {"", "must begin with"},
        {"http://h", "must begin with"},
        {"redis:/h", "must begin with"},
        {"rediss://h", "TLS"},
        {"redis://", "no host"},
        {"redis://:6379", "no host"},
        {"redis://h:0", "port"},
        {"redis://h:65536", "port"},
        {"redis://h:12x", "port"},
        {"redis://h/x", "database"},
        {"redis://h/-1", "database"},
        {"redis://h?db=", "database"},
        {"redis://h?db=99999999999", "database"},
        {"redis://h?protocol=3", "only ?db"},
        {"redis://ada@h", "user without a password"},
        {"redis://a%zz:b@h", "escape"},
        {"redis://:b%0@h", "escape"},
        {"redis://h%00", "escape"},
        {"redis://[::1", "[]"},
        {"redis://[::1]6379", "[]"},
        {"unix://tmp/x", "whole path"},
        {"unix://", "whole path"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        struct redis_target target = {.port = 77};
        struct err err = {0};

        assert_false(redis_target_parse(forms[i].url, &target, &err));
        assert_int_equal(err.code, ERR_USAGE);
        if (!strstr(err.msg, forms[i].said))
            fail_msg("%s: %s", forms[i].url, err.msg);
        assert_int_equal(target.port, 77); /* untouched */
    }
}

static void a_path_longer_than_a_socket_address_is_refused(void **state)
{
    char url[200] = "unix:///";
    struct redis_target target;
    struct err err = {0};

    (void)state;
    memset(url + strlen(url), 'x', 110);
    assert_false(redis_target_parse(url, &target, &err));
    assert_non_null(strstr(err.msg, "too long"));
}

static void a_refusal_does_not_tell_the_password(void **state)
{
    struct redis_target target;
    struct err err = {0};

    (void)state;
    assert_false(redis_target_parse("redis://ada:hunter2@h:x", &target, &err));
    assert_null(strstr(err.msg, "hunter2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_form_is_taken_apart),
        cmocka_unit_test(a_url_of_a_wrong_form_is_refused_and_says_why),
        cmocka_unit_test(a_path_longer_than_a_socket_address_is_refused),
        cmocka_unit_test(a_refusal_does_not_tell_the_password),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

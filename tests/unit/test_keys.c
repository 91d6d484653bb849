/* test_keys.c - the names of Redis keys and the ids of conversations. */
#include <string.h>

#include "proto/keys.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static struct keys make(const char *prefix, const char *shard)
{
    struct keys keys;
    struct err err = {0};

    assert_true(keys_init(&keys, prefix, shard, &err));
    return keys;
}

static void the_shard_stands_in_braces(void **state)
{
    struct keys keys = make("parley", "0");
    char room[KEY_SIZE];

    (void)state;
    assert_string_equal(keys.root, "parley:{0}:");
    assert_true(str_is(key_make(&keys, "epoch", NULL, room), "parley:{0}:epoch"));
    assert_string_equal(room, "parley:{0}:epoch");
    assert_true(str_is(key_make(&keys, "live", "k3v9q2m4x7ab", room),
                       "parley:{0}:live:k3v9q2m4x7ab"));
}

static void a_lane_is_a_number_behind_the_name(void **state)
{
    struct keys keys = make("p", "a.b");
    char room[KEY_SIZE];

    (void)state;
    assert_true(str_is(key_lane(&keys, "request", 1, room), "p:{a.b}:request:1"));
    assert_true(str_is(key_lane(&keys, "response", 160, room), "p:{a.b}:response:160"));
    assert_true(str_is(key_lane(&keys, "request", INT64_MAX, room),
                       "p:{a.b}:request:9223372036854775807"));
}

static void an_endpoint_belongs_to_all_shards_of_a_prefix(void **state)
{
    struct keys keys = make("p", "a.b");
    char room[KEY_SIZE];

    (void)state;
    assert_true(str_is(key_endpoint(&keys, "http://h:1", NULL, room),
                       "p:{endpoints}:http://h:1"));
    assert_true(str_is(key_endpoint(&keys, "http://h:1", "held", room),
                       "p:{endpoints}:http://h:1:held"));
}

static void names_that_would_break_a_key_are_refused(void **state)
{
    static const char *const bad[] = {
        "",         "a:b", "a}b",
        "{",        "a b", "a\n",
        "\xC3\xA4", "a*",  "12345678901234567890123456789012345678901",
    };
    struct keys keys;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct err err = {0};

        assert_false(keys_init(&keys, "parley", bad[i], &err));
        assert_int_equal(err.code, ERR_USAGE);
        assert_non_null(strstr(err.msg, "shard"));
        assert_false(keys_init(&keys, bad[i], "0", &err));
        assert_non_null(strstr(err.msg, "prefix"));
    }
    {
        struct err err = {0};

        assert_false(keys_init(&keys, "parley", "endpoints", &err));
        assert_non_null(strstr(err.msg, "taken"));
    }
    make("1234567890123456789012345678901234567890",
         "1234567890123456789012345678901234567890");
}

static void an_id_names_its_shard_unless_it_is_0(void **state)
{
    struct keys first = make("parley", "0");
    struct keys other = make("parley", "run-7");
    char a[CONVERSATION_SIZE];
    char b[CONVERSATION_SIZE];

    (void)state;
    conversation_id_make(&first, a);
    conversation_id_make(&first, b);
    assert_int_equal(strlen(a), ID_LETTERS);
    assert_string_not_equal(a, b);
    assert_true(conversation_id_valid(str_of(a)));
    conversation_id_make(&other, b);
    assert_int_equal(strncmp(b, "run-7-", 6), 0);
    assert_int_equal(strlen(b), 6 + ID_LETTERS);
    assert_true(conversation_id_valid(str_of(b)));
}

static void ids_from_outside_are_looked_at(void **state)
{
    static const char *const bad[] = {
        "",
        "k3v9q2m4x7a",
        "k3v9q2m4x7a_",
        "K3V9Q2M4X7AB",
        "-k3v9q2m4x7ab",
        "ak3v9q2m4x7ab",
        "abk3v9q2m4x7ab",
        "a:-k3v9q2m4x7ab",
        "k3v9q2m4x7ab ",
        "12345678901234567890123456789012345678901-k3v9q2m4x7ab",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(conversation_id_valid(str_of(bad[i])));
    assert_false(conversation_id_valid(str_make("k3v9q2\0m4x7ab", 12)));
    assert_true(conversation_id_valid(str_of("k3v9q2m4x7ab")));
    assert_true(conversation_id_valid(str_of("a.b-k3v9q2m4x7ab")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_shard_stands_in_braces),
        cmocka_unit_test(a_lane_is_a_number_behind_the_name),
        cmocka_unit_test(an_endpoint_belongs_to_all_shards_of_a_prefix),
        cmocka_unit_test(names_that_would_break_a_key_are_refused),
        cmocka_unit_test(an_id_names_its_shard_unless_it_is_0),
        cmocka_unit_test(ids_from_outside_are_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

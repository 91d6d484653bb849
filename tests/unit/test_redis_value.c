/* test_redis_value.c - bytes of RESP2 into trees, and picking from them. */
#include <stdio.h>
#include <string.h>

#include "net/redis_reader.h"

/* cmocka.h wants the four before it, in whatever order. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
/* clang-format on */

static int reader_open(void **state)
{
    *state = redis_reader_new();
    return 0;
}

static int reader_close(void **state)
{
    redis_reader_free(*state);
    return 0;
}

static void feed(struct redis_reader *reader, const char *at, size_t len)
{
    struct err err = {0};

    if (!redis_reader_feed(reader, str_make(at, len), &err))
        fail_msg("%s", err.msg);
}

/* The next reply; NULL: more bytes are needed. */
static const struct redis_value *next(struct redis_reader *reader)
{
    const struct redis_value *value = NULL;
    struct err err = {0};

    if (!redis_reader_next(reader, &value, &err))
        fail_msg("%s", err.msg);
    return value;
}

static const struct redis_value *read_all(struct redis_reader *reader, const char *text)
{
    feed(reader, text, strlen(text));
    return next(reader);
}

static void each_kind_of_reply_is_read(void **state)
{
    const struct redis_value *value = read_all(
        *state, "*7\r\n+OK\r\n$2\r\nab\r\n:-7\r\n$-1\r\n*-1\r\n-ERR x\r\n*0\r\n");

    assert_non_null(value);
    assert_int_equal(value->kind, REDIS_ARRAY);
    assert_int_equal(value->count, 7);
    assert_true(str_is(redis_item_text(value, 0), "OK"));
    assert_true(str_is(redis_item_text(value, 1), "ab"));
    assert_int_equal(redis_item(value, 2)->kind, REDIS_INTEGER);
    assert_int_equal(redis_item(value, 2)->integer, -7);
    assert_int_equal(redis_item(value, 3)->kind, REDIS_NIL);
    assert_int_equal(redis_item(value, 4)->kind, REDIS_NIL);
    assert_int_equal(redis_item(value, 5)->kind, REDIS_ERROR);
    assert_true(str_is(redis_item(value, 5)->text, "ERR x"));
    assert_int_equal(redis_item(value, 6)->kind, REDIS_ARRAY);
    assert_int_equal(redis_item(value, 6)->count, 0);
    assert_null(next(*state));
}

static void a_reply_in_single_bytes_reads_the_same(void **state)
{
    static const char text[] = "*2\r\n*2\r\n$3\r\na\0b\r\n:12\r\n$0\r\n\r\n";
    const struct redis_value *value = NULL;

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        assert_null(next(*state));
        feed(*state, text + i, 1);
    }
    value = next(*state);
    assert_non_null(value);
    assert_int_equal(value->count, 2);
    assert_int_equal(redis_item_text(redis_item(value, 0), 0).len, 3);
    assert_memory_equal(redis_item_text(redis_item(value, 0), 0).at, "a\0b", 3);
    assert_int_equal(redis_item_i64(redis_item(value, 0), 1, 0), 12);
    assert_int_equal(redis_item(value, 1)->kind, REDIS_TEXT);
    assert_int_equal(redis_item_text(value, 1).len, 0);
}

static void replies_in_one_piece_come_one_by_one(void **state)
{
    const struct redis_value *value = read_all(*state, ":1\r\n+two\r\n:3\r\n:");

    assert_int_equal(value->integer, 1);
    value = next(*state);
    assert_true(str_is(value->text, "two"));
    value = next(*state);
    assert_int_equal(value->integer, 3);
    assert_null(next(*state));
    value = read_all(*state, "4\r\n");
    assert_int_equal(value->integer, 4);
}

static void a_reply_larger_than_the_arena_block_is_whole(void **state)
{
    enum { COUNT = 5000, LEN = 40 };
    char line[LEN + 16];
    const struct redis_value *value;

    for (int round = 0; round < 3; round++) {
        assert_null(read_all(*state, "*5000\r\n"));
        for (int i = 0; i < COUNT; i++) {
            int n = snprintf(line, sizeof(line), "$%d\r\n%0*d\r\n", LEN, LEN, i);

            feed(*state, line, (size_t)n);
        }
        value = next(*state);
        assert_int_equal(value->count, COUNT);
        for (size_t i = 0; i < COUNT; i++)
            assert_int_equal(redis_item_i64(value, i, -1), i);
    }
}

static void arrays_may_be_eight_deep(void **state)
{
    const struct redis_value *value =
        read_all(*state, "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:5\r\n");

    for (int depth = 0; depth < 8; depth++)
        value = redis_item(value, 0);
    assert_int_equal(value->integer, 5);
}

static void what_is_missing_comes_out_empty(void **state)
{
    const struct redis_value *value =
        read_all(*state, "*5\r\n$1\r\nn\r\n$2\r\n42\r\n$1\r\nt\r\n:9\r\n$3\r\nodd\r\n");

    assert_int_equal(redis_item(value, 5)->kind, REDIS_NIL);
    assert_int_equal(redis_item(NULL, 0)->kind, REDIS_NIL);
    assert_int_equal(redis_item(redis_item(value, 0), 0)->kind, REDIS_NIL);
    assert_int_equal(redis_item_text(value, 99).len, 0);
    assert_int_equal(redis_item_text(value, 3).len, 0); /* an integer is no text */
    assert_int_equal(redis_item_i64(value, 0, -5), -5); /* "n" is no number */
    assert_int_equal(redis_item_i64(value, 1, -5), 42);
    assert_int_equal(redis_item_i64(value, 3, -5), 9);
    assert_true(str_is(redis_field(value, "n"), "42"));
    assert_int_equal(redis_field_i64(value, "n", -1), 42);
    assert_int_equal(redis_field_i64(value, "t", -1), 9);
    assert_int_equal(redis_field_i64(value, "none", -1), -1);
    assert_int_equal(redis_field(value, "42").len, 0); /* a value is no field */
    assert_int_equal(redis_field(value, "odd").len, 0);
    assert_int_equal(redis_field(NULL, "n").len, 0);
}

static void what_is_not_resp2_is_refused(void **state)
{
    static const struct {
        const char *bytes;
        enum err_code code;
    } cases[] = {
        {"HTTP/1.1 400 Bad Request\r\n", ERR_FORMAT},
        {"%1\r\n+a\r\n+b\r\n", ERR_FORMAT}, /* a map of RESP3 */
        {">2\r\n+a\r\n+b\r\n", ERR_FORMAT}, /* a push */
        {"#t\r\n", ERR_FORMAT},
        {",1.5\r\n", ERR_FORMAT},
        {"*-7\r\n", ERR_FORMAT},
        {"$-7\r\n", ERR_FORMAT},
        {":12a\r\n", ERR_FORMAT},
        {"*1000000000\r\n", ERR_LIMIT},
        {"*1048577\r\n", ERR_LIMIT},
        {"*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n",
         ERR_FORMAT}, /* too deep */
        {"\0\0\0\0", ERR_FORMAT},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct redis_reader *reader = redis_reader_new();
        const struct redis_value *value = NULL;
        struct err err = {0};
        size_t len = strlen(cases[i].bytes);

        feed(reader, cases[i].bytes, len > 0 ? len : 4);
        if (redis_reader_next(reader, &value, &err))
            fail_msg("case %zu was taken", i);
        assert_int_equal(err.code, cases[i].code);
        redis_reader_free(reader);
    }
}

static void a_text_that_never_ends_meets_a_bound(void **state)
{
    enum { PIECE = 1 << 20 };
    char *piece = calloc(1, PIECE);
    struct err err = {0};
    int fed = 0;

    assert_null(read_all(*state, "$9000000000\r\n"));
    while (redis_reader_feed(*state, str_make(piece, PIECE), &err) && fed < 1000) {
        assert_null(next(*state));
        fed++;
    }
    assert_int_equal(err.code, ERR_LIMIT);
    assert_true(fed > 100 && fed <= 128);
    free(piece);
}

static void every_kind_has_a_name(void **state)
{
    (void)state;
    for (int kind = 0; kind < REDIS_KIND_COUNT; kind++)
        assert_true(strlen(redis_kind_name((enum redis_kind)kind)) > 0);
}

#define WITH_READER(test) \
    cmocka_unit_test_setup_teardown(test, reader_open, reader_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_READER(each_kind_of_reply_is_read),
        WITH_READER(a_reply_in_single_bytes_reads_the_same),
        WITH_READER(replies_in_one_piece_come_one_by_one),
        WITH_READER(a_reply_larger_than_the_arena_block_is_whole),
        WITH_READER(arrays_may_be_eight_deep),
        WITH_READER(what_is_missing_comes_out_empty),
        WITH_READER(what_is_not_resp2_is_refused),
        WITH_READER(a_text_that_never_ends_meets_a_bound),
        cmocka_unit_test(every_kind_has_a_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

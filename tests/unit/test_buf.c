/* test_buf.c - bytes that grow up to a maximum and not one further. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static void an_empty_buffer_reads_as_empty_text(void **state)
{
    struct buf buf;
    char *taken;

    (void)state;
    buf_init(&buf, 10);
    assert_string_equal(buf_text(&buf), "");
    assert_int_equal(buf_str(&buf).len, 0);
    assert_non_null(buf_str(&buf).at);
    buf_eat(&buf, 0);
    buf_clear(&buf);
    taken = buf_take(&buf);
    assert_string_equal(taken, "");
    free(taken);
    buf_done(&buf);
    buf_done(&buf);
}

static void all_ways_to_add_append_and_end_with_a_nul(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    assert_true(buf_add(&buf, "a\0b", 3));
    assert_true(buf_add_text(&buf, "cd"));
    assert_true(buf_add_str(&buf, str_make("efg", 2)));
    assert_true(buf_add_char(&buf, '!'));
    assert_true(buf_printf(&buf, "%d-%s", 42, "x"));
    assert_true(buf_add(&buf, NULL, 0));
    assert_int_equal(buf.len, 12);
    assert_memory_equal(buf.at, "a\0bcdef!42-x", 13);
    buf_done(&buf);
}

static void the_maximum_is_reached_and_never_passed(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 4);
    assert_true(buf_add_text(&buf, "abcd"));
    assert_false(buf.overflowed);
    assert_false(buf_add_char(&buf, 'e'));
    assert_true(buf.overflowed);
    assert_false(buf_printf(&buf, "%s", "e"));
    assert_false(buf_add_str(&buf, str_of("ef")));
    assert_true(buf_add_text(&buf, ""));
    assert_string_equal(buf_text(&buf), "abcd");
    buf_eat(&buf, 2);
    assert_true(buf.overflowed);
    assert_false(buf_add_text(&buf, "xyz"));
    assert_true(buf_add_text(&buf, "xy"));
    assert_string_equal(buf_text(&buf), "cdxy");
    buf_clear(&buf);
    assert_false(buf.overflowed);
    assert_string_equal(buf_text(&buf), "");
    buf_done(&buf);
}

static void sizes_near_the_largest_do_not_wrap_round(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 8);
    assert_true(buf_add_text(&buf, "abc"));
    assert_false(buf_add(&buf, "x", SIZE_MAX));
    assert_false(buf_add(&buf, "x", SIZE_MAX - 2));
    assert_string_equal(buf_text(&buf), "abc");
    buf_done(&buf);
}

static void a_maximum_of_nothing_takes_nothing(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 0);
    assert_true(buf_add_text(&buf, ""));
    assert_false(buf_add_char(&buf, 'a'));
    assert_true(buf.overflowed);
    buf_done(&buf);
}

static void it_grows_over_many_small_additions(void **state)
{
    enum { ROUNDS = 10000 };
    struct buf buf;

    (void)state;
    buf_init(&buf, ROUNDS * 4);
    for (int i = 0; i < ROUNDS; i++)
        assert_true(buf_printf(&buf, "%04d", i));
    assert_int_equal(buf.len, ROUNDS * 4);
    assert_memory_equal(buf.at, "00000001", 8);
    assert_string_equal(buf.at + buf.len - 4, "9999");
    assert_false(buf_add_char(&buf, 'x'));
    buf_done(&buf);
}

static void eating_drops_from_the_front(void **state)
{
    struct buf buf;

    (void)state;
    buf_init(&buf, 100);
    buf_add_text(&buf, "abcdef");
    buf_eat(&buf, 2);
    assert_string_equal(buf_text(&buf), "cdef");
    buf_eat(&buf, 0);
    assert_string_equal(buf_text(&buf), "cdef");
    buf_eat(&buf, 4);
    assert_int_equal(buf.len, 0);
    assert_string_equal(buf_text(&buf), "");
    buf_done(&buf);
}

static void taken_memory_is_the_callers_and_the_buffer_begins_anew(void **state)
{
    struct buf buf;
    char *taken;

    (void)state;
    buf_init(&buf, 5);
    buf_add_text(&buf, "abcde");
    taken = buf_take(&buf);
    assert_string_equal(taken, "abcde");
    free(taken);
    assert_int_equal(buf.len, 0);
    assert_true(buf_add_text(&buf, "fghij"));
    assert_false(buf_add_text(&buf, "k"));
    buf_done(&buf);
    assert_true(buf_add_text(&buf, "again"));
    assert_string_equal(buf_text(&buf), "again");
    buf_done(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_reads_as_empty_text),
        cmocka_unit_test(all_ways_to_add_append_and_end_with_a_nul),
        cmocka_unit_test(the_maximum_is_reached_and_never_passed),
        cmocka_unit_test(sizes_near_the_largest_do_not_wrap_round),
        cmocka_unit_test(a_maximum_of_nothing_takes_nothing),
        cmocka_unit_test(it_grows_over_many_small_additions),
        cmocka_unit_test(eating_drops_from_the_front),
        cmocka_unit_test(taken_memory_is_the_callers_and_the_buffer_begins_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

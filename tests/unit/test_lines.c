/* test_lines.c - lines for a disk that is full: played with the limit on a file's size.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/file.h"
#include "base/str.h"
#include "cli/lines.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char path[32];
static struct lines lines;
static struct rlimit before;

static void set_room(rlim_t bytes)
{
    const struct rlimit now = {.rlim_cur = bytes, .rlim_max = before.rlim_max};

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

static int begin(void **state)
{
    struct err err = {0};
    int fd;

    (void)state;
    fmt_into(path, sizeof path, "/tmp/parley-lines-XXXXXX");
    fd = mkstemp(path);
    (void)signal(SIGXFSZ, SIG_IGN);
    if (fd < 0 || close(fd) != 0 || getrlimit(RLIMIT_FSIZE, &before) != 0)
        return -1;
    return lines_open(&lines, path, &err) ? 0 : -1;
}

static int end(void **state)
{
    struct err err = {0};

    (void)state;
    set_room(before.rlim_cur);
    return lines_close(&lines, &err) && unlink(path) == 0 ? 0 : -1;
}

static void add(const char *text)
{
    assert_true(lines_add(&lines, str_of(text)));
}

static void assert_file(const char *expected)
{
    struct err err = {0};
    struct buf text;

    buf_init(&text, 4096);
    assert_true(file_slurp(path, &text, &err));
    assert_string_equal(buf_text(&text), expected);
    buf_done(&text);
}

static void lines_are_in_the_file_after_a_flush(void **state)
{
    struct err err = {0};

    (void)state;
    add("one");
    add("two");
    assert_file("");
    assert_true(lines_flush(&lines, &err));
    assert_file("one\ntwo\n");
    assert_int_equal(lines_waiting(&lines), 0);
}

static void half_a_line_is_never_left_and_all_follow_when_there_is_room(void **state)
{
    struct err err = {0};

    (void)state;
    add("one");
    assert_true(lines_flush(&lines, &err));
    add("two");
    add("three");
    set_room(11); /* "one\ntwo\nthr" */
    assert_false(lines_flush(&lines, &err));
    assert_int_equal(err.code, ERR_SYSTEM);
    assert_non_null(strstr(err.msg, path));
    assert_file("one\ntwo\n");
    assert_int_equal(lines_waiting(&lines), 6);
    assert_false(lines_flush(&lines, &err)); /* no better yet */
    assert_file("one\ntwo\n");
    add("four");
    set_room(before.rlim_cur);
    assert_true(lines_flush(&lines, &err));
    assert_file("one\ntwo\nthree\nfour\n");
}

static void what_was_there_stays_and_what_comes_is_appended(void **state)
{
    struct err err = {0};

    (void)state;
    add("one");
    assert_true(lines_flush(&lines, &err));
    assert_true(lines_close(&lines, &err));
    assert_true(lines_open(&lines, path, &err));
    add("two");
    set_room(6);
    assert_false(lines_flush(&lines, &err));
    assert_file("one\n");
    set_room(before.rlim_cur);
    assert_true(lines_flush(&lines, &err));
    assert_file("one\ntwo\n");
}

static void ranges_are_taken_out_and_the_rest_goes_on(void **state)
{
    static const struct lines_range ranges[] = {{0, 4}, {8, 14}, {14, 19}};
    struct err err = {0};

    (void)state;
    add("one");
    add("two");
    add("three");
    add("four");
    add("five");
    assert_true(lines_flush(&lines, &err));
    add("waits");
    assert_true(lines_take_out(&lines, ranges, 3, &err));
    assert_file("two\nfive\n");
    assert_true(lines_flush(&lines, &err));
    assert_file("two\nfive\nwaits\n");
}

static void where_there_is_no_room_for_the_rest_nothing_is_taken_out(void **state)
{
    static const struct lines_range first = {0, 4};
    struct err err = {0};

    (void)state;
    add("one");
    add("two");
    assert_true(lines_flush(&lines, &err));
    set_room(2);
    assert_false(lines_take_out(&lines, &first, 1, &err));
    set_room(before.rlim_cur);
    assert_file("one\ntwo\n");
    add("three");
    assert_true(lines_flush(&lines, &err));
    assert_file("one\ntwo\nthree\n");
}

static void a_file_that_was_never_opened_takes_lines_and_forgets_them(void **state)
{
    struct lines none = {0};
    struct err err = {0};

    (void)state;
    assert_true(lines_add(&none, str_of("x")));
    assert_true(lines_flush(&none, &err));
    assert_int_equal(lines_waiting(&none), 0);
    assert_true(lines_close(&none, &err));
    assert_false(lines_open(&none, "/nonexistent/x", &err));
    assert_non_null(strstr(err.msg, "/nonexistent/x"));
}

#define LINES_TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LINES_TEST(lines_are_in_the_file_after_a_flush),
        LINES_TEST(half_a_line_is_never_left_and_all_follow_when_there_is_room),
        LINES_TEST(what_was_there_stays_and_what_comes_is_appended),
        LINES_TEST(ranges_are_taken_out_and_the_rest_goes_on),
        LINES_TEST(where_there_is_no_room_for_the_rest_nothing_is_taken_out),
        LINES_TEST(a_file_that_was_never_opened_takes_lines_and_forgets_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

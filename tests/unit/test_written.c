/* test_written.c - lines are taken out of a file again: which, and what is left. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/lines.h"
#include "cli/written.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char path[] = "/tmp/parley-written-XXXXXX";
static struct lines lines;
static struct written written;

static int begin(void **state)
{
    struct err err = {0};
    int fd;

    (void)state;
    memcpy(path + sizeof path - 7, "XXXXXX", 7);
    fd = mkstemp(path);
    if (fd < 0 || write(fd, "old\n", 4) != 4 || close(fd) != 0
        || !lines_open(&lines, path, &err))
        return -1;
    written_init(&written, lines.end);
    return 0;
}

static int end(void **state)
{
    struct err err = {0};

    (void)state;
    written_done(&written);
    return lines_close(&lines, &err) && unlink(path) == 0 ? 0 : -1;
}

static void add(int source, const char *entry, const char *text)
{
    assert_true(lines_add(&lines, str_of(text)));
    written_add(&written, source, str_of(entry), strlen(text));
}

static void flush(void)
{
    struct err err = {0};

    assert_true(lines_flush(&lines, &err));
}

static void assert_cut(int source, const char *last, size_t count)
{
    struct err err = {0};
    size_t taken = 99;

    assert_true(written_cut(&written, &lines, source, str_of(last), &taken, &err));
    assert_int_equal(taken, count);
}

static void assert_file(const char *expected)
{
    struct err err = {0};
    struct buf text;

    buf_init(&text, 4096);
    assert_true(file_slurp(path, &text, &err));
    assert_string_equal(buf_text(&text), expected);
    assert_int_equal(written.end, strlen(expected));
    buf_done(&text);
}

static void only_lines_behind_the_last_entry_go(void **state)
{
    (void)state;
    add(0, "5-0", "a");
    add(0, "5-1", "bb");
    add(0, "6-0", "ccc");
    add(0, "10-0", "d");
    flush();
    assert_cut(WRITTEN_ANY, "5-1", 2);
    assert_file("old\na\nbb\n");
    assert_cut(WRITTEN_ANY, "5-1", 0);
    assert_file("old\na\nbb\n");
}

static void another_source_s_lines_stay_wherever_they_stand(void **state)
{
    (void)state;
    add(1, "7-0", "one");
    add(2, "7-0", "two");
    add(1, "8-0", "one more");
    add(2, "9-0", "two more");
    flush();
    assert_cut(1, "7-0", 1);
    assert_file("old\none\ntwo\ntwo more\n");
    assert_cut(2, "0-0", 2);
    assert_file("old\none\n");
}

static void what_is_written_after_a_cut_stands_where_it_should(void **state)
{
    (void)state;
    add(0, "1-0", "a");
    add(0, "2-0", "gone");
    flush();
    assert_cut(WRITTEN_ANY, "1-0", 1);
    add(0, "2-0", "came again");
    add(0, "3-0", "c");
    flush();
    assert_file("old\na\ncame again\nc\n");
    assert_cut(WRITTEN_ANY, "2-0", 1);
    assert_file("old\na\ncame again\n");
}

static void only_the_last_lines_are_known(void **state)
{
    char entry[32];

    (void)state;
    for (int i = 1; i <= WRITTEN_MAX + 2; i++) {
        (void)snprintf(entry, sizeof entry, "%d-0", i);
        add(0, entry, "x");
    }
    flush();
    assert_cut(WRITTEN_ANY, "0-0", WRITTEN_MAX);
    assert_file("old\nx\nx\n");
}

static void what_cannot_be_taken_out_leaves_all_as_it_was(void **state)
{
    struct err err = {0};
    char *blocked = malloc(sizeof path + 8);
    size_t count = 7;

    (void)state;
    assert_non_null(blocked);
    (void)snprintf(blocked, sizeof path + 8, "%s.new", path);
    add(0, "1-0", "a");
    add(0, "2-0", "b");
    flush();
    assert_true(file_make_folder(blocked, 0755, &err));
    assert_false(
        written_cut(&written, &lines, WRITTEN_ANY, str_of("1-0"), &count, &err));
    assert_int_equal(count, 7);
    assert_int_equal(rmdir(blocked), 0);
    free(blocked);
    assert_file("old\na\nb\n");
    assert_cut(WRITTEN_ANY, "1-0", 1);
    assert_file("old\na\n");
}

static void a_mark_is_known_until_its_line_is_taken_out(void **state)
{
    (void)state;
    assert_false(written_has(&written, 11));
    add(0, "1-0", "a");
    written_mark(&written, 11);
    add(0, "2-0", "b");
    written_mark(&written, 22);
    assert_true(written_has(&written, 11));
    assert_true(written_has(&written, 22));
    flush();
    assert_cut(WRITTEN_ANY, "1-0", 1);
    assert_true(written_has(&written, 11));
    assert_false(written_has(&written, 22));
    for (int i = 0; i < WRITTEN_MARKS - 1; i++)
        add(0, "3-0", "x");
    assert_true(written_has(&written, 11));
    add(0, "3-0", "x");
    assert_false(written_has(&written, 11));
}

static void a_place_in_the_ring_that_is_used_again_has_no_mark(void **state)
{
    (void)state;
    for (int i = 0; i < WRITTEN_MAX; i++) {
        add(0, "1-0", "x");
        written_mark(&written, 33);
    }
    for (int i = 0; i < WRITTEN_MARKS; i++)
        add(0, "2-0", "x");
    assert_false(written_has(&written, 33));
    flush();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(only_lines_behind_the_last_entry_go, begin,
                                        end),
        cmocka_unit_test_setup_teardown(another_source_s_lines_stay_wherever_they_stand,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            what_is_written_after_a_cut_stands_where_it_should, begin, end),
        cmocka_unit_test_setup_teardown(only_the_last_lines_are_known, begin, end),
        cmocka_unit_test_setup_teardown(what_cannot_be_taken_out_leaves_all_as_it_was,
                                        begin, end),
        cmocka_unit_test_setup_teardown(a_mark_is_known_until_its_line_is_taken_out,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            a_place_in_the_ring_that_is_used_again_has_no_mark, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

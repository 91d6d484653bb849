/* test_aof_cut.c - what a log tells of a file that was cut. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/aof_cut.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define ANALYZED "AOF analyzed: filename=a.aof, size=118, ok_up_to=55, diff=63\n"
#define SHRINKS \
    "This will shrink the AOF a.aof from 118 bytes, with 63 bytes, to 55 bytes\n"
#define DONE "Continue? [y/N]: Successfully truncated AOF a.aof\n"

static void assert_cut(const char *words, int64_t from, int64_t expected)
{
    char path[] = "/tmp/parley-aof-XXXXXX";
    int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, words, strlen(words)), strlen(words));
    assert_int_equal(close(fd), 0);
    assert_int_equal(aof_cut_bytes(path, from), expected);
    assert_int_equal(unlink(path), 0);
}

static void what_was_cut_is_told_in_bytes(void **state)
{
    (void)state;
    assert_cut(ANALYZED SHRINKS DONE, 0, 63);
    assert_cut(ANALYZED SHRINKS DONE "Ready to accept connections\n", 20, 63);
}

static void what_was_not_cut_is_not_told(void **state)
{
    (void)state;
    assert_cut("", 0, 0);
    assert_cut(ANALYZED "INCR AOF a.aof is valid\n", 0, 0);
    assert_cut(ANALYZED SHRINKS "Continue? [y/N]: Aborting...\n", 0, 0);
    assert_int_equal(aof_cut_bytes("/tmp/parley-is-not-there", 0), 0);
}

static void an_earlier_life_s_words_are_not_its_own(void **state)
{
    (void)state;
    assert_cut(SHRINKS DONE "the next life\n", (int64_t)strlen(SHRINKS DONE), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_cut_is_told_in_bytes),
        cmocka_unit_test(what_was_not_cut_is_not_told),
        cmocka_unit_test(an_earlier_life_s_words_are_not_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

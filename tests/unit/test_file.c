/* test_file.c - whole files and folders, in a folder of the test's own. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static char root[] = "/tmp/parley-test-file-XXXXXX";

static int set_up(void **state)
{
    (void)state;
    umask(022);
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    struct err err = {0};

    (void)state;
    return !file_remove_tree(root, &err) || file_exists(root);
}

static void put(const char *name, struct str bytes)
{
    struct err err = {0};
    char *path = path_join(root, name);

    if (!file_write(path, bytes, &err))
        fail_msg("%s", err.msg);
    free(path);
}

/* The file's bytes; the caller frees. */
static char *get(const char *name)
{
    struct err err = {0};
    struct buf text;
    char *path = path_join(root, name);

    buf_init(&text, 1 << 20);
    if (!file_slurp(path, &text, &err))
        fail_msg("%s", err.msg);
    free(path);
    return buf_take(&text);
}

static void expect_text(const char *name, const char *wanted)
{
    char *text = get(name);

    assert_string_equal(text, wanted);
    free(text);
}

static unsigned mode_of(const char *path)
{
    struct stat found;

    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 07777U;
}

static void what_is_written_is_read(void **state)
{
    struct err err = {0};
    struct buf bytes;
    char *path = path_join(root, "bytes");

    (void)state;
    put("bytes", str_make("a\0b\n", 4));
    buf_init(&bytes, 100);
    buf_add_text(&bytes, "before ");
    assert_true(file_slurp(path, &bytes, &err));
    assert_int_equal(bytes.len, 11);
    assert_memory_equal(bytes.at, "before a\0b\n", 11);
    buf_done(&bytes);
    free(path);
}

static void a_file_of_many_pieces_comes_whole(void **state)
{
    enum { BYTES = 300000 };
    char *bytes = x_malloc(BYTES);
    char *again;

    (void)state;
    for (int i = 0; i < BYTES; i++)
        bytes[i] = (char)('a' + i % 23);
    put("large", str_make(bytes, BYTES));
    again = get("large");
    assert_int_equal(strlen(again), BYTES);
    assert_memory_equal(again, bytes, BYTES);
    free(again);
    free(bytes);
}

static void writing_replaces_the_file_and_leaves_nothing_beside_it(void **state)
{
    struct err err = {0};
    char *folder = path_join(root, "alone");
    char *path = path_join(folder, "file");

    (void)state;
    assert_true(file_make_folder(folder, 0755, &err));
    assert_true(file_write(path, str_of("first, and longer"), &err));
    assert_true(file_write(path, str_of("second"), &err));
    assert_true(file_exists(path));
    assert_true(file_exists(folder));
    expect_text("alone/file", "second");
    assert_int_equal(mode_of(path), 0644);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0); /* nothing else was in it */
    free(path);
    free(folder);
}

static void a_file_is_as_private_as_the_umask_asks(void **state)
{
    struct err err = {0};
    char *path = path_join(root, "private");

    (void)state;
    umask(077);
    assert_int_equal(file_mode(), 0600);
    assert_true(file_write(path, str_of("mine"), &err));
    assert_int_equal(mode_of(path), 0600);
    umask(022);
    assert_int_equal(file_mode(), 0644);
    free(path);
}

/* A file that was renamed over a device would be the device from then on. */
static void what_is_no_file_is_written_to_and_stays_what_it_is(void **state)
{
    struct err err = {0};
    struct stat found;
    char *path = path_join(root, "pipe");
    char got[16] = "";
    int reader;

    (void)state;
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_true(file_is_stream(path) && file_is_stream("/dev/null"));
    assert_false(file_is_stream(root) || file_is_stream("/nowhere/at/all"));
    reader = open(path, O_RDONLY | O_NONBLOCK);
    assert_true(reader >= 0);
    assert_true(file_write(path, str_of("through"), &err));
    assert_int_equal(stat(path, &found), 0);
    assert_true(S_ISFIFO(found.st_mode));
    assert_int_equal(read(reader, got, sizeof got - 1), 7);
    assert_string_equal(got, "through");
    assert_int_equal(close(reader), 0);
    free(path);
}

static void a_file_over_the_buffers_maximum_is_refused_by_name(void **state)
{
    struct err err = {0};
    struct buf bytes;
    char *path = path_join(root, "eight");

    (void)state;
    put("eight", str_of("12345678"));
    buf_init(&bytes, 8);
    assert_true(file_slurp(path, &bytes, &err));
    buf_done(&bytes);
    buf_init(&bytes, 7);
    assert_false(file_slurp(path, &bytes, &err));
    assert_int_equal(err.code, ERR_LIMIT);
    assert_non_null(strstr(err.msg, path));
    assert_non_null(strstr(err.msg, "7 bytes"));
    buf_done(&bytes);
    free(path);
}

static void what_cannot_be_read_or_written_is_told(void **state)
{
    static const char *const names[] = {"missing", "missing/deeper", ""};
    struct buf bytes;

    (void)state;
    buf_init(&bytes, 100);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err err = {0};
        char *path = path_join(root, names[i]);

        assert_false(file_slurp(path, &bytes, &err)); /* the last one is a folder */
        assert_int_equal(err.code, ERR_SYSTEM);
        assert_non_null(strstr(err.msg, path));
        free(path);
    }
    buf_done(&bytes);
    {
        struct err err = {0};
        char *path = path_join(root, "missing/file");

        assert_false(file_write(path, str_of("x"), &err));
        assert_int_equal(err.code, ERR_SYSTEM);
        assert_false(file_exists(path));
        free(path);
    }
}

static void a_write_that_fails_keeps_the_old_file(void **state)
{
    struct err err = {0};
    char *folder = path_join(root, "in-the-way");
    char *inside = path_join(folder, "inside");

    (void)state;
    assert_true(file_make_folder(folder, 0755, &err));
    assert_true(file_write(inside, str_of("kept"), &err));
    assert_false(file_write(folder, str_of("x"), &err)); /* a folder stands there */
    expect_text("in-the-way/inside", "kept");
    free(inside);
    free(folder);
}

static void folders_are_made_with_those_above_and_the_mode_asked_for(void **state)
{
    static const char *const names[] = {"new", "a/b/c", "a/b/d/", "a//e", "f/"};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char *path = path_join(root, names[i]);

        errno = 0;
        if (!file_make_folder(path, 0700, &err))
            fail_msg("%s", err.msg);
        assert_int_equal(mode_of(path), 0700);
        assert_true(file_make_folder(path, 0755, &err));
        assert_int_equal(mode_of(path), 0700);
        free(path);
    }
    assert_true(file_make_folder("/", 0755, &err));
}

static void a_folder_that_cannot_be_is_refused(void **state)
{
    static const char *const names[] = {"plain", "plain/below"};

    (void)state;
    put("plain", str_of("no folder"));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct err err = {0};
        char *path = path_join(root, names[i]);

        assert_false(file_make_folder(path, 0755, &err));
        assert_int_equal(err.code, ERR_SYSTEM);
        assert_non_null(strstr(err.msg, path));
        free(path);
    }
    assert_false(file_make_folder("", 0755, NULL));
    expect_text("plain", "no folder");
}

static void removing_a_tree_follows_no_links(void **state)
{
    struct err err = {0};
    char *tree = path_join(root, "tree");
    char *link = path_join(root, "tree/deep/link");
    char *deep = path_join(root, "tree/deep/er");
    char *kept = path_join(root, "kept");

    (void)state;
    assert_true(file_make_folder(deep, 0755, &err));
    assert_true(file_make_folder(kept, 0755, &err));
    put("tree/deep/er/file", str_of("x"));
    put("kept/file", str_of("kept"));
    assert_int_equal(symlink(kept, link), 0);
    assert_true(file_remove_tree(tree, &err));
    assert_false(file_exists(tree));
    expect_text("kept/file", "kept");
    assert_true(file_remove_tree(tree, &err)); /* gone already */
    free(kept);
    free(deep);
    free(link);
    free(tree);
}

static void a_path_has_one_slash_between_folder_and_name(void **state)
{
    static const struct {
        const char *folder, *name, *path;
    } cases[] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"/", "b", "/b"}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = path_join(cases[i].folder, cases[i].name);

        assert_string_equal(path, cases[i].path);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_file_of_many_pieces_comes_whole),
        cmocka_unit_test(writing_replaces_the_file_and_leaves_nothing_beside_it),
        cmocka_unit_test(a_file_is_as_private_as_the_umask_asks),
        cmocka_unit_test(what_is_no_file_is_written_to_and_stays_what_it_is),
        cmocka_unit_test(a_file_over_the_buffers_maximum_is_refused_by_name),
        cmocka_unit_test(what_cannot_be_read_or_written_is_told),
        cmocka_unit_test(a_write_that_fails_keeps_the_old_file),
        cmocka_unit_test(folders_are_made_with_those_above_and_the_mode_asked_for),
        cmocka_unit_test(a_folder_that_cannot_be_is_refused),
        cmocka_unit_test(removing_a_tree_follows_no_links),
        cmocka_unit_test(a_path_has_one_slash_between_folder_and_name),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}

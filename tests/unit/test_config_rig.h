/* test_config_rig.h - what the tests of config_load share: a folder with a config file,
 * an environment without settings, loading, and what is printed. For one test program
 * each.
 */
#ifndef PARLEY_TEST_CONFIG_RIG_H
#define PARLEY_TEST_CONFIG_RIG_H

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/config.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))

extern char **environ;

static char folder[] = "/tmp/parley-test-config-XXXXXX";
static char *path; /* of the config file */
static struct config_loaded loaded;
static struct err err;

static int make_folder(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    path = path_join(folder, "a.json");
    return 0;
}

static int remove_folder(void **state)
{
    (void)state;
    free(path);
    return file_remove_tree(folder, &err) ? 0 : -1;
}

/* The machine's own settings are not ours. */
static int clear_environment(void **state)
{
    (void)state;
    for (size_t i = 0; environ[i] != NULL;) {
        struct str rest;
        struct str name = str_cut(str_of(environ[i]), '=', &rest);
        char *copy = x_memdup(name.at, name.len);
        bool ours = str_starts(name, "PARLEY_") || str_is(name, "OLLAMA_HOST")
                    || str_is(name, "REDIS_URL") || str_starts(name, "OPENAI_");

        if (ours)
            unsetenv(copy);
        else
            i++;
        free(copy);
    }
    return 0;
}

/* Loads `command`'s options from the words up to NULL and, unless NULL, a file of that
 * text. The caller calls config_done. */
static enum config_next load(unsigned command, const char *file,
                             const char *const *words)
{
    const struct config_use use = {command, "parley test", "[--turns N]", "About."};
    char *argv[16] = {NULL};
    char *config = x_printf("--config=%s", path);
    enum config_next next;
    int argc = 0;

    for (; words != NULL && words[argc] != NULL; argc++)
        argv[argc] = (char *)(uintptr_t)words[argc]; /* they are only moved */
    if (file != NULL) {
        assert_true(file_write(path, str_of(file), &err));
        argv[argc++] = config;
    }
    err = (struct err){0};
    next = config_load(&use, argc, argv, &loaded, &err);
    free(config);
    return next;
}

static void expect_go(unsigned command, const char *file, const char *const *words)
{
    if (load(command, file, words) != CONFIG_GO)
        fail_msg("%s", err.msg);
    assert_int_equal(err.code, ERR_NONE);
}

/* What the words and a file of that text make config_load print; the caller frees. */
static char *printed(unsigned command, const char *file, const char *const *words)
{
    char *out_path = path_join(folder, "out");
    int out = open(out_path, O_RDWR | O_CREAT | O_TRUNC, 0600);
    int kept = dup(STDOUT_FILENO);
    enum config_next next;
    struct buf text;

    (void)fflush(stdout); /* what the test framework has written */
    assert_true(out >= 0 && kept >= 0 && dup2(out, STDOUT_FILENO) >= 0);
    next = load(command, file, words);
    (void)fflush(stdout); /* ours, read below */
    assert_true(dup2(kept, STDOUT_FILENO) >= 0);
    close(kept);
    close(out);
    assert_int_equal(next, CONFIG_OVER);
    buf_init(&text, 1 << 20);
    assert_true(file_slurp(out_path, &text, &err));
    free(out_path);
    config_done(&loaded);
    return buf_take(&text);
}

#endif

/* sibling.c - see sibling.h. */
#include "cli/sibling.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PATH_MAX_BYTES = 4096, VALUE_MAX_BYTES = 1 << 16 };

bool sibling_path(const char *name, char **ret_path, struct err *err)
{
    char self[PATH_MAX_BYTES];
    ssize_t len = readlink("/proc/self/exe", self, sizeof self - 1);
    char *slash;

    if (len < 0)
        return err_sys(err, errno, "/proc/self/exe");
    self[len] = '\0';
    slash = strrchr(self, '/');
    if (slash == NULL)
        return err_set(err, ERR_SYSTEM, "cannot tell where this program lies");
    *slash = '\0';
    *ret_path = x_printf("%s/parley-%s", self, name);
    if (access(*ret_path, X_OK) == 0)
        return true;
    err_sys(err, errno, "%s", *ret_path);
    free(*ret_path);
    *ret_path = NULL;
    return false;
}

bool sibling_exec(const char *name, char **argv, struct err *err)
{
    char *path = NULL;

    if (!sibling_path(name, &path, err))
        return false;
    assert(path != NULL);
    (void)execv(path, argv); /* returns only when it failed */
    err_sys(err, errno, "%s", path);
    free(path);
    return false;
}

void word_list_add(struct word_list *list, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    list->words = x_realloc(list->words, (list->count + 2) * sizeof *list->words);
    list->words[list->count++] = x_vprintf(format, args);
    list->words[list->count] = NULL;
    va_end(args);
}

static void add_seated(struct word_list *list, const struct opt_row *row,
                       char *const *names)
{
    for (int seat = 0; seat <= OPT_SEATS; seat++) {
        if (names[seat] == NULL)
            continue;
        if (seat == 0)
            word_list_add(list, "--%s=%s", row->flag, names[seat]);
        else
            word_list_add(list, "--%s=%d=%s", row->flag, seat, names[seat]);
    }
}

/* Not passed on: what the caller sets itself, and what may hold a secret. */
static bool is_own(const char *flag)
{
    static const char *const own[] = {"config",
                                      "log-file",
                                      "redis",
                                      "redis-host",
                                      "redis-port",
                                      "redis-db",
                                      "redis-password-file",
                                      "shard",
                                      "seat",
                                      "name",
                                      "ollama",
                                      "openai",
                                      "out",
                                      "listen",
                                      "provider",
                                      "mode"};

    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        if (strcmp(flag, own[i]) == 0)
            return true;
    return false;
}

void word_list_add_options(struct word_list *list, const struct config_loaded *loaded,
                           unsigned command)
{
    for (size_t i = 0; i < loaded->set.count; i++) {
        const struct opt_row *row = &loaded->set.rows[i];
        struct buf value;

        if ((row->commands & command) == 0 || loaded->set.from[i] == OPT_DEFAULT
            || is_own(row->flag))
            continue;
        if (row->kind == OPT_SEATED) {
            add_seated(list, row, (char *const *)loaded->values.models);
            continue;
        }
        buf_init(&value, VALUE_MAX_BYTES);
        opt_value(&loaded->set, i, &value);
        word_list_add(list, "--%s=%s", row->flag, buf_text(&value));
        buf_done(&value);
    }
}

void word_list_free(struct word_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->words[i]);
    free(list->words);
    *list = (struct word_list){0};
}

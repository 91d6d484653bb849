/* gnuplot.c - see gnuplot.h. */
#include "analyzer/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "base/width.h"

enum {
    TEXT_MAX_BYTES = 4096,
    SAID_MAX_BYTES = 64 * 1024,
    RUN_MAX_MS = 60 * 1000,
    LOOK_EVERY_MS = 5,
    STATUS_NO_PROGRAM = 127
};

void gnuplot_text(struct buf *into, const char *text, unsigned columns)
{
    struct buf safe;
    size_t fitting;

    buf_init(&safe, TEXT_MAX_BYTES);
    (void)utf8_harmless(str_of(text), false, &safe); /* what is too much is cut */
    fitting = width_fit(buf_str(&safe), columns);
    (void)buf_add_char(into, '\'');
    for (size_t i = 0; i < fitting; i++) {
        if (safe.at[i] == '\'')
            (void)buf_add_char(into, '\'');
        (void)buf_add_char(into, safe.at[i]);
    }
    (void)buf_add_text(into, fitting < safe.len ? "…'" : "'");
    buf_done(&safe);
}

bool gnuplot_open(struct gnuplot *ret_gnuplot, struct err *err)
{
    const char *tmp = getenv("TMPDIR");
    char *folder =
        x_printf("%s/parley-plot-XXXXXX", tmp == NULL || *tmp == '\0' ? "/tmp" : tmp);

    if (mkdtemp(folder) == NULL) {
        err_sys(err, errno, "%s", folder);
        free(folder);
        return false;
    }
    ret_gnuplot->folder = folder;
    return true;
}

void gnuplot_close(struct gnuplot *gnuplot)
{
    bool gone;

    if (gnuplot->folder == NULL)
        return;
    gone = file_remove_tree(gnuplot->folder, NULL);
    (void)gone; /* what is left among the temporary files harms nobody */
    free(gnuplot->folder);
    gnuplot->folder = NULL;
}

/* In the child: never returns. */
static void become_gnuplot(const char *folder)
{
    int nothing;
    int said;

    if (chdir(folder) != 0)
        _exit(1);
    nothing = open("/dev/null", O_RDONLY);
    said = open("said", O_WRONLY | O_CREAT | O_TRUNC, 0600);
    if (nothing < 0 || said < 0 || dup2(nothing, STDIN_FILENO) < 0
        || dup2(said, STDOUT_FILENO) < 0 || dup2(said, STDERR_FILENO) < 0)
        _exit(1);
    execlp("gnuplot", "gnuplot", "-d", "script", (char *)NULL);
    _exit(errno == ENOENT ? STATUS_NO_PROGRAM : 1);
}

/* False when its time is over; it is gone then too. */
static bool wait_for(pid_t child, int *ret_status)
{
    const struct timespec pause = {.tv_nsec = LOOK_EVERY_MS * 1000000L};
    int64_t until_ms = clock_mono_ms() + RUN_MAX_MS;
    pid_t ended;

    while ((ended = waitpid(child, ret_status, WNOHANG)) == 0
           && clock_mono_ms() < until_ms)
        (void)nanosleep(&pause, NULL); /* a shorter one only looks earlier */
    if (ended != 0)
        return ended == child;
    (void)kill(child, SIGKILL); /* not reaped yet: it is still ours */
    (void)waitpid(child, ret_status, 0);
    return false;
}

/* What gnuplot wrote, for the error: its first line that says something. */
static bool tell_failure(const struct gnuplot *gnuplot, struct err *err)
{
    char *path = path_join(gnuplot->folder, "said");
    struct buf said;
    struct str rest;
    struct str line;

    buf_init(&said, SAID_MAX_BYTES);
    if (!file_slurp(path, &said, NULL))
        buf_clear(&said); /* then the status alone must do */
    rest = buf_str(&said);
    do
        line = str_trim(str_cut(rest, '\n', &rest));
    while (line.len == 0 && rest.len > 0);
    err_set(err, ERR_SYSTEM, "gnuplot failed: %s",
            line.len == 0 ? "it gave no reason" : log_safe(line));
    buf_done(&said);
    free(path);
    return false;
}

bool gnuplot_run(const struct gnuplot *gnuplot, struct str script, struct err *err)
{
    char *path = path_join(gnuplot->folder, "script");
    bool ok = file_write(path, script, err);
    int status = 0;
    pid_t child;

    free(path);
    if (!ok)
        return false;
    child = fork();
    if (child < 0)
        return err_sys(err, errno, "gnuplot cannot be started");
    if (child == 0)
        become_gnuplot(gnuplot->folder);
    if (!wait_for(child, &status))
        return err_set(err, ERR_TIMEOUT, "gnuplot took more than %d s",
                       RUN_MAX_MS / 1000);
    if (WIFEXITED(status) && WEXITSTATUS(status) == STATUS_NO_PROGRAM)
        return err_set(err, ERR_USAGE,
                       "pictures need gnuplot: install the package gnuplot-nox");
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        return tell_failure(gnuplot, err);
    return true;
}

bool gnuplot_take(const struct gnuplot *gnuplot, const char *name, struct buf *into,
                  struct err *err)
{
    char *path = path_join(gnuplot->folder, name);
    size_t before = into->len;
    bool ok = file_slurp(path, into, err);

    free(path);
    if (ok && into->len == before)
        return tell_failure(gnuplot, err);
    return ok;
}

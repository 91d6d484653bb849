/* child.c - see child.h. */
#include "cli/child.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"

enum { EXEC_FAILED = 127 };

static void end_pipe(struct child *child)
{
    if (child->ready_fd < 0)
        return;
    loop_io_stop(&child->ready_io);
    (void)close(child->ready_fd); /* only read */
    child->ready_fd = -1;
}

static void read_pipe(struct child *child)
{
    char line[16];
    ssize_t got;

    if (child->ready_fd < 0)
        return;
    got = read(child->ready_fd, line, sizeof line);
    if (got < 0)
        return; /* nothing yet */
    if (got > 0)
        child_set_ready(child);
    end_pipe(child);
}

static void on_pipe(struct loop_io *io, int events, void *owner)
{
    (void)io;
    (void)events;
    read_pipe(owner);
}

static void on_again(struct loop_timer *timer, void *owner)
{
    struct child *child = owner;
    struct err err = {0};

    (void)timer;
    if (!child->stays || child_start(child, &err))
        return;
    log_error("run", "%s cannot be started, trying again reason=%s", child->label,
              err.msg);
    loop_timer_start(&child->again, RESTART_MOST_MS);
}

/* A member of the fleet that was told something wrong will be told it again. Status 3
 * is also that of one that cannot reach Redis at its start: only from one that was in
 * service it means that Redis refuses it. */
static bool is_final(const struct child *child)
{
    if (!child->tells_ready || !WIFEXITED(child->status))
        return false;
    return WEXITSTATUS(child->status) == CHILD_EXIT_USAGE
           || (WEXITSTATUS(child->status) == CHILD_EXIT_REDIS && child->ready);
}

static enum child_next consider(struct child *child)
{
    struct children *all = child->all;
    struct restart_death death = {.ready = child->ready, .final = is_final(child)};

    if (!child->stays)
        return CHILD_OVER;
    death.excused = all->excuses(all->owner, child);
    death.turns = all->turns(all->owner);
    restart_died(&child->restart, &death);
    if (restart_hopeless(&child->restart) && !all->never_give_up) {
        child->stays = false;
        return CHILD_GIVEN_UP;
    }
    loop_timer_start(&child->again,
                     restart_wait_ms(&child->restart, rng_unit(&all->rng)));
    return death.excused ? CHILD_EXCUSED : CHILD_AGAIN;
}

static void bury(struct child *child)
{
    enum child_next next;

    read_pipe(child); /* it may have been ready and died before we looked */
    end_pipe(child);
    next = consider(child);
    if (next == CHILD_AGAIN)
        log_warn("run", "%s died (%s), starting it again", child->label,
                 child_fate(child));
    child->all->on_death(child->all->owner, child, next);
}

/* Whether it has died; *ret_status as of waitpid. */
static bool has_died(const struct child *child, int *ret_status)
{
    pid_t pid;

    do
        pid = waitpid(child->pid, ret_status, WNOHANG);
    while (pid < 0 && errno == EINTR);
    return pid == child->pid;
}

static void on_chld(struct loop_signal *watcher, int number, void *owner)
{
    struct children *children = owner;
    int status;

    (void)watcher;
    (void)number;
    for (size_t i = 0; i < children->count; i++) {
        struct child *child = children->list[i];

        if (child->pid > 0 && has_died(child, &status)) {
            child->pid = 0;
            child->status = status;
            bury(child);
        }
    }
}

void children_init(struct children *children, struct loop *loop)
{
    *children = (struct children){.loop = loop};
    rng_init(&children->rng, rng_from_system());
    loop_signal_start(&children->chld, loop, SIGCHLD, on_chld, children);
}

static void child_free(struct child *child)
{
    loop_timer_stop(&child->again);
    end_pipe(child);
    for (char **word = child->argv; *word != NULL; word++)
        free(*word);
    free(child->argv);
    free(child->log_path);
    free(child);
}

void children_done(struct children *children)
{
    loop_signal_stop(&children->chld);
    for (size_t i = 0; i < children->count; i++) {
        struct child *child = children->list[i];

        if (child->pid > 0) {
            (void)kill(child->pid, SIGKILL); /* it may just have died */
            while (waitpid(child->pid, NULL, 0) < 0 && errno == EINTR)
                continue;
        }
        child_free(child);
    }
    children->count = 0;
}

struct child *children_add(struct children *children, const char *label,
                           char **argv_take, const char *log_path)
{
    struct child *child = x_calloc(1, sizeof *child);

    assert(children->count < CHILDREN_MAX);
    child->all = children;
    fmt_into(child->label, sizeof child->label, "%s", label);
    child->argv = argv_take;
    child->log_path = x_strdup(log_path);
    child->stdout_fd = -1;
    child->ready_fd = -1;
    loop_io_init(&child->ready_io, children->loop, on_pipe, child);
    loop_timer_init(&child->again, children->loop, on_again, child);
    children->list[children->count++] = child;
    return child;
}

/* Our handlers end here: one that ran in the child would act on what is the parent's.
 */
static void reset_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD, SIGPIPE};
    sigset_t none;

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        (void)signal(numbers[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Between fork and exec: only what is allowed there; signals are blocked. */
static void become(const struct child *child, int ready, pid_t parent)
{
    int log = open(child->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (!child->shares_terminal)
        (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent || log < 0
        || none < 0)
        _exit(EXEC_FAILED);
    if (!child->shares_terminal)
        (void)dup2(none, STDIN_FILENO);
    if (!child->shares_stdout)
        (void)dup2(child->stdout_fd >= 0 ? child->stdout_fd : log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    if (ready == CHILD_READY_FD)
        (void)fcntl(ready, F_SETFD, 0); /* dup2 would leave it as it is */
    else if (ready >= 0)
        (void)dup2(ready, CHILD_READY_FD);
    reset_signals();
    (void)execv(child->argv[0], child->argv);
    _exit(EXEC_FAILED);
}

static bool open_pipe(struct child *child, int *ret_ready, struct err *err)
{
    int ends[2];

    *ret_ready = -1;
    if (!child->tells_ready)
        return true;
    if (pipe(ends) != 0)
        return err_sys(err, errno, "cannot start %s: pipe", child->label);
    for (int i = 0; i < 2; i++)
        (void)fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[0], F_SETFL, O_NONBLOCK);
    child->ready_fd = ends[0];
    loop_io_watch(&child->ready_io, ends[0], LOOP_READ);
    *ret_ready = ends[1];
    return true;
}

static int64_t file_size(const char *path)
{
    struct stat found;

    return stat(path, &found) == 0 ? found.st_size : 0;
}

bool child_start(struct child *child, struct err *err)
{
    pid_t parent = getpid();
    sigset_t all;
    sigset_t before;
    pid_t pid;
    int ready;
    int fork_errno;

    if (!open_pipe(child, &ready, err))
        return false;
    child->log_from = file_size(child->log_path);
    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    fork_errno = errno;
    if (pid == 0)
        become(child, ready, parent);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (ready >= 0)
        (void)close(ready);
    if (pid < 0) {
        end_pipe(child);
        return err_sys(err, fork_errno, "cannot start %s", child->label);
    }
    child->pid = pid;
    child->ready = false;
    log_debug("run", "started %s pid=%d", child->label, (int)pid);
    return true;
}

void child_end(struct child *child, int signal_number)
{
    child->stays = false;
    child->ended = true;
    loop_timer_stop(&child->again);
    if (child->pid > 0)
        (void)kill(child->pid, signal_number); /* it may just have died */
}

void child_set_ready(struct child *child)
{
    child->ready = true;
}

bool child_runs(const struct child *child)
{
    return child->pid > 0;
}

const char *child_fate(const struct child *child)
{
    static char text[64];

    if (WIFSIGNALED(child->status))
        fmt_into(text, sizeof text, "killed by signal %d", WTERMSIG(child->status));
    else
        fmt_into(text, sizeof text, "exit status %d", WEXITSTATUS(child->status));
    return text;
}

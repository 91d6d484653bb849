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
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"

enum {
    QUICK_MS = 1000, /* a death so soon after the start is a bad sign */
    GIVE_UP = 5,
    FIRST_WAIT_MS = 100,
    EXEC_FAILED = 127
};

static void on_again(struct loop_timer *timer, void *owner)
{
    struct child *child = owner;
    struct err err = {0};

    (void)timer;
    if (child->stays && !child_start(child, &err))
        log_error("run", "%s cannot be started reason=%s", child->label, err.msg);
}

static void consider_restart(struct child *child)
{
    bool quick = clock_mono_ms() - child->started_ms < QUICK_MS;
    bool gave_up = false;

    if (child->stays) {
        child->quick_deaths = quick ? child->quick_deaths + 1 : 0;
        gave_up = child->quick_deaths >= GIVE_UP;
        log_warn("run", "%s died (%s), %s", child->label, child_fate(child),
                 gave_up ? "not started again" : "starting it again");
        if (!gave_up)
            loop_timer_start(&child->again,
                             quick ? FIRST_WAIT_MS << child->quick_deaths : 0);
        child->stays = !gave_up;
    }
    if (child->all->on_death != NULL)
        child->all->on_death(child->all->owner, child, gave_up);
}

static void on_chld(struct loop_signal *watcher, int number, void *owner)
{
    struct children *children = owner;
    int status;

    (void)watcher;
    (void)number;
    for (size_t i = 0; i < children->count; i++) {
        struct child *child = children->list[i];

        if (child->pid > 0 && waitpid(child->pid, &status, WNOHANG) == child->pid) {
            child->pid = 0;
            child->status = status;
            consider_restart(child);
        }
    }
}

void children_init(struct children *children, struct loop *loop)
{
    *children = (struct children){.loop = loop};
    loop_signal_start(&children->chld, loop, SIGCHLD, on_chld, children);
}

static void child_free(struct child *child)
{
    loop_timer_stop(&child->again);
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
static void become(const struct child *child, pid_t parent)
{
    int log = open(child->log_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    int none = open("/dev/null", O_RDONLY | O_CLOEXEC);

    (void)setpgid(0, 0);
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) != 0 || getppid() != parent || log < 0
        || none < 0)
        _exit(EXEC_FAILED);
    (void)dup2(none, STDIN_FILENO);
    if (!child->shares_stdout)
        (void)dup2(child->stdout_fd >= 0 ? child->stdout_fd : log, STDOUT_FILENO);
    (void)dup2(log, STDERR_FILENO);
    reset_signals();
    (void)execv(child->argv[0], child->argv);
    _exit(EXEC_FAILED);
}

bool child_start(struct child *child, struct err *err)
{
    pid_t parent = getpid();
    sigset_t all;
    sigset_t before;
    pid_t pid;
    int fork_errno;

    (void)sigfillset(&all);
    (void)sigprocmask(SIG_SETMASK, &all, &before);
    pid = fork();
    fork_errno = errno;
    if (pid == 0)
        become(child, parent);
    (void)sigprocmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return err_sys(err, fork_errno, "cannot start %s", child->label);
    child->pid = pid;
    child->started_ms = clock_mono_ms();
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

/* run_show.c - see run_show.h. */
#include "cli/run_show.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "cli/run.h"

enum {
    OBSERVED_MAX = 1000,
    OBSERVER_MS = 2000, /* a plain one ends by itself when the conversations have */
    FORCED_MS = 500,
    PATIENT = 1,       /* interrupts that a wait bears: the second means at once */
    UNFIT_STATUS = 69, /* observer/tui.h: no full screen on this terminal */
    NOTES_PIECE = 1024
};

/* ---- the terminal ---- */

/* Whether a full screen is worth trying; the observer knows more of terminals. */
static bool may_be_full(const struct run *run)
{
    const char *mode = run->config->observe;
    const char *term = getenv("TERM");

    if (run->show.plain || (strcmp(mode, "auto") != 0 && strcmp(mode, "tui") != 0))
        return false;
    return isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1 && term != NULL
           && term[0] != '\0' && strcmp(term, "dumb") != 0
           && tcgetpgrp(STDIN_FILENO) == getpgrp();
}

/* Our words would fall between the observer's. A stderr that leads elsewhere stays. */
static bool divert(struct run *run, struct err *err)
{
    char *path = folder_log(&run->folder, "notes.log");
    char value[4096];
    int notes = open(path, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    bool ok = notes >= 0 || err_sys(err, errno, "%s", path);

    run->show.stderr_before = -1;
    if (ok
        && snprintf(value, sizeof value, "%d:%s", (int)getpid(), path)
               >= (int)sizeof value)
        ok = err_set(err, ERR_LIMIT, "the name of the run's folder is too long");
    ok = ok
         && (setenv("PARLEY_RUN_NOTES", value, 1) == 0
             || err_sys(err, errno, "the environment"));
    if (ok && isatty(STDERR_FILENO) == 1) {
        run->show.stderr_before = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
        ok = run->show.stderr_before >= 0 && dup2(notes, STDERR_FILENO) >= 0;
        if (!ok)
            err_sys(err, errno, "standard error");
    }
    if (notes >= 0)
        (void)close(notes); /* nothing was written through it */
    free(path);
    return ok;
}

/* What was said meanwhile is said now. */
static void bring_back(struct run *run)
{
    char *path = folder_log(&run->folder, "notes.log");
    int notes = open(path, O_RDONLY | O_CLOEXEC);
    char bytes[NOTES_PIECE];
    ssize_t count;

    (void)unsetenv("PARLEY_RUN_NOTES"); /* fails for a bad name only */
    (void)fflush(stderr);
    if (run->show.stderr_before >= 0) {
        (void)dup2(run->show.stderr_before, STDERR_FILENO); /* both are open */
        (void)close(run->show.stderr_before);
        while (notes >= 0 && (count = read(notes, bytes, sizeof bytes)) > 0)
            (void)fwrite(bytes, 1, (size_t)count, stderr); /* as any word on stderr */
    }
    run->show.stderr_before = -1;
    if (notes >= 0)
        (void)close(notes); /* only read */
    free(path);
}

/* One that was killed could not give the terminal back. DEC private modes 1000, 1006,
 * 7, 25, 1049, 2004 and 2026, keypad: what the observer may have set. */
static void mend_terminal(const struct run *run)
{
    static const char leave[] = "\033[?2026l\033[0m\033[?2004l\033[?1006l\033[?1000l"
                                "\033[?7h\033[?25h\033[?1l\033>\033[?1049l";

    (void)tcsetattr(STDIN_FILENO, TCSANOW, &run->show.before);
    if (write(STDOUT_FILENO, leave, sizeof leave - 1) < 0)
        log_debug("run", "the terminal is gone");
}

/* ---- the observer ---- */

static bool start(struct run *run, const char *mode, struct err *err)
{
    struct word_list words = {0};
    bool few = run->config->conversations <= OBSERVED_MAX;

    word_list_add(&words, "program");
    word_list_add(&words, "--shard=%s", run->shard);
    word_list_add(&words, "--mode=%s", mode);
    word_list_add(&words, "--wait");
    if (run->config->redis_password_file != NULL)
        word_list_add(&words, "--redis-password-file=%s",
                      run->config->redis_password_file);
    word_list_add_options(&words, run->loaded, FOR_OBSERVE);
    /* So many do not fit a command line: it shows the whole shard then. */
    for (int64_t i = 0; few && i < run->config->conversations; i++)
        word_list_add(&words, "%s", run->ids[i]);
    run->observer = run_add_program(run, "observer", "observer", &words, err);
    if (run->observer == NULL)
        return false;
    run->observer->shares_stdout = true;
    run->observer->shares_terminal = run->show.full;
    return child_start(run->observer, err);
}

static bool start_full(struct run *run, struct err *err)
{
    if (tcgetattr(STDIN_FILENO, &run->show.before) != 0)
        return err_sys(err, errno, "the terminal");
    run->show.full = true;
    if (divert(run, err) && start(run, "tui", err))
        return true;
    run->show.full = false;
    bring_back(run);
    return false;
}

bool run_show_start(struct run *run, struct err *err)
{
    const char *mode = run->config->observe;

    if (strcmp(mode, "none") == 0)
        return true;
    if (may_be_full(run))
        return start_full(run, err);
    return start(run, strcmp(mode, "json") == 0 ? mode : "plain", err);
}

bool run_show_died(struct run *run)
{
    int status = run->observer->status;
    struct err err = {0};

    if (!run->show.full)
        return false;
    run->show.full = false;
    if (WIFSIGNALED(status))
        mend_terminal(run);
    bring_back(run);
    if (run->observer->ended || !WIFEXITED(status)
        || WEXITSTATUS(status) != UNFIT_STATUS)
        return false;
    run->show.plain = true;
    if (run_show_start(run, &err))
        return true;
    log_error("run", "%s", err.msg);
    return false;
}

static bool observer_over(const struct run *run)
{
    return run->observer == NULL || !child_runs(run->observer);
}

void run_show_end(struct run *run)
{
    bool natural = record_all_done(&run->record) && run->record.count > 0;
    bool stays = natural && run->interrupts == 0 && run->show.full;

    if (observer_over(run))
        return;
    if (stays) { /* until the user leaves, or the next interrupt */
        (void)kill(run->observer->pid, SIGUSR1); /* it may just have died */
        (void)run_until(run, observer_over, 0, run->interrupts);
    } else if (natural && run->interrupts <= PATIENT && !run->show.full) {
        (void)run_until(run, observer_over, OBSERVER_MS, PATIENT);
    }
    if (!observer_over(run))
        child_end(run->observer, SIGTERM);
    if (!run_until(run, observer_over, FORCED_MS, RUN_UNDISTURBED))
        child_end(run->observer, SIGKILL);
    (void)run_until(run, observer_over, FORCED_MS,
                    RUN_UNDISTURBED); /* SIGKILL cannot be missed */
}

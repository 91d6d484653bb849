/* child.h - the processes a run starts: begun, restarted when they die, ended.
 *
 * Each has a process group of its own (a Ctrl-C at the terminal is ours alone) and gets
 * SIGTERM when we die. One that is to stay is restarted at once; when it died within a
 * second of its start, after a growing wait; after GIVE_UP such deaths, not any more.
 */
#ifndef PARLEY_CHILD_H
#define PARLEY_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "net/loop.h"

enum { CHILDREN_MAX = 300, CHILD_LABEL_SIZE = 48 };

struct children;
struct child {
    struct children *all;
    char label[CHILD_LABEL_SIZE]; /* "worker 2-1" */
    char **argv;                  /* owned, NULL at the end; argv[0] is a path */
    char *log_path;               /* owned: its stderr, and its stdout unless shared */
    bool shares_stdout;           /* it writes to our stdout */
    int stdout_fd;                /* else: a pipe's end for its stdout, or -1 */
    bool stays;                   /* is restarted when it dies */
    bool ended;                   /* child_end was called: its death is no news */
    pid_t pid;                    /* 0: does not run */
    int status;                   /* of waitpid, once it has run and ended */
    int64_t started_ms;
    int quick_deaths; /* in a row */
    struct loop_timer again;
};
struct children {
    struct loop *loop;
    struct loop_signal chld;
    struct child *list[CHILDREN_MAX];
    size_t count;
    /* Called after each death that was noticed; gave_up: a child that was to stay will
     * not be started again. */
    void (*on_death)(void *owner, struct child *child, bool gave_up);
    void *owner;
};
void children_init(struct children *children, struct loop *loop);
/* Ends what still runs (SIGKILL), frees. */
void children_done(struct children *children);
/* argv_take, owned by it from now on; log_path is copied. */
struct child *children_add(struct children *children, const char *label,
                           char **argv_take, const char *log_path);
MUST_USE bool child_start(struct child *child, struct err *err);
/* Not wanted any more: not restarted, and told so with the signal. */
void child_end(struct child *child, int signal_number);
bool child_runs(const struct child *child);
/* "exit status 3", "killed by signal 9"; static text. */
const char *child_fate(const struct child *child);

#endif

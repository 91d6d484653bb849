/* child.h - the processes a run starts: begun, restarted when they die, ended.
 *
 * Each has a process group of its own (a Ctrl-C at the terminal is ours alone; but the
 * full screen, which has the terminal) and gets SIGTERM when we die. What follows the
 * death of one that is to stay, restart.h says. A member of the fleet tells by a pipe
 * that it is in service (PARLEY_READY_FD), of others somebody else must know
 * (child_set_ready).
 */
#ifndef PARLEY_CHILD_H
#define PARLEY_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/rng.h"
#include "cli/restart.h"
#include "net/loop.h"

enum {
    CHILDREN_MAX = 300,
    CHILD_LABEL_SIZE = 48,
    CHILD_EXIT_USAGE = 2, /* as err_exit_status */
    CHILD_EXIT_REDIS = 3
};

struct children;
struct child {
    struct children *all;
    char label[CHILD_LABEL_SIZE]; /* "worker 2-1" */
    char **argv;                  /* owned, NULL at the end; argv[0] is a path */
    char *log_path;               /* owned: its stderr, and its stdout unless shared */
    bool shares_stdout;           /* it writes to our stdout */
    bool shares_terminal;         /* it has our process group and our stdin */
    int stdout_fd;                /* else: a pipe's end for its stdout, or -1 */
    bool stays;                   /* is restarted when it dies */
    bool ended;                   /* child_end was called: its death is no news */
    pid_t pid;                    /* 0: does not run */
    int status;                   /* of waitpid, once it has run and ended */
    bool tells_ready;             /* it gets a pipe to say so */
    bool ready;                   /* in this life */
    int ready_fd;                 /* our end of that pipe, or -1 */
    struct loop_io ready_io;
    int64_t log_from; /* where this life begins in its log */
    struct restart restart;
    struct loop_timer again;
};
/* What follows a death that was noticed. */
enum child_next {
    CHILD_AGAIN,   /* it is started again */
    CHILD_EXCUSED, /* so it is, and what ails it is known: restart.h */
    CHILD_GIVEN_UP,
    CHILD_OVER /* it was not to stay, or was ended */
};
struct children {
    struct loop *loop;
    struct loop_signal chld;
    struct child *list[CHILDREN_MAX];
    size_t count;
    struct rng rng;     /* for the jitter of waits */
    bool never_give_up; /* --no-give-up */
    /* Called after each death that was noticed. */
    void (*on_death)(void *owner, struct child *child, enum child_next next);
    /* Turns committed by now; and whether this death has a cause that may pass. Both
     * are asked about children that are to stay. */
    int64_t (*turns)(void *owner);
    bool (*excuses)(void *owner, const struct child *child);
    void *owner;
};
enum { CHILD_READY_FD = 3 }; /* where a child finds the pipe */
/* The callbacks are the caller's to set; all must be there before the first start. */
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
void child_set_ready(struct child *child);
/* "exit status 3", "killed by signal 9"; static text. */
const char *child_fate(const struct child *child);

#endif

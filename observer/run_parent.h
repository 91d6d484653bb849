/* run_parent.h - `parley run`, when it is our parent and shares the terminal with us.
 *
 * It says so by PARLEY_RUN_NOTES: "<its pid>:<a file>". What it would print to standard
 * error goes to that file meanwhile, a line each, and is shown here as notices. It
 * sends SIGUSR1 when all conversations have ended, SIGTERM when we are to end; Ctrl-C
 * is passed on to it as SIGINT, the terminal being ours.
 */
#ifndef PARLEY_RUN_PARENT_H
#define PARLEY_RUN_PARENT_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/buf.h"
#include "net/loop.h"

struct run_parent {
    pid_t pid; /* 0: none */
    int notes; /* the file, or -1 */
    bool watched;
    struct buf line;
    struct loop_timer look;
    struct loop_signal ended;
    void (*on_note)(void *owner, const char *line);
    void (*on_ended)(void *owner);
    void *owner;
};

bool run_parent_there(void);
/* True when there is one. Handlers and owner are set by the caller afterwards. */
bool run_parent_find(struct run_parent *parent);
void run_parent_watch(struct run_parent *parent, struct loop *loop);
void run_parent_interrupt(const struct run_parent *parent);
void run_parent_done(struct run_parent *parent);

#endif

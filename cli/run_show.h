/* run_show.h - the observer of a run: started, given the terminal, ended.
 *
 * In full screen the observer shares the terminal with us: our process group, our
 * standard input. What we have to say meanwhile goes to logs/notes.log, where the
 * observer reads it to show it in its bar (PARLEY_RUN_NOTES, observer/run_parent.h),
 * and to the terminal once it is ours again. Where the observer finds that the terminal
 * cannot do it, it is started again as plain text.
 *
 * Flow: run_show_start -> (run_show_died) -> run_show_end
 */
#ifndef PARLEY_RUN_SHOW_H
#define PARLEY_RUN_SHOW_H

#include <stdbool.h>
#include <termios.h>

#include "base/err.h"

struct run;

struct run_show {
    bool full;             /* the observer has the terminal */
    bool plain;            /* full screen was found to be impossible */
    int stderr_before;     /* while full: where stderr led to; -1: not diverted */
    struct termios before; /* while full: the terminal's modes */
};

MUST_USE bool run_show_start(struct run *run, struct err *err);
/* The observer ended, by itself or not: the terminal is ours again. True when another
 * was started in its place. */
bool run_show_died(struct run *run);
/* The conversations are over, or are to be: lets the observer end. One in full screen
 * that was used stays as long as the user wants to look. */
void run_show_end(struct run *run);

#endif

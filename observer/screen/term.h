/* term.h - the terminal: its modes, its keys, its size; and that it is given back as it
 * was, whatever happens.
 *
 * Terminfo (by ncursesw) says how to reach the alternate screen, how many colours there
 * are and what its keys send; drawing is frame.h's. Only terminals that place the
 * cursor by ECMA-48's CUP are used: all in use do.
 *
 * Given back: by term_close, before a stop (Ctrl-Z), at exit(), and by a handler when
 * the process dies of SIGSEGV, SIGABRT, SIGBUS, SIGFPE or SIGILL.
 *
 * Flow: term_unfit -> term_open -> on_key... -> (term_suspend -> on_shown) ->
 * term_close
 */
#ifndef PARLEY_TERM_H
#define PARLEY_TERM_H

#include <stdbool.h>

#include "base/err.h"

struct loop;
struct terminal; /* opaque: the body is in term.c; at most one at a time */

enum { TERM_ROWS_MAX = 500, TERM_COLS_MAX = 1000 };

struct term_options {
    struct loop *loop;
    bool mouse; /* clicks and the wheel are wanted: they cannot select text then */
    void (*on_key)(void *owner, int key);   /* of keymap.h */
    void (*on_paste)(void *owner, int key); /* the same, of what is pasted */
    void (*on_click)(void *owner, unsigned row, unsigned col);
    void (*on_wheel)(void *owner, bool up);
    /* It has another size, or shows something else than we left: draw all of it. */
    void (*on_shown)(void *owner);
    void (*on_gone)(void *owner); /* no keys will come any more */
    void *owner;
};

/* Why standard input and output are no terminal for a full screen, as in "no full
 * screen: %s"; NULL: they are. Static text. */
const char *term_unfit(void);
/* Colours of the terminal, after term_unfit() == NULL; 0: none. */
int term_colours(void);
/* The encoding is UTF-8, as the variables LC_ALL, LC_CTYPE and LANG say it: the locale
 * itself need not be installed. */
bool term_speaks_utf8(void);

/* Takes the terminal. The caller owns it (term_close). */
MUST_USE bool term_open(const struct term_options *options, struct terminal **ret_term,
                        struct err *err);
/* Gives it back. What was to be written must have been; NULL is fine. */
void term_close(struct terminal *term);
/* Rows and columns now; never 0, at most the maxima. */
void term_size(unsigned *ret_rows, unsigned *ret_cols);
/* As if the terminal had sent SIGTSTP: gives it back and stops all of the process
 * group; then takes it again and calls on_shown. */
void term_suspend(struct terminal *term);

#endif

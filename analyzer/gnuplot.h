/* gnuplot.h - runs gnuplot on a script and takes the pictures that it made.
 *
 * The script stands in a folder of its own, made and removed here, and names its
 * outputs without a path. gnuplot gets no input, reads no start-up file, and has a
 * limited time. Texts from outside go into a script by gnuplot_text alone.
 *
 * Flow: gnuplot_open -> gnuplot_run -> gnuplot_take* -> gnuplot_close
 */
#ifndef PARLEY_GNUPLOT_H
#define PARLEY_GNUPLOT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct gnuplot {
    char *folder; /* owned */
};

/* Adds a text as gnuplot's quoted constant. In single quotes neither backslashes,
 * backquotes nor macros mean anything and a quote is doubled (gnuplot 5.4, "Quotes");
 * the text is made harmless first and is cut at so many columns. The script must say
 * `noenhanced` for its terminals. */
void gnuplot_text(struct buf *into, const char *text, unsigned columns);

/* *ret_gnuplot is the caller's (gnuplot_close). */
MUST_USE bool gnuplot_open(struct gnuplot *ret_gnuplot, struct err *err);
void gnuplot_close(struct gnuplot *gnuplot);
/* ERR_USAGE, naming the package, when there is no gnuplot; ERR_TIMEOUT; ERR_SYSTEM with
 * what gnuplot said. */
MUST_USE bool gnuplot_run(const struct gnuplot *gnuplot, struct str script,
                          struct err *err);
/* Adds the bytes of an output; an empty one is an error. */
MUST_USE bool gnuplot_take(const struct gnuplot *gnuplot, const char *name,
                           struct buf *into, struct err *err);

#endif

/* wrap.h - breaks a text that comes in pieces into lines, at words.
 *
 * The text must have been made harmless (base/utf8.h): nothing is escaped here. A word
 * is held back until what comes behind it shows that it is whole, so that no word that
 * was already shown ever moves. Between wide characters (Chinese, Japanese, emoji) a
 * line may break anywhere but before closing punctuation.
 *
 * With width 0 nothing is wrapped: all blanks and line ends become single spaces.
 */
#ifndef PARLEY_WRAP_H
#define PARLEY_WRAP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"
#include "base/width.h"

struct wrap {
    unsigned width;  /* columns of a line; 0: one line */
    unsigned indent; /* columns before each further line; below width */
    unsigned column; /* where the cursor stands */
    bool started;    /* something was written: blanks before it are dropped */
    bool blank;      /* a blank is due before the next word */
    unsigned lines;  /* line ends are due: 1, or 2 for an empty line between */
    struct buf word; /* held back */
    unsigned word_columns;
    struct width_cluster cluster; /* its last visible character */
};

/* `column`: where the cursor stands now. An indent that leaves less than half of the
 * width is cut to 2. */
void wrap_init(struct wrap *wrap, unsigned width, unsigned indent, unsigned column);
void wrap_done(struct wrap *wrap);
/* False when `into` is full. */
bool wrap_feed(struct wrap *wrap, struct str text, struct buf *into);
/* Writes the word held back; blanks and line ends at the end are dropped. */
bool wrap_end(struct wrap *wrap, struct buf *into);

#endif

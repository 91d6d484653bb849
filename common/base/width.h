/* width.h - how many terminal columns a text takes.
 *
 * wcwidth() looks at one code point at a time and follows the locale; here characters
 * are joined to what a reader sees as one (naively: base, marks, joiners) and a joined
 * one never counts more than two columns. Terminals disagree about rare emoji: a caller
 * must stay readable when a line turns out two columns wider than said.
 */
#ifndef PARLEY_WIDTH_H
#define PARLEY_WIDTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

/* One visible character in the making; starts as {0}. */
struct width_cluster {
    uint32_t last;    /* the code point that came last; 0: none yet */
    unsigned columns; /* so far: 0 to 2 */
    bool picture;     /* a symbol or emoji, and marks and joiners behind it so far */
    bool paired;      /* two regional indicators: a flag, the next one starts anew */
};

/* Columns of a code point that stands alone: 0 for marks and joiners, 2 for East Asian
 * wide ones and emoji, else 1. */
unsigned width_point(uint32_t point);
/* True when `point` belongs to the visible character before it, whose columns are then
 * brought up to date; else *cluster begins anew with `point`. */
bool width_join(struct width_cluster *cluster, uint32_t point);
/* The first visible character of well-formed text: its length in bytes, 0 at the end.
 */
size_t width_next(struct str text, unsigned *ret_columns);
unsigned width_text(struct str text);
/* How many bytes of `text` fit into so many columns, visible characters kept whole. */
size_t width_fit(struct str text, unsigned columns);

#endif

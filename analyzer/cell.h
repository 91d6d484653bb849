/* cell.h - text in columns of a terminal: widths, padding, cutting, short numbers.
 *
 * Names came from a model: control bytes and their like are shown as <U+XXXX>, never
 * written. Widths follow Unicode's East Asian Width in broad ranges; a terminal with
 * other ideas shifts one row by a column and nothing more.
 */
#ifndef PARLEY_CELL_H
#define PARLEY_CELL_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Columns that well-formed, harmless text takes. */
size_t cell_width(struct str text);
/* The text made harmless, cut to `width` columns (then it ends in "…"), padded with
 * blanks to exactly `width`. NULL is "-". */
void cell_text(struct buf *into, const char *text, size_t width);
/* A number at the right end of `width` columns: at most 6 letters, "-" for NAN:
 * 0.041, 57.24, 812.4, 123456, 1234k, 12M. */
void cell_number(struct buf *into, double value, size_t width);
/* A count in full, "-" for -1. */
void cell_count(struct buf *into, int64_t value, size_t width);
/* How many digits behind the point a number of few letters has. */
int cell_decimals(double value);
/* A header over a number column. */
void cell_right(struct buf *into, const char *text, size_t width);

#endif

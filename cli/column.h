/* column.h - a text from outside as a cell of a table. */
#ifndef PARLEY_COLUMN_H
#define PARLEY_COLUMN_H

#include "base/buf.h"
#include "base/str.h"

/* Adds the text, made harmless, cut or padded to `width` characters (each counted as
 * one column), and a blank. An empty one is "-". */
void column_add(struct buf *out, struct str text, int width);

#endif

/* column.h - texts from outside as cells of a table, and how wide its columns may be.
 *
 * Widths are columns of a terminal: base/width.h.
 */
#ifndef PARLEY_COLUMN_H
#define PARLEY_COLUMN_H

#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

/* Columns of a terminal that nobody has made wider, and of one that was. */
enum { COLUMNS_USUAL = 80, COLUMNS_WIDE = 120 };

/* Adds the text, made harmless, cut (with an ellipsis at its end) or padded to `width`
 * columns, and a blank. An empty one is "-". */
void column_add(struct buf *out, struct str text, int width);
/* Ends the line, without the blanks its last cell was padded with. */
void column_end(struct buf *out);
/* How wide the text is as a cell. */
int column_width(struct str text);
/* Takes from the widest ones until they are `total` together; none gets below 4. */
void column_fit(int *widths, size_t count, int total);

#endif

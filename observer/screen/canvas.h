/* canvas.h - a grid of visible characters that screens draw into.
 *
 * Pure memory: no terminal. Each frame a screen draws all of its area; what in it is
 * another than on the terminal is found out afterwards (frame.h). Rows and columns
 * count from 0. Everything is clipped: what lies outside is not drawn, a wide character
 * that does not fit leaves a blank, and drawing over half of one blanks the other half.
 *
 * Texts may come from anywhere: each passes text_clean inside. An ASCII canvas
 * (--ascii, or a locale that is not UTF-8) shows "?" for other characters, and plain
 * signs instead of lines and blocks.
 */
#ifndef PARLEY_CANVAS_H
#define PARLEY_CANVAS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "pen.h"

struct buf;
struct canvas; /* opaque: the body is in canvas_cell.h, for canvas.c and frame.c */

struct area {
    unsigned row, col, rows, cols;
};

/* The caller owns it (canvas_free). Blank, in PEN_TEXT. */
struct canvas *canvas_new(unsigned rows, unsigned cols, bool ascii);
void canvas_free(struct canvas *canvas); /* NULL is fine */
/* Another size, blank. */
void canvas_resize(struct canvas *canvas, unsigned rows, unsigned cols);
void canvas_clear(struct canvas *canvas);
struct area canvas_area(const struct canvas *canvas); /* the whole of it */
bool canvas_is_ascii(const struct canvas *canvas);

/* One line of text, at most `cols` columns; clips. Returns the columns used. */
unsigned canvas_put(struct canvas *canvas, unsigned row, unsigned col, unsigned cols,
                    enum pen pen, struct str text);
/* The same, and where it clips it ends in an ellipsis. */
unsigned canvas_put_cut(struct canvas *canvas, unsigned row, unsigned col,
                        unsigned cols, enum pen pen, struct str text);
/* The same at the right end of the `cols` columns: numbers. Cut at its end. */
unsigned canvas_put_right(struct canvas *canvas, unsigned row, unsigned col,
                          unsigned cols, enum pen pen, struct str text);
void canvas_fill(struct canvas *canvas, struct area area, enum pen pen); /* blanks */
/* A rule: horizontal in an area of one row, else vertical in its first column. */
void canvas_line(struct canvas *canvas, struct area area, enum pen pen);
/* Of the area's first row, from the left: how full something is; share in [0, 1], NAN
 * is drawn as "-". */
void canvas_bar(struct canvas *canvas, struct area area, enum pen pen, double share);
/* A sparkline in the area's first row: the last area.cols values, the last one at the
 * right; from 0 to `top`. NAN leaves a blank. */
void canvas_spark(struct canvas *canvas, struct area area, enum pen pen,
                  const double *values, size_t count, double top);
/* Highlights what is or will be drawn there in this frame: the selected row. */
void canvas_select(struct canvas *canvas, struct area area);
/* Shows the terminal's cursor there, for typing; canvas_clear takes it away. */
void canvas_cursor(struct canvas *canvas, unsigned row, unsigned col);

/* The text of it, each row a line without blanks at its end. */
void canvas_dump(const struct canvas *canvas, struct buf *into);

#endif

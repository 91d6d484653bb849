/* canvas_cell.h - the inside of canvas.h, for canvas.c and frame.c only. */
#ifndef PARLEY_CANVAS_CELL_H
#define PARLEY_CANVAS_CELL_H

#include <stdbool.h>

#include "base/buf.h"
#include "canvas.h"

/* Longer clusters lose their last marks. The longest emoji that Unicode recommends has
 * 35 bytes. */
enum { CELL_MAX_BYTES = 44 };

struct cell {
    char bytes[CELL_MAX_BYTES];
    unsigned char len;     /* 0: the right half of the wide one before it */
    unsigned char columns; /* 1 or 2; 0 as len */
    unsigned char pen;     /* enum pen */
    bool selected;
};

struct canvas {
    unsigned rows, cols;
    struct cell *cells; /* rows * cols, owned */
    struct buf clean;   /* the text being put */
    unsigned cursor_row, cursor_col;
    bool cursor; /* it is to be seen */
    bool ascii;
};

#endif

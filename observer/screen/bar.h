/* bar.h - the bottom line: what the keys do, what was just told, where one stands. */
#ifndef PARLEY_BAR_H
#define PARLEY_BAR_H

#include <stdint.h>

#include "canvas.h"

enum { BAR_NOTICE_BYTES = 256 };

struct bar {
    unsigned where;                /* the keys that hold: as keymap_find */
    enum pen pen;                  /* of the notice */
    char notice[BAR_NOTICE_BYTES]; /* "": none */
    const char *status;            /* at the right, any text; NULL: none */
    const char *more;              /* behind it; NULL: none */
};

/* In one row. A notice takes the place of the keys; where room is scarce keys go first,
 * from the end. */
void bar_draw(const struct bar *bar, struct canvas *canvas, struct area area);

#endif

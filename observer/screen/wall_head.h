/* wall_head.h - what stands above the wall's rows: how many conversations in which
 * state, what they do a second, the lanes, Redis, and how the rows are chosen.
 */
#ifndef PARLEY_WALL_HEAD_H
#define PARLEY_WALL_HEAD_H

#include <stdint.h>

#include "observer/screen/canvas.h"

struct wall;

/* How many rows of a screen of so many it takes: the fewer there are, the fewer. */
unsigned wall_head_rows(unsigned rows);
/* In the first wall_head_rows(area.rows) rows of the area. */
void wall_head_draw(struct wall *wall, struct canvas *canvas, struct area area,
                    int64_t now_us);

#endif

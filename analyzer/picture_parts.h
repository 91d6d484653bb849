/* picture_parts.h - what pictures.c puts together: the data and the drawing of each
 * picture, as pieces of gnuplot's scripts.
 *
 * Data stands in gnuplot's named blocks and is written once; a drawing reads them and
 * may be repeated for another format. Numbers and fixed words alone, but for the labels
 * of the timeline (gnuplot_text).
 */
#ifndef PARLEY_PICTURE_PARTS_H
#define PARLEY_PICTURE_PARTS_H

#include <stdbool.h>

#include "base/buf.h"

struct report;

/* Adds data and drawing; false when there is nothing to draw. */
typedef bool picture_part(const struct report *report, struct buf *data,
                          struct buf *drawing);

picture_part picture_timeline;
picture_part picture_over_time;
picture_part picture_turn_index;
picture_part picture_distribution;
picture_part picture_throughput;

/* Rows that the timeline has. */
unsigned picture_timeline_rows(const struct report *report);

#endif

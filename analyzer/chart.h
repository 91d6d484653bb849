/* chart.h - small charts made of text: bars and sparklines, in blocks or in ASCII.
 *
 * Values that are unknown (NAN) leave a gap, they are never drawn as 0.
 */
#ifndef PARLEY_CHART_H
#define PARLEY_CHART_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* Exactly `width` columns: a bar as long as value is of max (its end in eighths of a
 * column, in ASCII whole ones), then blanks. A value above 0 is at least a sliver;
 * blanks alone for NAN or a max of 0. */
void chart_bar(struct buf *into, double value, double max, size_t width, bool ascii);
/* Exactly `width` columns, each a level between 0 and the greatest value. More values
 * than columns: each column shows the mean of the known ones it stands for; fewer: each
 * value takes several columns, as even as can be. Returns the greatest that was drawn,
 * NAN when no value is known. */
double chart_spark(struct buf *into, const double *values, size_t count, size_t width,
                   bool ascii);

#endif

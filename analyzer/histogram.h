/* histogram.h - how the values of a metric are distributed: bins of one round width and
 * an open one for the slowest. Pure.
 */
#ifndef PARLEY_HISTOGRAM_H
#define PARLEY_HISTOGRAM_H

#include <stddef.h>
#include <stdint.h>

struct spread;

enum { HISTOGRAM_BINS_MAX = 40 };

/* Values in (from, to]; the first bin holds `from` itself too. */
struct bin {
    double from;
    double to; /* of the last bin the greatest value, where that is beyond its width */
    int64_t count;
};

/* At most about `wanted` bins (2 to HISTOGRAM_BINS_MAX - 2; fewer of few values), their
 * width 1, 2 or 5 times a power of ten, from the least value to the 99th percentile;
 * one more for what is beyond. Returns how many there are: 0 without values or without
 * memory of them. */
size_t histogram_make(struct spread *spread, size_t wanted,
                      struct bin ret_bins[HISTOGRAM_BINS_MAX]);

#endif

/* stats.h - what a list of measured values says: mean, range, percentiles. Pure.
 *
 * Count, sum, least and greatest are kept exactly while values arrive; percentiles need
 * all values at once and are worked out at the end from a copy in single precision
 * (7 digits), which halves the memory of a long log.
 *
 * A percentile is linearly interpolated between the two nearest ranks: for n sorted
 * values x[0..n-1] it stands at rank p / 100 * (n - 1). That is the default of numpy
 * and "type 7" of Hyndman and Fan, Sample Quantiles in Statistical Packages (1996).
 */
#ifndef PARLEY_STATS_H
#define PARLEY_STATS_H

#include <stddef.h>
#include <stdint.h>

/* Starts as {0}. With a count of 0 all other members are without meaning. */
struct stats {
    uint64_t count;
    double sum;
    double min;
    double max;
    double p50; /* set by stats_finish, as the two below */
    double p95;
    double p99;
};

/* Takes one value into count, sum, min and max. It must be finite. */
void stats_add(struct stats *stats, double value);
/* Works out the percentiles from the same values that were added; `values` is put into
 * another order. An empty list changes nothing. */
void stats_finish(struct stats *stats, float *values, size_t count);
/* NAN when nothing was added. */
double stats_mean(const struct stats *stats);

/* Of values in rising order; count >= 1, percent in [0, 100]. */
double stats_percentile(const float *sorted, size_t count, double percent);

#endif

/* spread.h - the values of one metric in one group: mean, deviation, range and
 * percentiles, in bounded memory however many values come.
 *
 * Up to ration.exact_max values percentiles are exact: linearly interpolated between
 * the two nearest ranks, p / 100 * (n - 1), as numpy does ("type 7" of Hyndman and Fan,
 * Sample Quantiles in Statistical Packages, 1996), from values in single precision (7
 * digits). Beyond, the values are counted in buckets whose limits grow by 1 % each, and
 * a percentile is off by at most SPREAD_ERROR of its value: the sketch of Masson, Rim
 * and Lee, DDSketch, VLDB 2019. Mean, deviation, least and greatest stay exact.
 */
#ifndef PARLEY_SPREAD_H
#define PARLEY_SPREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPREAD_ERROR 0.005 /* of a percentile in an approximate spread */

/* What spreads share: memory for percentiles. It may be shared by many. */
struct ration {
    size_t left_bytes;
    size_t exact_max; /* values of one spread kept as they are */
};

struct sketch;

/* Starts as {0}. With a count of 0 min and max are without meaning. */
struct spread {
    uint64_t count;
    double sum;
    double min;
    double max;
    double first;   /* the first value: squares are taken from there, so that a small */
    double squares; /* deviation of large values is not lost: sum of (v - first)^2 */
    float *values;  /* owned; NULL once there is a sketch, or nothing */
    uint32_t capacity;
    bool sorted;
    bool blind;            /* no memory was left: percentiles are unknown */
    struct sketch *sketch; /* owned */
};

/* The bucket of a value; one call serves all spreads that take the same value. */
int spread_slot(double value);
/* Takes a finite value >= 0. The ration must be the same all the time. */
void spread_add(struct spread *spread, struct ration *ration, double value);
/* A row of values, each into the spread of the same number; NAN into none. */
void spread_add_row(struct spread *spreads, size_t count, struct ration *ration,
                    const double *values, const int *slots);
/* Takes in all that `from` has; it stays as it is. */
void spread_merge(struct spread *spread, struct ration *ration,
                  const struct spread *from);
/* Gives the memory back to the ration. */
void spread_done(struct spread *spread, struct ration *ration);

/* All NAN without a value. The deviation is that of the values as a whole (numpy's
 * std, divided by n). */
double spread_mean(const struct spread *spread);
double spread_std(const struct spread *spread);
double spread_min(const struct spread *spread);
double spread_max(const struct spread *spread);
/* Sorts what is not sorted yet; percent in [0, 100]. NAN also for a blind one. */
double spread_percentile(struct spread *spread, double percent);
/* How many values are at most so great; of an approximate spread those near to it may
 * be counted to either side. 0 for a blind one. */
int64_t spread_count_to(struct spread *spread, double value);
bool spread_approximate(const struct spread *spread);

#endif

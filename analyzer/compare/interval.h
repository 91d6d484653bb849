/* interval.h - how far the difference of two runs may be chance: 95 % confidence
 * intervals. Pure; the same values give the same interval.
 *
 * Means: Welch's t interval for unequal variances (B. L. Welch, The generalization of
 * "Student's" problem when several different population variances are involved,
 * Biometrika 34, 1947), degrees of freedom by Welch and Satterthwaite.
 *
 * Percentiles: the percentile bootstrap (Efron, 1979), INTERVAL_DRAWS draws with a
 * fixed seed. The k-th least of a resample of n values is the value at rank n * B,
 * where B is beta distributed with k and n + 1 - k (the k-th order statistic of n
 * uniform draws): so a draw costs one random number, whatever n is, and no resample is
 * made.
 *
 * Both take turns for independent, which turns of one conversation are not quite: the
 * true intervals are somewhat wider.
 */
#ifndef PARLEY_INTERVAL_H
#define PARLEY_INTERVAL_H

#include <stdbool.h>

struct spread;

enum { INTERVAL_DRAWS = 2000, INTERVAL_LEAST = 2 };

/* Of (second - first). */
struct interval {
    double low;
    double high;
};
/* False when one of the two has less than INTERVAL_LEAST values, or its percentiles are
 * unknown. The spreads are sorted by it, else unchanged. */
bool interval_mean(const struct spread *first, const struct spread *second,
                   struct interval *ret_interval);
/* percent in (0, 100). */
bool interval_percentile(struct spread *first, struct spread *second, double percent,
                         struct interval *ret_interval);
/* The t for which Student's distribution has 97.5 % below it. degrees > 0. */
double interval_student_t(double degrees);

#endif

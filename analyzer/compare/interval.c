/* interval.c - see interval.h. */
#include "analyzer/compare/interval.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "analyzer/spread.h"
#include "base/rng.h"

#define SEED     0x7061726c6579ULL /* any, but always the same */
#define TAIL     0.025             /* on each side of 95 % */
#define SMALLEST 1e-300
#define CLOSE    1e-14
#define T_MAX    1e4 /* degrees of 0.2 have no larger one */
enum { FRACTION_STEPS = 500, HALVINGS = 200 };

/* ---- Student's distribution ---- */

static double kept_from_zero(double x)
{
    return fabs(x) < SMALLEST ? SMALLEST : x;
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun,
 * 26.5.8), by Lentz' method. Converges fast for x < (a + 1) / (a + b + 2). */
static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / kept_from_zero(1 - (a + b) * x / (a + 1));
    double result = d;

    for (int m = 1; m <= FRACTION_STEPS; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double step;

        d = 1 / kept_from_zero(1 + even * d);
        c = kept_from_zero(1 + even / c);
        result *= c * d;
        d = 1 / kept_from_zero(1 + odd * d);
        c = kept_from_zero(1 + odd / c);
        step = c * d;
        result *= step;
        if (fabs(step - 1) < CLOSE)
            break;
    }
    return result;
}

/* The regularized incomplete beta function. */
static double beta_part(double a, double b, double x)
{
    double front =
        exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x));

    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(a, b, x) / a;
    return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

/* How much of Student's distribution lies above t > 0. */
static double above(double t, double degrees)
{
    return 0.5 * beta_part(degrees / 2, 0.5, degrees / (degrees + t * t));
}

double interval_student_t(double degrees)
{
    double low = 0;
    double high = T_MAX;

    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;

        if (above(middle, degrees) > TAIL)
            low = middle;
        else
            high = middle;
    }
    return (low + high) / 2;
}

/* ---- means ---- */

/* The variance of the mean: of a sample, divided by its size. */
static double mean_variance(const struct spread *spread)
{
    double n = (double)spread->count;
    double deviation = spread_std(spread); /* of the values as a whole */

    return deviation * deviation / (n - 1);
}

bool interval_mean(const struct spread *first, const struct spread *second,
                   struct interval *ret_interval)
{
    double difference = spread_mean(second) - spread_mean(first);
    double a;
    double b;
    double degrees;
    double half = 0;

    if (first->count < INTERVAL_LEAST || second->count < INTERVAL_LEAST)
        return false;
    a = mean_variance(first);
    b = mean_variance(second);
    if (a + b > 0) { /* else all values are the same: there is no chance in it */
        degrees = (a + b) * (a + b)
                  / (a * a / (double)(first->count - 1)
                     + b * b / (double)(second->count - 1));
        half = interval_student_t(degrees) * sqrt(a + b);
    }
    *ret_interval = (struct interval){difference - half, difference + half};
    return true;
}

/* ---- percentiles ---- */

/* Marsaglia's polar method. */
static double normal(struct rng *rng)
{
    double x;
    double square;

    do {
        double y = 2 * rng_unit(rng) - 1;

        x = 2 * rng_unit(rng) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square <= 0);
    return x * sqrt(-2 * log(square) / square);
}

/* Gamma distributed, shape >= 1: Marsaglia and Tsang, A simple method for generating
 * gamma variables, ACM TOMS 26, 2000. */
static double gamma_draw(struct rng *rng, double shape)
{
    double d = shape - 1.0 / 3;
    double c = 1 / sqrt(9 * d);

    for (;;) {
        double x = normal(rng);
        double v = 1 + c * x;
        double u = rng_unit(rng);

        if (v <= 0)
            continue;
        v = v * v * v;
        if (u > 0 && log(u) < 0.5 * x * x + d - d * v + d * log(v))
            return d * v;
    }
}

/* The percentile of one resample. */
static double draw(struct rng *rng, struct spread *spread, double percent)
{
    double n = (double)spread->count;
    double k = 1 + floor(percent / 100 * (n - 1) + 0.5); /* the nearest rank, from 1 */
    double a = gamma_draw(rng, k);
    double b = gamma_draw(rng, n + 1 - k);
    double rank = floor(n * a / (a + b)); /* from 0 */

    if (rank > n - 1)
        rank = n - 1;
    return spread_percentile(spread, 100 * rank / (n - 1));
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

bool interval_percentile(struct spread *first, struct spread *second, double percent,
                         struct interval *ret_interval)
{
    double differences[INTERVAL_DRAWS];
    struct rng rng;
    size_t out = (size_t)(INTERVAL_DRAWS * TAIL);

    if (first->count < INTERVAL_LEAST || second->count < INTERVAL_LEAST
        || isnan(spread_percentile(first, percent))
        || isnan(spread_percentile(second, percent)))
        return false;
    rng_init(&rng, SEED);
    for (size_t i = 0; i < INTERVAL_DRAWS; i++) {
        double a = draw(&rng, first, percent);

        differences[i] = draw(&rng, second, percent) - a;
    }
    qsort(differences, INTERVAL_DRAWS, sizeof *differences, by_value);
    *ret_interval =
        (struct interval){differences[out], differences[INTERVAL_DRAWS - 1 - out]};
    return true;
}

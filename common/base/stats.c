/* stats.c - see stats.h. */
#include "base/stats.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

void stats_add(struct stats *stats, double value)
{
    assert(isfinite(value));
    if (stats->count == 0 || value < stats->min)
        stats->min = value;
    if (stats->count == 0 || value > stats->max)
        stats->max = value;
    stats->sum += value;
    stats->count++;
}

double stats_mean(const struct stats *stats)
{
    return stats->count == 0 ? (double)NAN : stats->sum / (double)stats->count;
}

double stats_percentile(const float *sorted, size_t count, double percent)
{
    double rank;
    size_t below;
    double low;
    double high;

    assert(count >= 1 && percent >= 0 && percent <= 100);
    rank = percent / 100 * (double)(count - 1);
    below = (size_t)rank;
    low = (double)sorted[below];
    high = below + 1 < count ? (double)sorted[below + 1] : low;
    return low + (high - low) * (rank - (double)below);
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a;
    float y = *(const float *)b;

    return (x > y) - (x < y);
}

/* Single precision may have rounded over an end of the exact range. */
static double inside(const struct stats *stats, double value)
{
    return fmin(fmax(value, stats->min), stats->max);
}

void stats_finish(struct stats *stats, float *values, size_t count)
{
    assert(stats->count == count);
    if (count == 0)
        return;
    qsort(values, count, sizeof *values, compare);
    stats->p50 = inside(stats, stats_percentile(values, count, 50));
    stats->p95 = inside(stats, stats_percentile(values, count, 95));
    stats->p99 = inside(stats, stats_percentile(values, count, 99));
}

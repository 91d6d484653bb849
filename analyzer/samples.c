/* samples.c - see samples.h.
 *
 * Flow: samples_add* -> per metric: values gathered group by group (a counting sort by
 *       group), each group's piece given to stats_finish
 */
#include "analyzer/samples.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/stats.h"

enum { BLOCK_ROWS = 4096 };

struct samples {
    struct sample **blocks;
    size_t block_count;
    size_t block_capacity;
    size_t count; /* rows */
};

struct samples *samples_new(void)
{
    return x_calloc(1, sizeof(struct samples));
}

void samples_free(struct samples *samples)
{
    if (samples == NULL)
        return;
    for (size_t i = 0; i < samples->block_count; i++)
        free(samples->blocks[i]);
    free(samples->blocks);
    free(samples);
}

static void add_block(struct samples *samples)
{
    if (samples->block_count == samples->block_capacity) {
        samples->block_capacity = samples->block_capacity * 2 + 16;
        samples->blocks = x_realloc(samples->blocks,
                                    samples->block_capacity * sizeof *samples->blocks);
    }
    samples->blocks[samples->block_count++] =
        x_malloc(BLOCK_ROWS * sizeof **samples->blocks);
}

void samples_add(struct samples *samples, const struct sample *sample)
{
    if (samples->count == samples->block_count * BLOCK_ROWS)
        add_block(samples);
    samples->blocks[samples->count / BLOCK_ROWS][samples->count % BLOCK_ROWS] = *sample;
    samples->count++;
}

static const struct sample *row(const struct samples *samples, size_t i)
{
    return &samples->blocks[i / BLOCK_ROWS][i % BLOCK_ROWS];
}

void samples_finish_all(const struct samples *samples, enum metric metric,
                        struct stats *stats)
{
    float *values;
    size_t count = 0;

    if (stats->count == 0)
        return;
    values = x_malloc((size_t)stats->count * sizeof *values);
    for (size_t i = 0; i < samples->count; i++) {
        float value = row(samples, i)->value[metric];

        if (isnan(value))
            continue;
        assert(count < stats->count);
        values[count++] = value;
    }
    stats_finish(stats, values, count);
    free(values);
}

void samples_finish_groups(const struct samples *samples, enum dimension dimension,
                           enum metric metric, struct stats *const *stats,
                           size_t groups)
{
    size_t *end = x_calloc(groups + 1, sizeof *end); /* where group g's piece ends */
    float *values;
    size_t total = 0;

    for (size_t g = 0; g < groups; g++) {
        end[g] = total; /* for now its start */
        total += (size_t)stats[g]->count;
    }
    values = x_malloc((total + 1) * sizeof *values);
    for (size_t i = 0; i < samples->count; i++) {
        const struct sample *sample = row(samples, i);

        assert(sample->group[dimension] < groups);
        if (!isnan(sample->value[metric]))
            values[end[sample->group[dimension]]++] = sample->value[metric];
    }
    for (size_t g = 0; g < groups; g++) {
        size_t count = (size_t)stats[g]->count;

        stats_finish(stats[g], values + end[g] - count, count);
    }
    free(values);
    free(end);
}

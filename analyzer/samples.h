/* samples.h - the metrics of all turns, one row a turn, packed for a million of them.
 *
 * A row takes 28 bytes: the groups it belongs to and its values. Rows live in blocks
 * that never move, so that growing needs no second copy.
 */
#ifndef PARLEY_SAMPLES_H
#define PARLEY_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/metric.h"

struct stats;

/* The ways in which turns are put into groups. */
enum dimension { BY_PERSONA, BY_MODEL, DIMENSION_COUNT };

struct sample {
    uint32_t group[DIMENSION_COUNT]; /* group numbers from 0 */
    float value[METRIC_COUNT];       /* NAN unknown */
};

struct samples;

struct samples *samples_new(void);
void samples_free(struct samples *samples); /* NULL is fine */
void samples_add(struct samples *samples, const struct sample *sample);

/* Works out the percentiles of one metric over all turns. */
void samples_finish_all(const struct samples *samples, enum metric metric,
                        struct stats *stats);
/* The same for each group: stats[g] belongs to group g, and all group numbers of the
 * dimension are below `groups`. The stats were fed the same values as the rows. */
void samples_finish_groups(const struct samples *samples, enum dimension dimension,
                           enum metric metric, struct stats *const *stats,
                           size_t groups);

#endif

/* compare.h - runs beside each other: the first is what the others are held against. */
#ifndef PARLEY_COMPARE_H
#define PARLEY_COMPARE_H

#include <stddef.h>

#include "analyzer/compare/limit.h"
#include "base/buf.h"
#include "base/err.h"

struct tally;

enum { COMPARE_LIMITS_MAX = 64, COMPARE_STATISTICS = 4 };

/* The statistics that are shown, in that order: mean, p50, p95, p99. */
extern const struct statistic compare_statistics[COMPARE_STATISTICS];
const char *compare_statistic_name(size_t statistic);

struct compared {
    const char *source;  /* borrowed, as the tally */
    struct tally *tally; /* its percentiles are sorted as they are asked for */
};
/* One statistic of a metric of two runs. NAN: unknown. */
struct difference {
    double first;
    double later;
    double percent; /* the change in percent of the first */
    double low;     /* the 95 % interval of (later - first) */
    double high;
};
struct difference compare_one(const struct compared *first,
                              const struct compared *later, enum metric metric,
                              size_t statistic);
/* "no difference to be seen", "higher", "lower", "too few turns", "not measured". */
const char *compare_word(const struct difference *difference);

struct comparison {
    const struct compared *runs; /* the first one is the base */
    size_t count;                /* at least 2 */
    const struct limit *limits;
    size_t limit_count;
    struct buf *warnings; /* lines: in what the runs differ */
};
/* For people: a block for each later run, 80 columns. */
void compare_table(const struct comparison *comparison, struct buf *into);
/* For programs, schemas/comparison.schema.json: one line. */
void compare_json(const struct comparison *comparison, struct buf *into);

#endif

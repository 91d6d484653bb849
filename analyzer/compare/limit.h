/* limit.h - a condition of --fail-if: "ttft.p95>+10%", "tokens_per_second.mean<20".
 *
 * METRIC.STATISTIC, < <= > >=, a number. With a percent sign it is the change against
 * the first run, else the later run's own value, in the metric's unit ("ms" and "s" may
 * stand behind times).
 */
#ifndef PARLEY_LIMIT_H
#define PARLEY_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

#include "analyzer/metric.h"
#include "base/err.h"
#include "base/str.h"

struct spread;

enum statistic_kind { STATISTIC_MEAN, STATISTIC_PERCENTILE, STATISTIC_COUNT };
struct statistic {
    enum statistic_kind kind;
    double percent; /* of a percentile: 0 is the least, 100 the greatest */
};
/* NAN unknown. */
double statistic_of(struct statistic statistic, struct spread *spread);

struct limit {
    struct str text; /* borrowed: as it was given */
    enum metric metric;
    struct statistic statistic;
    char compare[3]; /* "<", "<=", ">", ">=" */
    bool relative;   /* the number is a change in percent */
    double number;
};
/* ERR_USAGE names the condition and what is allowed. *ret_limit borrows the text. */
MUST_USE bool limit_parse(struct str text, struct limit *ret_limit, struct err *err);

enum limit_verdict { LIMIT_KEPT, LIMIT_HOLDS, LIMIT_UNKNOWN };
/* Whether the condition holds of the later run. LIMIT_UNKNOWN: one of the values it
 * needs was not measured (or only the first is 0 where a change in percent is asked
 * for).
 * *ret_found: what was compared with the number. */
enum limit_verdict limit_judge(const struct limit *limit, struct spread *first,
                               struct spread *later, double *ret_found);

#endif

/* goodput.h - turns that met all limits a person set: "ttft:500 itl:50 e2e:5000".
 *
 * Pure. A turn whose value for a limit is unknown is neither good nor bad: it is
 * counted apart, unless it missed another limit. A turn of one token has no inter-token
 * latency and meets any limit of it.
 */
#ifndef PARLEY_GOODPUT_H
#define PARLEY_GOODPUT_H

#include <stdint.h>

#include "analyzer/metric.h"
#include "base/err.h"
#include "base/str.h"

struct goodput {
    double limit[METRIC_COUNT]; /* NAN none: most allowed (of tokens/s: least) */
    unsigned limits;            /* how many there are */
    int64_t good;
    int64_t missed;
    int64_t unknown;
};

/* No limits. */
void goodput_init(struct goodput *goodput);
/* Words of name:number with blanks or commas between; units are the metric's own. */
MUST_USE bool goodput_parse(struct str text, struct goodput *ret_goodput,
                            struct err *err);
void goodput_count(struct goodput *goodput, const double value[METRIC_COUNT],
                   int64_t tokens_generated);

#endif

/* report_csv.h - --csv-summary: the statistics of all groups, a row for each group and
 * metric. Percentiles and units have columns of their own; what is unknown is empty.
 */
#ifndef PARLEY_REPORT_CSV_H
#define PARLEY_REPORT_CSV_H

#include "analyzer/report.h"

struct buf;

/* What does not fit into `into` shows there (overflowed). */
void report_csv(const struct report *report, struct buf *into);

#endif

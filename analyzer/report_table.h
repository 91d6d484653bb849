/* report_table.h - the report for people: plain words first, then aligned tables with
 * small charts, in the columns that the report says (80 where it does not).
 *
 * Unknown numbers are "-". Long lists are cut: the JSON has everything.
 */
#ifndef PARLEY_REPORT_TABLE_H
#define PARLEY_REPORT_TABLE_H

#include "analyzer/report.h"

struct buf;

void report_table(const struct report *report, struct buf *into);

#endif

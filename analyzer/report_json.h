/* report_json.h - the report for programs: schemas/analysis.schema.json. */
#ifndef PARLEY_REPORT_JSON_H
#define PARLEY_REPORT_JSON_H

#include <stdbool.h>

#include "analyzer/report.h"

struct buf;

/* One line with its end. False when `into` is full. */
bool report_json(const struct report *report, struct buf *into);

#endif

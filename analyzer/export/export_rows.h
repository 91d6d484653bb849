/* export_rows.h - a log line by line: as it is, or as a table with a row a turn. */
#ifndef PARLEY_EXPORT_ROWS_H
#define PARLEY_EXPORT_ROWS_H

#include "analyzer/export/export.h"

/* For EXPORT_JSONL and EXPORT_CSV: one pass, nothing kept. */
MUST_USE bool export_rows(const struct export_job *job, struct sink *sink,
                          struct notes *notes, struct export_counts *counts,
                          struct err *err);
/* Whether the job wants that conversation. */
bool export_wants(const struct export_job *job, struct str id);

#endif

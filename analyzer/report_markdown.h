/* report_markdown.h - the report as Markdown: all sections, all percentiles. */
#ifndef PARLEY_REPORT_MARKDOWN_H
#define PARLEY_REPORT_MARKDOWN_H

#include "analyzer/report.h"

struct buf;

/* What does not fit into `into` shows there (overflowed). */
void report_markdown(const struct report *report, struct buf *into);

#endif

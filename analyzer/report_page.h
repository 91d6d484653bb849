/* report_page.h - what a report says to people, in the order in which they ask: in
 * plain words first, then latencies, who and which model, by turn, over time, what was
 * wasted, the talk, the single conversations.
 *
 * The same content for terminal, Markdown and HTML; a section without anything to say
 * is not there.
 */
#ifndef PARLEY_REPORT_PAGE_H
#define PARLEY_REPORT_PAGE_H

#include <stdbool.h>
#include <stddef.h>

struct page;
struct report;

struct report_wish {
    size_t rows;  /* of a table at most; the rest is counted */
    bool verbose; /* all percentiles */
};

/* The caller owns it (page_free); it does not outlive the report. */
struct page *report_page(const struct report *report, const struct report_wish *wish);

#endif

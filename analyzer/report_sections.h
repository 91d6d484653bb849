/* report_sections.h - the sections that report_page.c puts in order. Each adds itself
 * to the page, or nothing where there is nothing to tell.
 */
#ifndef PARLEY_REPORT_SECTIONS_H
#define PARLEY_REPORT_SECTIONS_H

#include <stddef.h>

struct page;
struct report;
struct report_wish;

typedef void report_section(const struct report *report, const struct report_wish *wish,
                            struct page *page);

report_section section_summary;
report_section section_metrics;
report_section section_personas;
report_section section_models;
report_section section_endpoints;
report_section section_turn_indexes;
report_section section_distribution;
report_section section_over_time;
report_section section_goodput;
report_section section_calls;
report_section section_cache_and_cost;
report_section section_talk;
report_section section_endings;
report_section section_conversations;

/* "... and 12 more" below a table that was cut; nothing when it was not. `kept`: how
 * many of `count` the JSON has. */
void section_rest(struct page *page, size_t count, size_t shown, size_t kept);

#endif

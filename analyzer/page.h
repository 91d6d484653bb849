/* page.h - a report as sections, paragraphs and tables, before anyone decided whether
 * it becomes a terminal's text, Markdown or HTML. Pure.
 *
 * Titles and paragraphs are our own words; cells may hold text from outside, which is
 * kept as it came: each writer makes it harmless in its own way. A cell that is unknown
 * is "-" in all of them.
 *
 * Flow: page_new -> (page_section -> page_words | page_table -> page_cell_*)* -> a
 * writer
 */
#ifndef PARLEY_PAGE_H
#define PARLEY_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum page_pen { PEN_PLAIN, PEN_DIM, PEN_GOOD, PEN_WARN, PEN_BAD, PEN_COUNT };

enum page_cell_kind { CELL_TEXT, CELL_BAR, CELL_SPARK };

struct page_cell {
    enum page_cell_kind kind;
    enum page_pen pen;
    char *text;     /* owned; NULL unknown (texts only) */
    double value;   /* bars: NAN unknown */
    double max;     /* bars: what a full one is */
    double *values; /* owned; sparks */
    size_t count;
};

enum page_align { ALIGN_LEFT, ALIGN_RIGHT };

struct page_column {
    const char *title; /* borrowed: ours; "" none */
    enum page_align align;
    unsigned cut_to; /* may be cut down to so many columns; 0: never cut */
    unsigned leave;  /* where room is short, the column with the greatest is left out
                        first; 0: never */
};

enum page_part_kind { PART_SECTION, PART_WORDS, PART_TABLE };

struct page_part {
    enum page_part_kind kind;
    enum page_pen pen;
    char *text;                        /* owned: a section's title, a paragraph */
    const struct page_column *columns; /* borrowed; tables */
    size_t column_count;
    struct page_cell *cells; /* owned; row after row */
    size_t cell_count;
    size_t capacity;
};

struct page {
    struct page_part *parts; /* owned */
    size_t part_count;
    size_t capacity;
};

struct page *page_new(void);
void page_free(struct page *page); /* NULL is fine */

void page_section(struct page *page, const char *title);
/* A paragraph; what comes from outside must be harmless already. */
void page_words(struct page *page, enum page_pen pen, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* Begins a table; the columns must outlive the page. Cells go to the table begun last,
 * row by row, and rows must be full when the next part begins. */
void page_table(struct page *page, const struct page_column *columns, size_t count);
void page_cell_text(struct page *page, enum page_pen pen, const char *text);
void page_cell_count(struct page *page, int64_t value); /* -1 unknown; 1,234,567 */
void page_cell_number(struct page *page, double value); /* as page_number */
void page_cell_share(struct page *page, double share);  /* as page_share */
void page_cell_bar(struct page *page, double value, double max);
void page_cell_spark(struct page *page, const double *values, size_t count);

/* For people, in a static ring of 8 buffers, for use inside one call. NAN and -1: "-".
 * page_number: 0.041, 57.24, 812.4, 123456, 1234k, 12M; page_count: 1,234,567;
 * page_share of 0.5: "50.0 %";
 * page_span: "0.25 ms", "850 ms", "12.4 s", "3 min 20 s", "2 h 05 min". */
const char *page_number(double value);
const char *page_count(int64_t value);
const char *page_share(double share);
const char *page_span(double value_ms);

#endif

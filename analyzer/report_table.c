/* report_table.c - see report_table.h. */
#include "analyzer/report_table.h"

#include "analyzer/page.h"
#include "analyzer/page_term.h"
#include "analyzer/report_page.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "base/width.h"

enum { ROWS_SHOWN = 32, WIDTH_DEFAULT = 80, LABEL_COLUMNS = 8, PATH_MAX_BYTES = 8192 };

/* The end of a long path tells more than its beginning. */
static void put_source(const char *source, unsigned width, struct buf *into)
{
    struct buf safe;
    struct str shown;

    buf_init(&safe, PATH_MAX_BYTES);
    (void)utf8_harmless(str_of(source), false, &safe); /* what is too much is cut */
    shown = buf_str(&safe);
    while (width_text(shown) > width - LABEL_COLUMNS) {
        unsigned columns;
        size_t first = width_next(shown, &columns);

        shown = str_make(shown.at + first, shown.len - first);
    }
    (void)buf_add_text(into, "source: "); /* its overflow stays to be seen */
    (void)buf_add_str(into, shown);
    (void)buf_add_text(into, "\n");
    buf_done(&safe);
}

void report_table(const struct report *report, struct buf *into)
{
    const struct report_wish wish = {.rows = ROWS_SHOWN, .verbose = report->verbose};
    struct page_term term = {.width =
                                 report->width == 0 ? WIDTH_DEFAULT : report->width,
                             .color = report->bold,
                             .ascii = report->ascii};
    struct page *page = report_page(report, &wish);

    term.width = term.width < PAGE_TERM_MIN ? PAGE_TERM_MIN : term.width;
    put_source(report->source, term.width, into);
    page_term(page, &term, into);
    page_free(page);
}

/* report_markdown.c - see report_markdown.h. */
#include "analyzer/report_markdown.h"

#include "analyzer/page.h"
#include "analyzer/page_markdown.h"
#include "analyzer/report_page.h"
#include "base/markup.h"

enum { ROWS_SHOWN = 200 };

void report_markdown(const struct report *report, struct buf *into)
{
    const struct report_wish wish = {.rows = ROWS_SHOWN, .verbose = true};
    struct page *page = report_page(report, &wish);

    (void)buf_add_text(into, "# parley: analysis\n\nSource: ");
    (void)markup_markdown(into, str_of(report->source));
    (void)buf_add_text(into, "\n");
    page_markdown(page, into);
    page_free(page);
}

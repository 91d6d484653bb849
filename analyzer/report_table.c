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

/* Cuts the text behind so many lines, the last of which tells of the others. */
static void cut_lines(struct buf *text, unsigned lines)
{
    struct str rest = buf_str(text);
    size_t left = 0;
    size_t kept = 0;

    for (unsigned line = 0; line + 1 < lines && rest.len > 0; line++)
        kept += str_cut(rest, '\n', &rest).len + 1;
    for (; rest.len > 0; left++)
        (void)str_cut(rest, '\n', &rest);
    if (left < 2) /* a line that tells of a single one takes its place for nothing */
        return;
    text->len = kept;
    text->at[kept] = '\0';
    (void)buf_printf(text, "... %zu lines more: at the end all of them\n", left);
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
    if (report->lines > 0)
        cut_lines(into, report->lines);
    page_free(page);
}

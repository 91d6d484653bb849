/* page_html.h - a page as the inside of an HTML document: sections with headings,
 * paragraphs, tables; bars and sparklines as small inline SVG.
 *
 * No style attribute, no script, no link: a page's style sheet alone says how it looks
 * (report_html.c has it). Cells are escaped (markup.h).
 */
#ifndef PARLEY_PAGE_HTML_H
#define PARLEY_PAGE_HTML_H

#include <stddef.h>

#include "base/buf.h"

struct page;

/* The sections from number `first` to before `end`, counted from 0; each becomes a
 * <section>. What does not fit into `into` shows there (overflowed). */
void page_html(const struct page *page, size_t first, size_t end, struct buf *into);

#endif

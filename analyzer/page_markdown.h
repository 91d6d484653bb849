/* page_markdown.h - a page as Markdown: headings, GitHub's tables, text bars.
 *
 * All columns and rows are there. Cells are escaped (markup.h): none of them becomes a
 * link, an element or another cell.
 */
#ifndef PARLEY_PAGE_MARKDOWN_H
#define PARLEY_PAGE_MARKDOWN_H

#include "base/buf.h"

struct page;

/* What does not fit into `into` shows there (overflowed). */
void page_markdown(const struct page *page, struct buf *into);

#endif

/* page_term.h - a page as text for a terminal, straight in its columns.
 *
 * Nothing is wider than the width given (at least PAGE_TERM_MIN). Where room is short,
 * or a column knows nothing, columns that may be left out are, then texts are cut (they
 * end in "…", or "~" in ASCII); room to spare goes to bars and sparklines. ASCII mode
 * writes no byte above 0x7E of our own; names keep their letters.
 */
#ifndef PARLEY_PAGE_TERM_H
#define PARLEY_PAGE_TERM_H

#include <stdbool.h>

#include "base/buf.h"

struct page;

enum { PAGE_TERM_MIN = 40, PAGE_TERM_MAX = 200 };

struct page_term {
    unsigned width; /* columns */
    bool color;     /* bold titles and colours by meaning (SGR) */
    bool ascii;
};

/* What does not fit into `into` shows there (overflowed). */
void page_term(const struct page *page, const struct page_term *term, struct buf *into);

#endif

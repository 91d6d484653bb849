/* text.h - text from outside as the full screen shows it: harmless, in whole visible
 * characters (grapheme clusters), measured in columns.
 *
 * A cluster is what UAX #29 calls an extended grapheme cluster, as far as terminals
 * have need of it: base/width.h. It takes 1 or 2 columns, whatever Unicode or the
 * terminal thinks of it: the canvas places the cursor anew behind each one that could
 * be taken otherwise. What has no width of its own and nothing before it to stand on is
 * shown as U+FFFD.
 *
 * Whoever breaks lines cleans the text first (text_clean) and then measures it with the
 * other functions; cleaning clean text changes nothing.
 */
#ifndef PARLEY_TEXT_H
#define PARLEY_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

enum text_lines {
    TEXT_ONE_LINE, /* line ends and tabs become a blank: cells, titles */
    TEXT_LINES     /* line ends stay "\n", a tab becomes four blanks: transcripts */
};

/* Adds `text`, which may be any bytes, without anything that moves a terminal's cursor
 * or cannot be seen: as utf8_harmless, ESC is "<U+001B>". "\r\n" is one line end. False
 * when `into` is full; what fits is in it. */
bool text_clean(struct str text, enum text_lines lines, struct buf *into);
/* The first cluster of clean text: its bytes (0 at the end) and columns (1 or 2). */
size_t text_next(struct str text, unsigned *ret_columns);
/* It has no width of its own: to be shown as U+FFFD. */
bool text_is_bare(struct str cluster);
unsigned text_columns(struct str text);
/* How many bytes of clean text fit into so many columns, clusters kept whole. */
size_t text_fit(struct str text, unsigned columns);
/* How many bytes of clean text stand in the first `columns` columns, for a view that is
 * scrolled to the right. *ret_left: columns of a wide cluster that is cut by the edge,
 * to be left blank: 0 or 1. */
size_t text_skip(struct str text, unsigned columns, unsigned *ret_left);

#endif

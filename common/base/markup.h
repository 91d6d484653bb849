/* markup.h - text from outside inside HTML, SVG and Markdown documents.
 *
 * Made harmless as for a terminal (utf8.h) and then escaped, so that it can neither
 * begin an element, end an attribute, nor become a heading, link, table cell or code.
 */
#ifndef PARLEY_MARKUP_H
#define PARLEY_MARKUP_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* For HTML and SVG, between tags or inside a quoted attribute: & < > " ' become
 * references. Line ends and tabs stay. False when `into` is full. */
bool markup_html(struct buf *into, struct str text);
/* For Markdown (CommonMark with GitHub's tables, links and mentions), inside a line but
 * not at its start: punctuation that could mean something there is escaped with a
 * backslash, < and & become references, line ends and tabs become blanks. False when
 * `into` is full. */
bool markup_markdown(struct buf *into, struct str text);

#endif

/* document.h - the JSON document in what a model said. Pure.
 *
 * Models think aloud before it, put it into a Markdown fence, announce it. The rule:
 * thinking is taken out (thought.h; blocks begin before the document only, a closing
 * mark alone ends what was thought wherever it stands); the document begins at the
 * first { of what is left, whatever stands before it; behind it come blanks, one
 * closing fence, and nothing else. What has anything else in it is no document: a
 * parser finds that out.
 */
#ifndef PARLEY_DOCUMENT_H
#define PARLEY_DOCUMENT_H

#include "base/buf.h"
#include "base/str.h"

enum { DOCUMENT_START = '{' }; /* for thought_begin */

/* In what was said, thinking already taken out: the document, or all of it where it has
 * none. A view of `said`. */
struct str document_in(struct str said);
/* In a whole reply. A view of `scratch`, which is cleared before; what does not fit it
 * is lacking. */
struct str document_of(struct str reply, struct buf *scratch);

#endif

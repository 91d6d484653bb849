/* reply_mend.h - what a JSON parser would refuse in a document of a stream, and no
 * reply need be lost for: bytes that are no UTF-8, escapes that are no character. Pure.
 */
#ifndef PARLEY_LLM_REPLY_MEND_H
#define PARLEY_LLM_REPLY_MEND_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* Writes the document over `into`, each byte that is no UTF-8 as a character of the
 * last private plane (0x80 as U+10FF80); and a text of it as it was before. False when
 * `into` is full. Neither may view `into`. */
bool reply_mend_hide(struct str document, struct buf *into);
bool reply_mend_show(struct str text, struct buf *into);
/* The document with each escaped NUL and each half of a surrogate pair that stands
 * alone as \ufffd. A view of `document`, which may lie in `scratch`, or of scratch. */
struct str reply_mend_escapes(struct str document, struct buf *scratch);

#endif

/* utf8.h - UTF-8 that came from outside: mended, and made harmless for a terminal.
 *
 * Mending: each maximal ill-formed piece becomes one U+FFFD (Unicode 15, 3.9, table
 * 3-7 and "substitution of maximal subparts"). Streams keep an unfinished character
 * until its rest arrives, so that a chunk border inside one does no harm.
 *
 * Harmless text: C0 but \n and \t, DEL, C1, bidi controls, zero-width and tag
 * characters are shown as <U+XXXX>; ESC is <U+001B>. The joiner U+200D and the
 * variation selectors U+FE00 to U+FE0F stay: emoji and several scripts are written with
 * them. What is stored is never changed by this.
 */
#ifndef PARLEY_UTF8_H
#define PARLEY_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

struct utf8_stream {
    unsigned char held[4]; /* the start of a character whose rest has not come */
    unsigned held_count;
};

/* Adds the mended bytes to `into`. False when `into` is full. */
bool utf8_feed(struct utf8_stream *stream, struct str bytes, struct buf *into);
/* The end: an unfinished character becomes U+FFFD. */
bool utf8_end(struct utf8_stream *stream, struct buf *into);
bool utf8_mend(struct str bytes, struct buf *into);
bool utf8_valid(struct str bytes);
/* Decodes one character of well-formed text; returns its length in bytes (1-4), 0 at
 * the end or where it is ill-formed. */
unsigned utf8_decode(struct str text, uint32_t *ret_point);
/* The bytes of a code point that is no half of a surrogate pair; returns how many. */
size_t utf8_encode(uint32_t point, char ret_bytes[4]);

/* Whether a character must not reach a terminal as it is: those above, \n and \t too.
 */
bool utf8_harmful(uint32_t point);
/* Adds `text` in a form that may go to a terminal or a log line. `keep_newlines`:
 * \n and \t as they are, else as <U+000A> and <U+0009>. Mends first. */
bool utf8_harmless(struct str text, bool keep_newlines, struct buf *into);
/* As utf8_harmless, for log values: cut at max_bytes with "..." behind. The result is
 * in a static ring of 8 buffers: for use inside one log call. */
const char *log_safe(struct str text);

#endif

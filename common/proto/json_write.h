/* json_write.h - writes JSON straight into a buffer, without a tree in between.
 *
 * Strings are mended to UTF-8 and escaped by RFC 8259; the writer keeps no state: the
 * caller writes braces and commas. All return false when `into` is full; the buffer
 * remembers that (`overflowed`), so a caller may write on and look once at the end.
 */
#ifndef PARLEY_JSON_WRITE_H
#define PARLEY_JSON_WRITE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

bool json_write_string(struct buf *into, struct str text); /* with its quotes */
bool json_write_text(struct buf *into, const char *text);  /* NULL: null */
/* "a,b" as ["a","b"]; empty words are left out, without any it is null. */
bool json_write_words(struct buf *into, struct str words);
bool json_write_i64(struct buf *into, int64_t value);
/* -1 is written as null: our mark of "unknown" for counts. */
bool json_write_count(struct buf *into, int64_t value);
/* Shortest form with at most `decimals` digits behind the point; NAN and infinities,
 * which JSON lacks, are null. */
bool json_write_number(struct buf *into, double value, int decimals);

#endif

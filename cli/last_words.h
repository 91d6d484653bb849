/* last_words.h - the end of a process' log, for people. */
#ifndef PARLEY_LAST_WORDS_H
#define PARLEY_LAST_WORDS_H

#include <stdint.h>

#include "base/buf.h"

enum { LAST_WORDS_LINES = 8, LAST_WORDS_BYTES = 4096 };

/* Adds the last lines that the file holds from byte `from` on, at most LAST_WORDS_LINES
 * of its last LAST_WORDS_BYTES, made harmless, "  | " before each. A file that cannot
 * be read, or holds nothing there, adds nothing. */
void last_words_add(const char *path, int64_t from, struct buf *into);

#endif

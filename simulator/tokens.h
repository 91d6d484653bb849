/* tokens.h - the simulator's own tokenizer: what one streamed chunk is.
 *
 * A token is a piece of at most 6 letters, or at most 3 digits, or any one other
 * character; a single space before it belongs to it. "The lamplighter, 1842" is
 * "The", " lampli", "ghter", ",", " 184", "2". The rule looks at nothing before the
 * place it is asked about, so texts cut at token borders count the same apart.
 */
#ifndef PARLEY_TOKENS_H
#define PARLEY_TOKENS_H

#include <stddef.h>

#include "base/str.h"

/* The first token of well-formed UTF-8; empty at the end. */
struct str tokens_first(struct str text);
size_t tokens_count(struct str text);
/* The text up to the end of its `count`th token, or all of it. */
struct str tokens_take(struct str text, size_t count);

#endif

/* word.h - the short words of a log (an error, a reason) as keys of small tables: what
 * is no such word is "other".
 */
#ifndef PARLEY_WORD_H
#define PARLEY_WORD_H

#include "base/str.h"

enum { WORD_SIZE = 32 };

/* Letters, digits, '_', '-', '.' and at most WORD_SIZE - 1 of them; else "other". */
void word_copy(struct str text, char ret_word[WORD_SIZE]);

#endif

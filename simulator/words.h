/* words.h - English word by word, as far as the simulator needs it. Pure. */
#ifndef PARLEY_WORDS_H
#define PARLEY_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"

/* The next word from *at on: letters, digits, ' and - inside. Moves *at behind it.
 * *ret_gap is what stood before it. Empty at the end. */
struct str word_next(struct str text, size_t *at, struct str *ret_gap);
/* Articles, pronouns, prepositions, helping verbs, adverbs that carry no picture. */
bool word_is_common(struct str word);
/* Words at which a clause turns: "and", "to", "I": a phrase does not go across them. */
bool word_is_hinge(struct str word);
bool word_is(struct str word, const char *lower); /* whatever the case */
/* Whether `text` begins with `needle` (lower case), whatever the case. */
bool words_start(struct str text, const char *needle);
/* Index of `needle` (lower case) in `text` whatever the case; text.len if absent. */
size_t words_find(struct str text, const char *needle);
/* One of several, separated by '|'. */
bool words_have(struct str text, const char *needles);
/* "a" or "an", by the sound of the first letter. */
const char *word_article(struct str word);
bool char_is_upper(char c);
char char_lower(char c);

#endif

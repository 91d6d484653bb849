/* plain_words.h - what plain.c says about the state of a conversation. */
#ifndef PARLEY_PLAIN_WORDS_H
#define PARLEY_PLAIN_WORDS_H

#include "base/buf.h"
#include "sight.h"

/* Adds a line with its end, harmless: "(ended: time is up; 12 turns in 3:05)". Nothing
 * for a state that needs no words; `before` is the state that was shown last. */
void plain_words_state(const struct talk_facts *facts, const char *before,
                       struct buf *line);

#endif

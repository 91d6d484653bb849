/* speech_talk.h - what is kept of the words of one conversation: sums, the last words
 * of each speaker, the word groups said of late. No text stays but names.
 *
 * A word is a run of letters, digits and apostrophes within; of scripts without blanks
 * each letter is one. Small and capital letters are the same (Latin, Greek, Cyrillic).
 */
#ifndef PARLEY_SPEECH_TALK_H
#define PARLEY_SPEECH_TALK_H

#include <stdint.h>

#include "analyzer/spread.h"
#include "base/str.h"

enum { TALK_SEATS = 16, TALK_RING = 52 };

/* What one speaker said in one conversation. */
struct speech_voice {
    char *name; /* owned, the last one told; NULL none */
    int64_t turns;
    int64_t words;
    int64_t sentences;
    int64_t bled_turns;
    int64_t grams; /* word groups said, and of them those said before */
    int64_t repeated;
    int64_t
        windows; /* of SPEECH_WINDOW words in a row; distinct words in them, added */
    int64_t distinct_sum;
    uint32_t ring[TALK_RING]; /* the last SPEECH_WINDOW words; the rest stays 0 */
    unsigned at;              /* where the next goes */
    unsigned distinct;        /* of those in the ring */
};
struct speech_talk;

struct speech_talk *speech_talk_new(void);
void speech_talk_free(struct speech_talk *talk,
                      struct ration *ration); /* NULL is fine */
/* seat in 1..TALK_SEATS. */
void speech_talk_name(struct speech_talk *talk, int64_t seat, const char *name);
void speech_talk_take(struct speech_talk *talk, struct ration *ration, int64_t seat,
                      struct str text);
/* NULL for a seat of which nothing was told. Borrowed. */
const struct speech_voice *speech_talk_voice(const struct speech_talk *talk,
                                             int64_t seat);
/* Words and sentences a turn. Borrowed. */
const struct spread *speech_talk_words(const struct speech_talk *talk);
const struct spread *speech_talk_sentences(const struct speech_talk *talk);

#endif

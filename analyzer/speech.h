/* speech.h - the talk itself: who speaks how much, how varied, how repetitive. Pure;
 * from the words only, in bounded memory.
 *
 * Of many conversations only every nth is taken (SPEECH_SAMPLE): n doubles whenever
 * more than SPEECH_CONVERSATIONS_MAX or SPEECH_TURNS_MAX would be held, and which ones
 * stay follows from their ids alone, so that the same log gives the same sample.
 */
#ifndef PARLEY_SPEECH_H
#define PARLEY_SPEECH_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/spread.h"
#include "base/str.h"

struct message;
struct speech;

enum speech_mode { SPEECH_SAMPLE, SPEECH_ALL, SPEECH_NONE };
enum {
    SPEECH_CONVERSATIONS_MAX = 128, /* held at once in a sample */
    SPEECH_TURNS_MAX = 1 << 16,     /* turns of a sample: then fewer conversations, */
    SPEECH_CONVERSATIONS_MIN = 32,  /* but not when there are so few */
    SPEECH_WINDOW = 50,             /* words of the moving type-token ratio */
    SPEECH_GRAM = 4,                /* words of a group that may be repeated */
    SPEECH_MEMORY_TURNS = 32        /* a group said so many turns ago is forgotten */
};

/* One speaker over all conversations taken, found by seat and name. Ratios are NAN
 * where there is nothing to divide by. */
struct speech_row {
    const char *name; /* borrowed; NULL unknown */
    int64_t seat;
    int64_t turns;
    int64_t words;
    int64_t sentences;
    double turn_share; /* of the turns of the conversations it speaks in */
    double word_share;
    double diversity;   /* moving-average type-token ratio */
    double repetition;  /* share of its word groups said before in the conversation */
    int64_t bled_turns; /* turns with a line that begins with another's name */
};
struct speech_summary {
    enum speech_mode mode;
    int64_t every;         /* the n of the sample: 1 all conversations */
    int64_t conversations; /* taken */
    int64_t turns;
    int64_t words;
    int64_t sentences;
    double balance; /* mean normalized entropy of the words by speaker: 1 even */
    double diversity;
    double repetition;
    int64_t bled_turns;
};

struct speech *speech_new(enum speech_mode mode);
void speech_free(struct speech *speech); /* NULL is fine */
/* A persona's introduction tells its name, a turn what it said. */
void speech_take(struct speech *speech, const struct message *message);

/* Works out what the three below then give. */
struct speech_summary speech_summary(struct speech *speech);
/* Words and sentences a turn; borrowed. */
struct spread *speech_words(struct speech *speech);
struct spread *speech_sentences(struct speech *speech);
/* Speakers by seat, then by name, at most 1,000; valid until the next speech_take. */
size_t speech_rows(struct speech *speech, const struct speech_row **ret_rows);

#endif

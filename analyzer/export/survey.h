/* survey.h - what a conversation is, before it is written down: who takes part, who
 * speaks first and last, what is left out.
 *
 * Filled by one reading of its lines, so that a writer needs to hold no turn back: it
 * knows behind which line a seat says nothing any more.
 */
#ifndef PARLEY_SURVEY_H
#define PARLEY_SURVEY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "proto/cast.h"
#include "proto/message.h"

/* Why a turn stands in no export for readers or for training. */
struct left_out {
    int64_t failed; /* an empty turn routed in place of a failed one */
    int64_t empty;
};
/* A conversation as far as it is known. Starts by survey_init. */
struct survey {
    const char *id;   /* borrowed */
    char *topic;      /* owned; NULL: unknown */
    struct cast cast; /* personas the log has not are left empty (NULL) */
    bool has_story;
    char *names[SEATS_MAX + 1];   /* owned, by seat; NULL: it never said anything */
    int64_t last[SEATS_MAX + 1];  /* the number of its last line that is shown; -1 */
    int64_t first[SEATS_MAX + 1]; /* of the first words that it sees; -1 */
    bool opens[SEATS_MAX + 1];    /* these are its own */
    int64_t lines;                /* messages counted so far, from 0 */
    int64_t seats;                /* the highest that was met */
    struct left_out left;
};

void survey_init(struct survey *survey, const char *id);
void survey_done(struct survey *survey);
/* The next message. */
void survey_take(struct survey *survey, const struct message *message);
/* Whether a seat (0: a reader who sees everything) gets to see it. */
bool survey_sees(const struct message *message, int64_t seat);
/* Words that were said or whispered, or a stage direction: not a failed or empty turn,
 * no story, no persona. */
bool survey_speaks(const struct message *message);
/* Whether story and all personas are known, so that a system text can be made. */
bool survey_complete(const struct survey *survey);
/* A seat's name: its persona's, else the one it spoke under, else NULL. */
const char *survey_name(const struct survey *survey, int64_t seat);

#endif

/* reading.h - conversations for people: plain text, Markdown, one HTML page.
 *
 * Written message by message into a buffer that the caller empties. Everything from
 * outside is made harmless and escaped (base/markup.h): it cannot become markup, a
 * link, or a control sequence. The HTML stands for itself: no script, no request, and a
 * policy inside that forbids both. Text and Markdown are wrapped at READING_COLUMNS.
 */
#ifndef PARLEY_READING_H
#define PARLEY_READING_H

#include <stdint.h>

#include "analyzer/export/survey.h"
#include "base/buf.h"

enum { READING_COLUMNS = 80 };

struct reading {
    struct buf *into; /* borrowed; `overflowed` tells that something was lost */
};
/* One of the three forms. A message is one that survey_speaks() of. */
struct reading_form {
    void (*head)(struct reading *page); /* once, before all */
    void (*begin)(struct reading *page, const struct survey *survey);
    void (*message)(struct reading *page, const struct survey *survey,
                    const struct message *message, const char *thinking);
    void (*end)(struct reading *page, const struct survey *survey);
    void (*tail)(struct reading *page); /* once, behind all */
};
extern const struct reading_form reading_text;
extern const struct reading_form reading_markdown;
extern const struct reading_form reading_html;

/* "Ada", "seat 3", or "stage": who is shown as speaking. Lives as long as the survey;
 * `room` holds what is made. */
enum { READING_NAME_SIZE = 24 };
const char *reading_speaker(const struct survey *survey, const struct message *message,
                            char room[READING_NAME_SIZE]);
/* "1 failed and 2 empty turns are left out", or "" when nothing is. */
enum { READING_LEFT_SIZE = 96 };
void reading_left_out(const struct survey *survey, char ret_text[READING_LEFT_SIZE]);
/* ", to Bo and Cy" behind a speaker whose words not all could hear; "" otherwise.
 * Harmless for plain text, not escaped. */
void reading_to(const struct survey *survey, const struct message *message,
                struct buf *into);

#endif

/* notes.h - what the person should know beside the figures: lines that were skipped,
 * files that are not there. Collected while reading, written to stderr by main.
 *
 * Bounded: after NOTES_SHOWN notes only their number grows.
 */
#ifndef PARLEY_NOTES_H
#define PARLEY_NOTES_H

#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { NOTES_SHOWN = 20 };

struct notes {
    struct buf text; /* lines */
    size_t count;    /* all of them, shown or not */
};

void notes_init(struct notes *notes);
void notes_done(struct notes *notes);
/* One line, without its end. Text from outside must be harmless already (log_safe). */
void notes_add(struct notes *notes, const char *format, ...) PRINTF_LIKE(2, 3);
/* All lines and "... and N more"; "" when there is nothing to say. Valid until the
 * next change. */
const char *notes_text(struct notes *notes);

#endif

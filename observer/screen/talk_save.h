/* talk_save.h - a talk into files: the messages as they are stored, a line each
 * (<path>.jsonl, as a run's transcript.jsonl), and as text to be read (<path>.txt).
 *
 * Saved is what the window holds; what it lacks of a long conversation is told.
 */
#ifndef PARLEY_TALK_SAVE_H
#define PARLEY_TALK_SAVE_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "observer/model/talk.h"

enum { TALK_SAVE_PATH_MAX = 1024 };

/* Whether one of both files is there already. */
bool talk_save_exists(const char *path);
/* Writes both, over what is there. Adds a line for people to `report`: what was saved,
 * and what was not. An ending .jsonl or .txt of the path is left away first. */
MUST_USE bool talk_save(const struct talk *talk, const char *path, struct buf *report,
                        struct err *err);

#endif

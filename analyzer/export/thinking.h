/* thinking.h - what a thinking model thought before a turn, from a run's calls.jsonl.
 *
 * It is kept there only where the run was told to (--keep-thinking). The last call of
 * a turn that was done is the one whose words stand in the transcript.
 */
#ifndef PARLEY_THINKING_H
#define PARLEY_THINKING_H

#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct notes;
struct thinking;

/* Indexes the calls of the file. *ret_thinking is owned by the caller
 * (thinking_free). */
MUST_USE bool thinking_open(const char *path, struct notes *notes,
                            struct thinking **ret_thinking, struct err *err);
void thinking_free(struct thinking *thinking); /* NULL is fine */
/* The calls of that conversation from here on. */
MUST_USE bool thinking_turn_to(struct thinking *thinking, const char *conversation,
                               struct err *err);
/* What was thought before that turn, or NULL; borrowed until the next turn_to. NULL
 * for a NULL `thinking`, too. */
const char *thinking_of(const struct thinking *thinking, int64_t turn);

#endif

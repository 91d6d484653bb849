/* prompt.h - what a persona is told before it speaks. Pure.
 *
 * One system text, the same bytes at every turn of a conversation (so that the model
 * server's prefix cache hits), then the history as seen from the seat: its own words as
 * `assistant`, the others' as `user` with their names. Before anybody has spoken, and
 * when the last words are the seat's own (the turn behind them failed), a line of ours
 * asks for more. When all would not fit the context window, the oldest messages go, a
 * quarter of the room at a time; the system text and the last message always stay.
 */
#ifndef PARLEY_PROMPT_H
#define PARLEY_PROMPT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "llm/llm.h"
#include "worker/memory.h"

struct prompt_templates {
    char *persona; /* owned, as the others */
    char *opening;
    char *going_on;
};
MUST_USE bool prompt_templates_load(const char *folder, struct prompt_templates *ret,
                                    struct err *err);
void prompt_templates_done(struct prompt_templates *templates);

struct prompt_wish {
    const struct memory_page *page;
    int64_t seat;        /* from 1; the page's cast has it */
    const char *window;  /* the first line it may use; "" = all */
    int64_t room_tokens; /* num_ctx less num_predict */
};
struct prompt {
    struct llm_message *messages; /* owned; texts point into `text` and into the page */
    size_t count;
    struct buf text;
    char window[ENTRY_SIZE]; /* where it begins now; "" when it did not move */
};
/* The page must live as long as the prompt. ret_prompt: prompt_done. */
MUST_USE bool prompt_build(const struct prompt_templates *templates,
                           const struct prompt_wish *wish, struct prompt *ret_prompt,
                           struct err *err);
void prompt_done(struct prompt *prompt);

#endif

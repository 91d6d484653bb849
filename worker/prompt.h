/* prompt.h - what a persona is told before it speaks. Pure.
 *
 * One system text, the same bytes at every turn of a conversation (so that the model
 * server's prefix cache hits; it is built once and kept in the page), then the history
 * as seen from the seat: its own words as `assistant`, the others' as `user` with their
 * names; stage directions and whispers as lines of ours, a whisper for its seats only.
 * Before anybody has spoken, and when the last words are the seat's own (the
 * turn behind them failed), a line of ours asks for more. When all would not fit the
 * context window, the oldest messages go, a quarter of the room at a time; the system
 * text and the last message always stay.
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
    char *structured; /* behind the persona, where JSON is asked for */
    char *repair;     /* when it was not what was asked for */
};
MUST_USE bool prompt_templates_load(const char *folder, struct prompt_templates *ret,
                                    struct err *err);
void prompt_templates_done(struct prompt_templates *templates);

/* The seat's system text, kept in the page until its cast changes. */
MUST_USE bool prompt_system(const struct prompt_templates *templates,
                            struct memory *memory, struct memory_page *page,
                            int64_t seat, bool structured, struct err *err);

struct prompt_wish {
    const struct memory_page *page; /* has the seat's system text */
    int64_t seat;                   /* from 1; the page's cast has it */
    const char *window;             /* the first line it may use; "" = all */
    size_t room_bytes;              /* of all messages, counted as budget.h does */
    struct str rejected;            /* what was said and could not be used, or empty */
    const char *complaint;          /* and why */
};
struct prompt {
    struct llm_message
        *messages; /* owned; texts point into `text`, the page, the wish */
    size_t count;
    size_t bytes; /* of all messages, counted as budget.h does */
    struct buf text;
    size_t opening_bytes;    /* the first of `text`: the ask to open, 0 none */
    size_t nudge_bytes;      /* behind it the ask to go on, 0 none */
    size_t repair_bytes;     /* and behind it what was wrong, 0 none */
    char window[ENTRY_SIZE]; /* where it begins now; "" when it did not move */
};
/* Page and wish must live as long as the prompt. ret_prompt: prompt_done. */
MUST_USE bool prompt_build(const struct prompt_templates *templates,
                           const struct prompt_wish *wish, struct prompt *ret_prompt,
                           struct err *err);
void prompt_done(struct prompt *prompt);

#endif

/* thought.h - tells what a model thinks within its reply from what it says, while the
 * reply is still arriving. Pure.
 *
 * Blocks of thinking, as servers let them through that do not tell them apart:
 *
 *   <think>...</think>  <thinking>  <thought>  <reasoning>  <seed:think>
 *   [THINK]...[/THINK]                                       (as written here only)
 *   <|channel|>analysis...<|channel|>final<|message|>        (gpt-oss)
 *   <|channel>...<channel|>                                  (Gemma)
 *
 * A closing mark alone means that the block was begun before the reply (many a chat
 * template does that): all before it had been thought. A block without its end takes
 * the rest of the reply.
 *
 * Flow: thought_begin -> (thought_feed -> thought_next*)*
 */
#ifndef PARLEY_THOUGHT_H
#define PARLEY_THOUGHT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

enum { THOUGHTS_MAX_BYTES = 64 * 1024 };
enum thought_answer {
    THOUGHT_ALL,   /* no more for now */
    THOUGHT_BEGAN, /* a block begins behind what was added */
    THOUGHT_ANEW   /* a closing mark alone: all that was said so far had been thought */
};

struct thought {
    struct buf held; /* arrived, not decided */
    char last;       /* behind this character said no block begins; '\0': anywhere */
    bool passed;     /* it was said */
    bool inside;     /* a block */
    size_t tag;      /* of which kind */
    bool keep;       /* set it after thought_init: */
    struct buf kept; /* then what was thought, as much as fits */
    struct buf said; /* and what was said, should it prove to be thought */
};
void thought_init(struct thought *thought);
void thought_done(struct thought *thought);
/* A new reply. `last`: as above. */
void thought_begin(struct thought *thought, char last);
/* False when more is held back than any reply has: it is not taken. */
bool thought_feed(struct thought *thought, struct str piece);
/* Adds to `into` what is certain to be said. To be called until it says THOUGHT_ALL, or
 * not any more in this reply. `all`: no more will come. */
enum thought_answer thought_next(struct thought *thought, bool all, struct buf *into);

#endif

/* talk.h - what the simulator says in a conversation. Pure and without memory: the
 * words come from the seed and the prompt alone, so the same of both give the same.
 *
 * It speaks as the persona of the system text, takes up a few of the other's words,
 * answers questions, and lets a conversation go through phases: asking, disagreeing,
 * odd proposals, making up, and again. A turn of phrase that stands in the last
 * messages of the prompt is not used again, a sentence that stands anywhere in it
 * never.
 */
#ifndef PARLEY_TALK_H
#define PARLEY_TALK_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "simulator/sim_prompt.h"

struct talk_ask {
    const struct sim_prompt *prompt;
    uint64_t seed;
    size_t min_tokens; /* of the reply; 1 <= min <= max */
    size_t max_tokens;
};
/* Adds a reply of min to max tokens: whole sentences with single spaces. */
void talk_reply(const struct talk_ask *ask, struct buf *into);

#endif

/* sim_prompt.h - what a model is given: messages in order. Pure.
 *
 * The rendering is the simulator's "template": "<role>\n<text>\n" for each message.
 * Token counts and the common prefix of two prompts are taken from it.
 */
#ifndef PARLEY_SIM_PROMPT_H
#define PARLEY_SIM_PROMPT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"

struct sim_message {
    const char *role; /* "system", "user", "assistant", "tool" */
    struct str text;
};

/* A view: owns nothing but the array. */
struct sim_prompt {
    struct sim_message *messages; /* owned (sim_prompt_done) */
    size_t count;
};

void sim_prompt_done(struct sim_prompt *prompt);
void sim_prompt_add(struct sim_prompt *prompt, const char *role, struct str text);
bool sim_prompt_is(const struct sim_message *message, const char *role);
/* Drops the oldest messages that are neither system messages nor the last one, until
 * the rendering has at most max_tokens; what cannot be dropped stays. As the real
 * server does, and as silently. */
void sim_prompt_fit(struct sim_prompt *prompt, size_t max_tokens);
size_t sim_prompt_tokens(const struct sim_prompt *prompt); /* of the rendering */
void sim_prompt_render(const struct sim_prompt *prompt, struct buf *into);
/* Whole tokens at the start of `now` that `before` has too. */
size_t sim_prompt_common_tokens(struct str before, struct str now);

#endif

/* persona_text.h - fills a prompt template with a persona and its scene. Pure.
 *
 * What a persona was told is asked for twice: by the worker that tells it, and by who
 * exports the conversation as that persona saw it. Both come here.
 */
#ifndef PARLEY_PERSONA_TEXT_H
#define PARLEY_PERSONA_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct cast;

/* The placeholders are {name} {role} {goal} {style} {traits} of the seat (from 1; the
 * cast has it), {topic} {setting} {situation}, and {others}: a line for each who takes
 * part. Name, role and traits are there, other texts may be NULL. ERR_FORMAT names an
 * unknown placeholder, ERR_LIMIT: `into` is full. */
MUST_USE bool persona_text_fill(const char *template_text, const struct cast *cast,
                                const char *topic, int64_t seat, struct buf *into,
                                struct err *err);

/* What stands around the words of a stage direction or a whisper as its seat is told
 * them, in parentheses as our own asks are. Never NULL. */
struct persona_frame {
    const char *before;
    const char *after;
};
const struct persona_frame *persona_text_frame(bool whispered);

#endif

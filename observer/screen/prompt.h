/* prompt.h - the line at the bottom where the user types: a search, a filter, a text to
 * be said, a yes or a no. Pure: keys in, a line out, drawn into a canvas.
 *
 * What is typed or pasted may be any characters; only printable ones are taken, so that
 * a pasted line end does not send and a pasted ESC does not escape.
 */
#ifndef PARLEY_PROMPT_H
#define PARLEY_PROMPT_H

#include <stdbool.h>

#include "base/str.h"
#include "canvas.h"

/* What is asked for; the screen that asked gets it back with the answer. */
enum prompt_kind {
    PROMPT_NONE,
    PROMPT_SEARCH,
    PROMPT_FILTER,
    PROMPT_SAY,
    PROMPT_INJECT,
    PROMPT_SAVE,      /* a file's name */
    PROMPT_OVERWRITE, /* yes: over that file */
    PROMPT_CONFIRM,   /* yes: the command that was asked for */
    PROMPT_KIND_COUNT
};

enum prompt_outcome {
    PROMPT_OPEN,      /* goes on */
    PROMPT_CANCELLED, /* Esc, Ctrl-C, Ctrl-G, or anything but y */
    PROMPT_GIVEN,     /* Enter, or y */
};

enum { PROMPT_MAX_BYTES = 4096 };

struct prompt; /* opaque: the body is in prompt.c */

struct prompt *prompt_new(void); /* the caller owns it (prompt_free); closed */
void prompt_free(struct prompt *prompt);
/* Opens it for a line; label: "search: "; `initial` can be edited. Both are copied. */
void prompt_ask_line(struct prompt *prompt, enum prompt_kind kind, const char *label,
                     struct str initial);
/* Opens it for a y; question: "stop k3v9q2m4x7ab?". Copied. */
void prompt_ask_yes(struct prompt *prompt, enum prompt_kind kind, const char *question);
/* PROMPT_NONE: closed. */
enum prompt_kind prompt_kind(const struct prompt *prompt);
/* A key of keymap.h. Closes it unless PROMPT_OPEN. */
enum prompt_outcome prompt_key(struct prompt *prompt, int key);
/* A character that was pasted: into a line only, and a line end is a blank in it. What
 * asks for a yes is not answered by a paste. */
void prompt_paste(struct prompt *prompt, int key);
/* What was typed last, well-formed UTF-8; valid until it is opened again. */
struct str prompt_text(const struct prompt *prompt);
/* In one row, with the cursor. */
void prompt_draw(const struct prompt *prompt, struct canvas *canvas, struct area area);

#endif

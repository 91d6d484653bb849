/* plain.h - draws sights as text that flows: on a terminal word by word, wrapped, in
 * one colour a persona, with a status line; into a pipe one line a turn.
 *
 * Pure: bytes go into a buffer, the terminal's features come as an argument. Every text
 * from outside passes utf8_harmless on its way; the only control bytes that leave are
 * line ends and, where `look` allows them, our own colours and "\r", "\033[K".
 */
#ifndef PARLEY_PLAIN_H
#define PARLEY_PLAIN_H

#include <stdbool.h>

#include "base/buf.h"
#include "sight.h"

struct plain; /* opaque: the body is in plain.c */

struct plain_look {
    unsigned width; /* columns that may be used; 0: no wrapping, one line a turn */
    bool colour;    /* SGR colours */
    bool motion;    /* "\r" and "\033[K": the status line */
};

/* Whether colours are wanted. choice: "auto", "always", "never"; no_color and term are
 * the variables NO_COLOR and TERM, NULL when unset. */
bool plain_wants_colour(const char *choice, bool is_terminal, const char *no_color,
                        const char *term);

/* The caller owns it (plain_free). */
struct plain *plain_new(const struct plain_look *look);
void plain_free(struct plain *plain); /* NULL is fine */
/* From the next line on. */
void plain_resize(struct plain *plain, unsigned width);
/* From now on several conversations are shown: whole turns, one line each, each line
 * headed by its conversation's short id. There is no way back. */
void plain_show_many(struct plain *plain);
/* Adds what is to be written. What does not fit into the buffer is cut. */
void plain_show(struct plain *plain, const struct sight *sight, struct buf *into);
/* Rewrites the status line; "" takes it away. Nothing happens while a turn is spoken or
 * where the look has no motion. `status` must be harmless. */
void plain_status(struct plain *plain, struct str status, struct buf *into);
/* The end: completes the line, takes the status line away, resets colours. */
void plain_close(struct plain *plain, struct buf *into);

#endif

/* frame.h - what stands on the terminal, and the bytes that turn it into a canvas.
 *
 * Only what changed is written, between CSI ?2026h and CSI ?2026l (synchronized output:
 * a terminal that knows it shows the frame at once, others ignore it). Behind each
 * character that is not ASCII the cursor is placed absolutely, and behind one whose
 * width terminals disagree about (wide ones, several code points) the rest of the row
 * is written anew: a width taken otherwise cannot shift what follows. Automatic
 * wrapping must be off in the terminal (term.h).
 *
 * The sequences: ECMA-48 CUP (8.3.21), CHA (8.3.9), ED, SGR; DEC private modes 25 and
 * 2026.
 */
#ifndef PARLEY_FRAME_H
#define PARLEY_FRAME_H

#include <stdbool.h>

#include "pen.h"

struct buf;
struct canvas;
struct frame; /* opaque: the body is in frame.c */

/* The caller owns it (frame_free). Nothing is known of the terminal yet. */
struct frame *frame_new(enum pen_colours colours);
void frame_free(struct frame *frame); /* NULL is fine */
/* The terminal shows something else, perhaps: the next frame begins by clearing it. */
void frame_forget(struct frame *frame);
/* Adds the bytes of a frame, none when nothing changed (false then). What is added must
 * reach the terminal whole and in order. */
bool frame_write(struct frame *frame, const struct canvas *canvas, struct buf *into);
/* The canvas as lines with its pens' colours, for a frame that is printed: no cursor
 * moves. */
void frame_print(const struct canvas *canvas, enum pen_colours colours,
                 struct buf *into);

#endif

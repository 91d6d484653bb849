/* plain_pen.h - what plain.c writes with: harmless text, colours, wrapped paragraphs.
 *
 * Knows lines and columns, nothing of conversations.
 */
#ifndef PARLEY_PLAIN_PEN_H
#define PARLEY_PLAIN_PEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/wrap.h"
#include "plain.h"

struct plain_pen {
    struct plain_look look;
    struct buf *into; /* borrowed during a call of plain.h */
    struct wrap wrap; /* the paragraph being written */
    bool mid_line;    /* the cursor stands behind something */
    bool status;      /* a status line is on the screen */
};

void plain_pen_init(struct plain_pen *pen, const struct plain_look *look);
void plain_pen_done(struct plain_pen *pen);

/* Our own words, as they are. */
void plain_pen_put(struct plain_pen *pen, const char *text);
/* Text from outside on one line, in the colour of a seat (from 1; 0: none). Returns the
 * columns it took. */
unsigned plain_pen_name(struct plain_pen *pen, struct str text, int64_t seat);
/* A paragraph: begins at the cursor, which stands in that column. */
void plain_pen_begin(struct plain_pen *pen, unsigned indent, unsigned column);
/* Text from outside; words are written when they are whole. */
void plain_pen_text(struct plain_pen *pen, struct str text);
/* The same for text that is harmless already. */
void plain_pen_harmless(struct plain_pen *pen, struct str text);
void plain_pen_end(struct plain_pen *pen); /* the last word and a line end */
/* Completes a line that was begun; nothing at a line's start. */
void plain_pen_break(struct plain_pen *pen);
void plain_pen_status(struct plain_pen *pen, struct str status);
void plain_pen_clear_status(struct plain_pen *pen);

#endif

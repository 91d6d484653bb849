/* talk_draw.h - draws a talk's view: gutter, times, names, text with what was found. */
#ifndef PARLEY_TALK_DRAW_H
#define PARLEY_TALK_DRAW_H

#include "observer/screen/canvas.h"
#include "observer/screen/talk_view.h"

/* Fits the view to the area first. */
void talk_draw(struct talk_view *view, struct canvas *canvas, struct area area);

#endif

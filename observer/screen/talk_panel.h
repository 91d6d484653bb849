/* talk_panel.h - the panel beside a talk: how it stands, who takes part with which
 * model, what their turns took. What is not known is "-".
 */
#ifndef PARLEY_TALK_PANEL_H
#define PARLEY_TALK_PANEL_H

#include "observer/model/talk.h"
#include "observer/screen/canvas.h"

/* now_us: the source's clock. */
void talk_panel_draw(const struct talk *talk, struct canvas *canvas, struct area area,
                     int64_t now_us);

/* The same in short, for a screen that has no room for the panel: one row. */
void talk_panel_draw_row(const struct talk *talk, struct canvas *canvas,
                         struct area area, int64_t now_us);
/* "Ada Quill thinks, 3.2 s", "the story is being written, 12.0 s". False: nobody is
 * awaited, nothing was added. */
bool talk_panel_awaited(const struct talk *talk, int64_t now_us, struct buf *into);

#endif

/* talk_pager.h - a text to be read in place of the talk: a message as it is stored, a
 * request as it was sent. Scrolls; wrapped at words. Pure.
 */
#ifndef PARLEY_TALK_PAGER_H
#define PARLEY_TALK_PAGER_H

#include <stdbool.h>

#include "base/buf.h"
#include "observer/screen/canvas.h"
#include "observer/screen/talk_rows.h"

struct talk_pager {
    bool open;
    struct buf title;
    struct buf text;
    struct talk_rows rows; /* of the text, for `cols` */
    unsigned cols;
    size_t top;
    unsigned height; /* drawn last */
};

void talk_pager_init(struct talk_pager *pager);
void talk_pager_done(struct talk_pager *pager);
/* Opens it; both texts may be any bytes. What does not fit into 8 MiB is cut, and says
 * so. */
void talk_pager_show(struct talk_pager *pager, const char *title, struct str text);
void talk_pager_close(struct talk_pager *pager);
void talk_pager_draw(struct talk_pager *pager, struct canvas *canvas, struct area area);
/* Up below 0. */
void talk_pager_scroll(struct talk_pager *pager, int rows);
void talk_pager_to_end(struct talk_pager *pager, bool bottom);

#endif

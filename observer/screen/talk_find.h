/* talk_find.h - searching and marks of a talk's view; what talk_view.c and talk_find.c
 * have in common.
 */
#ifndef PARLEY_TALK_FIND_H
#define PARLEY_TALK_FIND_H

#include "observer/screen/talk_view.h"

/* In talk_find.c: goes on with a search or a way to a mark that waited for a page. */
void talk_find_on(struct talk_view *view);

/* In talk_view.c. Where a spot is; there must be lines. */
struct talk_pos talk_view_pos(struct talk_view *view, const struct talk_spot *spot);
struct talk_spot talk_view_spot(struct talk_view *view, const struct talk_pos *pos);
/* The cursor there, on the screen's upper third. */
void talk_view_go(struct talk_view *view, const struct talk_spot *spot);

#endif

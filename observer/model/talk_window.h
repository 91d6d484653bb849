/* talk_window.h - the window of a talk's lines, for talk_take.c: what is added, what is
 * dropped, within the bounds of talk.h.
 */
#ifndef PARLEY_OBSERVER_TALK_WINDOW_H
#define PARLEY_OBSERVER_TALK_WINDOW_H

#include "observer/model/talk.h"

/* All take the line. Behind all others, with the next serial; where the window's end is
 * not the transcript's it is dropped. */
void talk_window_append(struct talk *talk, struct talk_line *line);
/* At an index, with the serial it has. */
void talk_window_insert(struct talk *talk, size_t index, struct talk_line *line);
void talk_window_drop(struct talk *talk, size_t index);
/* Back within the bounds; what lies farthest from the line watched goes. */
void talk_window_trim(struct talk *talk);

#endif

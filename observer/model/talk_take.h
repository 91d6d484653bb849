/* talk_take.h - how a source tells a talk what it sees.
 *
 * Flow: talk_set_reader -> talk_take_cast (story, personas) -> talk_take_head, if what
 *       comes now is the transcript's begin -> talk_take... (with talk_take_facts at
 *       each look at the hash)
 *       reader.page -> talk_page_add..., nearest first -> talk_page_end
 *       reader.asked -> talk_take_asked
 */
#ifndef PARLEY_OBSERVER_TALK_TAKE_H
#define PARLEY_OBSERVER_TALK_TAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "observer/model/talk.h"

/* From whom older and newer entries may be had; NULL: nobody any more. Borrowed until
 * then. */
void talk_set_reader(struct talk *talk, const struct talk_reader *reader);
/* Story and personas: for the panel. They become lines by talk_take or a page only,
 * since a window may begin later. */
void talk_take_cast(struct talk *talk, const struct sight *sight);
/* The entry taken next is the first of the transcript. */
void talk_take_head(struct talk *talk);
/* What comes, in its order, all kinds of sights. An entry that was taken before is
 * passed over. */
void talk_take(struct talk *talk, const struct sight *sight,
               const struct talk_from *from);
/* The hash, at each look; a change of state is told by talk_take before (SIGHT_STATE).
 */
void talk_take_facts(struct talk *talk, const struct talk_facts *facts);
/* There is no conversation of that id (any more). */
void talk_take_absence(struct talk *talk);
/* Empty and -1: the cast says nothing of it. */
void talk_take_wish(struct talk *talk, int64_t seat, struct str model,
                    struct str endpoint, int64_t num_ctx);
/* As stored (JSON); empty: there is none. */
void talk_take_asked(struct talk *talk, int64_t seat, struct str text);
/* The servers are back, or nobody waits any more. */
void talk_take_waited(struct talk *talk);

/* False: the window is full, give no more of them. */
bool talk_page_add(struct talk *talk, const struct sight *sight,
                   const struct talk_from *from);
/* no_more: the transcript ends in that direction, and all of it was added. Call it also
 * when the question was lost, with false: it is asked again. */
void talk_page_end(struct talk *talk, bool no_more);

#endif

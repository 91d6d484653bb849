/* clean.h - takes out of a reply what is not the persona's spoken words, while it is
 * still arriving. Pure.
 *
 *   name_prefix   "Ada Quill: ", "**Ada:** ", "Ada (smiling): " at the very start
 *                 (names.h); what stands in the brackets stays
 *   foreign_name  another persona's name (or the narrator's) in one of these forms at a
 *                 line start, also in a quotation: the reply ends before it
 *   thinking      <think>...</think> and its like, also begun before the reply
 *                 (thought.h)
 *   capped        too long: cut back to the end of a sentence
 *   unfinished    the server stopped at its limit and no sentence end was near: kept
 *   trimmed       blanks at either end
 *
 * The same text comes out however the reply was cut into pieces: only those bytes are
 * held back that may still become one of the above.
 *
 * Flow: clean_begin -> clean_feed* (clean_text: what may be shown) -> clean_end
 */
#ifndef PARLEY_CLEAN_H
#define PARLEY_CLEAN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "proto/cast.h"
#include "proto/thought.h"
#include "worker/names.h"

enum clean_change {
    CLEAN_NAME_PREFIX,
    CLEAN_FOREIGN_NAME,
    CLEAN_THINKING,
    CLEAN_CAPPED,
    CLEAN_UNFINISHED,
    CLEAN_TRIMMED,
    CLEAN_CHANGE_COUNT
};
enum { CLEAN_WORDS_SIZE = 80 };
const char *clean_change_name(enum clean_change change); /* "name_prefix" */

enum clean_state {
    CLEAN_LINE_START, /* a name may stand here */
    CLEAN_INSIDE,     /* within a line */
    CLEAN_OVER        /* nothing that follows belongs to the reply */
};
struct clean {
    enum clean_state state;
    size_t max_bytes;
    struct names names;
    struct thought thought; /* set its `keep` after clean_init */
    struct buf held;        /* said, not decided */
    struct buf text;        /* the reply; blanks at its end are not sure yet */
    unsigned changes;       /* a bit for each clean_change */
    unsigned restarts;      /* how often what had been text proved to be thinking */
};
void clean_init(struct clean *clean);
void clean_done(struct clean *clean);
/* A reply of that seat (from 1), of at most max_bytes (1 or more) after cleaning. The
 * names are copied; of a cast without personas none are known. */
void clean_begin(struct clean *clean, const struct cast *cast, int64_t seat,
                 size_t max_bytes);
/* False when the reply is over: what follows is not looked at. */
bool clean_feed(struct clean *clean, struct str piece);
/* All that was fed so far had been thinking, as the caller knows: counts in `restarts`,
 * also of a reply that was over. */
void clean_restart(struct clean *clean);
/* All has arrived. `at_limit`: the server stopped at its limit of tokens. */
void clean_end(struct clean *clean, bool at_limit);
/* What is certain so far; it only grows, unless `restarts` has. Valid until the next
 * call. */
struct str clean_text(const struct clean *clean);
/* The names of the changes with commas between, "" for none. */
void clean_words(unsigned changes, char ret_words[CLEAN_WORDS_SIZE]);
#endif

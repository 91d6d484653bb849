/* clean.h - takes out of a reply what is not the persona's spoken words, while it is
 * still arriving. Pure.
 *
 *   name_prefix   "Ada Quill: ", "**Ada:** ", "[Ada Quill] " at the very start
 *   foreign_name  another persona's name (or the narrator's) with its colon at a line
 *                 start: the reply ends before it
 *   thinking      <think>...</think>, also one that was begun before the reply
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

enum clean_change {
    CLEAN_NAME_PREFIX,
    CLEAN_FOREIGN_NAME,
    CLEAN_THINKING,
    CLEAN_CAPPED,
    CLEAN_UNFINISHED,
    CLEAN_TRIMMED,
    CLEAN_CHANGE_COUNT
};
enum {
    CLEAN_WORDS_SIZE = 80,
    CLEAN_NAMES_MAX = 2 * SEATS_MAX + 1,
    THOUGHTS_MAX_BYTES = 64 * 1024
};
const char *clean_change_name(enum clean_change change); /* "name_prefix" */

enum clean_state {
    CLEAN_LINE_START, /* a name may stand here */
    CLEAN_INSIDE,     /* within a line */
    CLEAN_THOUGHT,    /* inside a block of thinking */
    CLEAN_OVER        /* nothing that follows belongs to the reply */
};
struct clean_name {
    size_t at; /* in `names` */
    size_t len;
    bool own;
    bool shared; /* own, as the first word of a name, and another's whole name */
};
struct clean {
    enum clean_state state;
    size_t thought; /* which of the tags, inside a block of thinking */
    size_t max_bytes;
    struct buf names; /* the texts of `name` */
    struct clean_name name[CLEAN_NAMES_MAX];
    size_t name_count;
    struct buf held;     /* arrived, not decided */
    struct buf text;     /* the reply; blanks at its end are not sure yet */
    bool keep_thoughts;  /* set it after clean_init */
    struct buf thoughts; /* then: what was taken out as thinking, as much as fits */
    unsigned changes;    /* a bit for each clean_change */
    unsigned restarts;   /* how often what had been text proved to be thinking */
};
void clean_init(struct clean *clean);
void clean_done(struct clean *clean);
/* A reply of that seat (from 1), of at most max_bytes (1 or more) after cleaning. The
 * names are copied; of a cast without personas none are known. */
void clean_begin(struct clean *clean, const struct cast *cast, int64_t seat,
                 size_t max_bytes);
/* False when the reply is over: what follows is not looked at. */
bool clean_feed(struct clean *clean, struct str piece);
/* All has arrived. `at_limit`: the server stopped at its limit of tokens. */
void clean_end(struct clean *clean, bool at_limit);
/* What is certain so far; it only grows, unless `restarts` has. Valid until the next
 * call. */
struct str clean_text(const struct clean *clean);
/* The names of the changes with commas between, "" for none. */
void clean_words(unsigned changes, char ret_words[CLEAN_WORDS_SIZE]);
#endif

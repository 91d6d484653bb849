/* names.h - the ways in which a speaker's name is put before words, as models write it,
 * and whether one stands here. Pure.
 *
 *   Ada Quill: ...   Ada: ...   **Ada:** ...   **Ada**: ...   *Ada*: ...   __Ada__: ...
 *   [Ada] ...        Ada (smiling): ...        Ada : ...      **Ada** <end of line>
 *
 * in any case, the colon also as U+FF1A. A name is known whole, without the titles
 * before it ("Dr. Ada Quill"), and by its first word; the persona's own by its last
 * word, too. Curly and straight apostrophes, hyphens and blanks of all kinds are taken
 * for each other; capitals are known of ASCII, Latin-1, Greek and Cyrillic. A colon
 * that begins a face, ":)", is none.
 */
#ifndef PARLEY_NAMES_H
#define PARLEY_NAMES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/str.h"
#include "proto/cast.h"

enum { NAMES_MAX = 4 * SEATS_MAX + 1 };

struct name {
    size_t at; /* in `texts` */
    size_t len;
    bool own;
    bool shared; /* own, as a part of a name, and another's whole name */
};
struct names {
    struct buf texts;
    struct name name[NAMES_MAX];
    size_t count;
};
enum names_answer {
    NAMES_NONE,
    NAMES_FOUND,
    NAMES_WAIT /* the text is too short to tell */
};
struct names_found {
    size_t len; /* of all of it, with its colon */
    bool own;
    bool shared;     /* own here, and as much another's */
    struct str note; /* "(smiling)", a view of the text; empty: none */
};
void names_init(struct names *names);
void names_done(struct names *names);
/* All of the cast and the narrator, copied, as that seat (from 1) sees them. */
void names_begin(struct names *names, const struct cast *cast, int64_t seat);
/* The longest that stands at the start of `in`. `all`: nothing follows it. ret_found is
 * filled when one does. */
enum names_answer names_at(const struct names *names, struct str in, bool all,
                           struct names_found *ret_found);

#endif

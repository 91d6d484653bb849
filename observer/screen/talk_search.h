/* talk_search.h - what is searched for in a talk.
 *
 * Plain text, upper and lower case alike (of Latin, Greek and Cyrillic letters; others
 * as they are). With `re:` in front: a POSIX extended regular expression, upper and
 * lower case of ASCII letters alike, in which ^ and $ are a line's ends.
 */
#ifndef PARLEY_TALK_SEARCH_H
#define PARLEY_TALK_SEARCH_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"

enum { TALK_SEARCH_MAX_BYTES = 512 };

struct talk_search {
    struct buf wanted; /* as it was typed; empty: nothing is searched for */
    bool is_regex;
    regex_t regex;    /* when it is */
    unsigned version; /* another one with each new search */
};

void talk_search_init(struct talk_search *search);
void talk_search_done(struct talk_search *search);
/* Another search; an empty text: none. False (ERR_USAGE, one line for people): no
 * regular expression, or too long; what was searched for before stays. */
MUST_USE bool talk_search_set(struct talk_search *search, struct str text,
                              struct err *err);
bool talk_search_is_on(const struct talk_search *search);
/* The first match at or behind `from`; empty ones are passed over. */
bool talk_search_find(const struct talk_search *search, const struct buf *text,
                      size_t from, size_t *ret_at, size_t *ret_len);
/* The last one that begins before `before`. */
bool talk_search_find_before(const struct talk_search *search, const struct buf *text,
                             size_t before, size_t *ret_at, size_t *ret_len);
size_t talk_search_count(const struct talk_search *search, const struct buf *text);

#endif

/* talk_data.h - the words of the simulator: sentences by what they do in a
 * conversation, word lists, and trades with what people of that trade say.
 *
 * A line may hold slots: {topic}, {word} (of it), {echo} (a phrase of the other's last
 * message), {seen} (a thing in it), {me}, {you}, {role}, {goal}, {trait}, {tool} (of
 * the trade), or the name of a word list; {a:x} puts "a" or "an" before it.
 */
#ifndef PARLEY_TALK_DATA_H
#define PARLEY_TALK_DATA_H

#include <stddef.h>

#include "base/str.h"

enum pool_id {
    POOL_FIRST, /* the very first words of a conversation */
    POOL_HELLO, /* one's own first words, after the other's */
    POOL_ANSWER_YES_NO,
    POOL_ANSWER_WHY,
    POOL_ANSWER_HOW,
    POOL_ANSWER_WHAT,
    POOL_ANSWER_WHO,
    POOL_ANSWER_WHEN,
    POOL_TO_PROPOSAL, /* reactions */
    POOL_TO_OBJECTION,
    POOL_TO_PROBING,
    POOL_TO_DISAGREEING,
    POOL_TO_PROPOSING,
    POOL_TO_MAKING_UP,
    POOL_PROBE, /* what is said then */
    POOL_DISAGREE,
    POOL_ODD,
    POOL_MAKE_UP,
    POOL_TOPIC,
    POOL_TRADE,
    POOL_SELF,
    POOL_IMAGE,
    POOL_ASK, /* how a turn ends */
    POOL_PROPOSE,
    POOL_SEEN,  /* about {seen}, a thing the other spoke of */
    POOL_SHORT, /* a few words, to fill */
    POOL_COUNT
};

struct pool {
    const char *const *lines;
    size_t count;
};
const struct pool *pool_get(enum pool_id id);
/* The word list that a slot names; NULL if there is none. */
const struct pool *pool_words(struct str name);

enum { DOMAIN_TOOLS = 6, DOMAIN_SAYINGS = 7, DOMAIN_ROLES = 3 };
struct domain {
    const char *keys; /* parts of a role's name, separated by '|' */
    const char *tools[DOMAIN_TOOLS];
    const char *sayings[DOMAIN_SAYINGS];
    const char *roles[DOMAIN_ROLES];
};
extern const struct domain domains[];
extern const size_t domain_count; /* the last one fits everybody */

#endif

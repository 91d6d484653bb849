/* utterance.h - what the model says in one call: from the pieces as they arrive to the
 * words that are shown, and in the end to what the turn is. Pure.
 *
 * A structured reply (schemas/reply.schema.json) is read for its words while it
 * arrives (spoken.h); the words of either kind are cleaned (clean.h).
 *
 * Where a structured reply's document is says proto/document.h: all other replies are
 * not the one asked for.
 *
 * Flow: utterance_begin -> utterance_feed*, utterance_fresh* -> utterance_end [->
 * utterance_check]
 */
#ifndef PARLEY_UTTERANCE_H
#define PARLEY_UTTERANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "worker/clean.h"
#include "worker/spoken.h"

struct utterance {
    bool structured;
    struct thought thought; /* of a structured reply, as the next four */
    bool thoughtful;        /* there was some */
    struct buf fresh;       /* said, the newest of it */
    struct buf said;        /* all of it */
    struct spoken spoken;
    struct buf words; /* of a structured reply, before they are cleaned */
    struct clean clean;
    size_t fed;        /* bytes of the reply that have been looked at */
    size_t shown;      /* bytes of the clean text that utterance_fresh gave out */
    unsigned restarts; /* as far as utterance_fresh told of them */
    bool ended;
    bool at_limit;
    double sentiment;  /* of a checked structured reply; NAN unknown */
    char **references; /* owned */
    size_t reference_count;
};
void utterance_init(struct utterance *utterance);
void utterance_done(struct utterance *utterance);
/* From the next call on. */
void utterance_keep_thoughts(struct utterance *utterance);
/* A new call: what is known of the one before is forgotten. As clean_begin. */
void utterance_begin(struct utterance *utterance, const struct cast *cast, int64_t seat,
                     size_t max_bytes, bool structured);
/* False when enough has come: what follows does not belong to the turn. A structured
 * reply is wanted whole. */
bool utterance_feed(struct utterance *utterance, struct str piece);
/* The words that are certain and were not given out yet. *ret_anew: all that was given
 * out is void, these are the first ones. */
struct str utterance_fresh(struct utterance *utterance, bool *ret_anew);
/* The call is done: `whole` is all of it, also what was not fed. Once is enough, twice
 * is fine. `at_limit`: the server stopped at its limit of tokens. */
void utterance_end(struct utterance *utterance, struct str whole, bool at_limit);
/* The words of the turn, after utterance_end. */
struct str utterance_text(const struct utterance *utterance);
/* What was thought, as much as is kept; empty unless that is wished. */
struct str utterance_thoughts(const struct utterance *utterance);
/* Of a structured reply, after utterance_end: the document, or what stands in its
 * place. Valid until the next call begins. */
struct str utterance_document(const struct utterance *utterance);
/* It, by its schema: takes sentiment and references. err says what is wrong, for the
 * model. */
MUST_USE bool utterance_check(struct utterance *utterance, struct err *err);

#endif

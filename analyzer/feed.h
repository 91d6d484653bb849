/* feed.h - one JSON document of a log or a stream into the tally.
 *
 * What a program of parley wrote is checked like anything from outside: a document that
 * is not what it must be changes nothing and is told.
 */
#ifndef PARLEY_FEED_H
#define PARLEY_FEED_H

#include "base/err.h"
#include "base/str.h"

struct tally;

/* A message, schemas/dialog_message.schema.json. */
MUST_USE bool feed_message(struct tally *tally, struct str json, struct err *err);
/* A line of calls.jsonl, schemas/call.schema.json. */
MUST_USE bool feed_call(struct tally *tally, struct str json, struct err *err);
/* A line of events.jsonl, schemas/event.schema.json. */
MUST_USE bool feed_event(struct tally *tally, struct str json, struct err *err);

#endif

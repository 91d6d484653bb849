/* entry_line.h - what Redis has of a run as the lines and objects of a run's folder.
 *
 * Entries of K:events and K:calls become lines of events.jsonl and calls.jsonl
 * (schemas/event.schema.json, schemas/call.schema.json); a K:cast:<id> becomes the two
 * objects that run.json has of a conversation (schemas/run.schema.json). Whoever writes
 * such a folder writes it here, so that the folders of a run and of an export agree.
 */
#ifndef PARLEY_ENTRY_LINE_H
#define PARLEY_ENTRY_LINE_H

#include "base/buf.h"

struct redis_value;

/* entry: field, value, field, value ... Adds one object, without a line's end. */
void entry_line_event(const struct redis_value *entry, struct buf *line);
void entry_line_call(const struct redis_value *entry, struct buf *line);
/* fields: all of K:cast:<id>, as above. Adds one object of run.json's `stories`; false,
 * with nothing added, where the conversation never began. */
bool entry_line_story(const char *id, const struct redis_value *fields,
                      struct buf *into);
/* Adds one object of run.json's `casts`. */
void entry_line_cast(const char *id, const struct redis_value *fields,
                     struct buf *into);

#endif

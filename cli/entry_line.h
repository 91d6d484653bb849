/* entry_line.h - entries of K:events and K:calls as the lines of events.jsonl and
 * calls.jsonl (schemas/event.schema.json, schemas/call.schema.json).
 */
#ifndef PARLEY_ENTRY_LINE_H
#define PARLEY_ENTRY_LINE_H

#include "base/buf.h"

struct redis_value;

/* entry: field, value, field, value ... Adds one object, without a line's end. */
void entry_line_event(const struct redis_value *entry, struct buf *line);
void entry_line_call(const struct redis_value *entry, struct buf *line);

#endif

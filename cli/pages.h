/* pages.h - reads a stream from end to end, for short-lived commands.
 *
 * A page at a time, so that neither side holds much of it.
 */
#ifndef PARLEY_PAGES_H
#define PARLEY_PAGES_H

#include "base/err.h"
#include "base/str.h"
#include "cli/fleet.h"

struct redis_value;

/* Calls on_entry(owner, fields) for each entry from the id `from` ("-": the first) to
 * what is the last one now. A stream that is not there has none. */
MUST_USE bool pages_read(struct fleet *fleet, const char *key, const char *from,
                         void (*on_entry)(void *owner,
                                          const struct redis_value *fields),
                         void *owner, struct err *err);

#endif

/* json_pretty.h - JSON with line ends and indents, for reading.
 *
 * Works on the text alone, token by token, so that what was cut off, or is not quite
 * JSON, is shown as far as it goes. Strings and numbers stay as they are written.
 */
#ifndef PARLEY_JSON_PRETTY_H
#define PARLEY_JSON_PRETTY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/str.h"

/* False when `into` is full. Nothing is made harmless. */
bool json_pretty(struct str json, struct buf *into);

#endif

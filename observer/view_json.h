/* view_json.h - sights as JSON, one object a line, for programs.
 *
 * {"event":"delta","conversation":"k3v9q2m4x7ab","turn":3,...}; docs/protocol.md lists
 * the fields. Strings are escaped so far that a line may also be shown on a terminal:
 * whatever utf8_harmless would rewrite stands there as \uXXXX.
 */
#ifndef PARLEY_VIEW_JSON_H
#define PARLEY_VIEW_JSON_H

#include <stdbool.h>

#include "base/buf.h"
#include "sight.h"

/* False when `into` is full. */
bool view_json_show(const struct sight *sight, struct buf *into);

#endif

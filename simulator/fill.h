/* fill.h - an instance of a JSON Schema, filled with words that fit the prompt.
 *
 * Understands type (one or a list), enum, const, properties, required, items, minItems,
 * maxItems, uniqueItems, minLength, maxLength, minimum, maximum, exclusiveMinimum,
 * exclusiveMaximum, nullable, anyOf, oneOf and $ref into "#/..."; what
 * stands beside one of the last three is not looked at. Names of properties
 * tell what kind of words they want: name, role, traits, goal, style, description,
 * setting, initial_situation, message, title and some more. Pure and without memory:
 * the same seed, prompt and schema give the same document.
 */
#ifndef PARLEY_FILL_H
#define PARLEY_FILL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "simulator/talk.h"

/* Adds one line of JSON. `ask` gives prompt and seed, and how long a "message" is.
 * False (ERR_FORMAT) when no instance can be made: a false schema, a $ref that leads
 * nowhere or in circles, bounds that cross. */
MUST_USE bool fill_schema(const json_t *schema, const struct talk_ask *ask,
                          struct buf *into, struct err *err);

#endif

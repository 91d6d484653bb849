/* schema.h - checks a JSON document against a JSON Schema 2020-12, for the subset that
 * our schemas and structured replies use: type (also a list), enum, const, properties,
 * required, additionalProperties (a schema too), items, minItems, maxItems,
 * uniqueItems, minLength, maxLength, minimum, maximum, format date-time, anyOf, oneOf,
 * $ref into
 * "#/$defs/..."; pattern is NOT supported. Any other keyword is a mistake of ours.
 */
#ifndef PARLEY_SCHEMA_H
#define PARLEY_SCHEMA_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

/* The schema of that name from schemas/ ("story"), parsed once, kept for ever. */
const json_t *schema_get(const char *name);
/* Its text as a model server is sent it: compact, without $schema and $id, which the
 * strict modes of some refuse. Kept for ever. */
const char *schema_for_model(const char *name);
/* False with "<JSON pointer>: expected <what>, found <what>"; the root is "/". What
 * comes from the document is shown harmless and cut. */
MUST_USE bool schema_check(const json_t *schema, const json_t *document,
                           struct err *err);
/* Parses strictly (one value, no duplicate keys, nothing behind, bounded depth): the
 * caller owns *ret_document (json_decref). err: "line 3, column 7: <what>". */
MUST_USE bool json_read(struct str text, json_t **ret_document, struct err *err);

#endif

/* redis_value.h - a reply of Redis as a tree, and ways to pick from it.
 *
 * A value belongs to the connection and is valid inside the callback only. Pickers
 * never fail: what is missing or of another kind comes out empty, so a reply of an
 * unexpected form cannot crash the one who reads it.
 */
#ifndef PARLEY_REDIS_VALUE_H
#define PARLEY_REDIS_VALUE_H

#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

enum redis_kind {
    REDIS_NIL,
    REDIS_TEXT, /* bulk or status */
    REDIS_INTEGER,
    REDIS_ARRAY,
    REDIS_ERROR,
    REDIS_KIND_COUNT
};
const char *redis_kind_name(enum redis_kind kind);

struct redis_value {
    enum redis_kind kind;
    int64_t integer;
    struct str text; /* REDIS_TEXT, REDIS_ERROR */
    size_t count;
    const struct redis_value *const *items; /* REDIS_ARRAY */
};

/* Item i of an array, or a REDIS_NIL value when there is none. Never NULL. */
const struct redis_value *redis_item(const struct redis_value *value, size_t i);
/* The text of item i; integers are not converted; empty when it is something else. */
struct str redis_item_text(const struct redis_value *value, size_t i);
/* An integer item, or a text item that is a whole number; `otherwise` else. */
int64_t redis_item_i64(const struct redis_value *value, size_t i, int64_t otherwise);
/* In an array of field, value, field, value...: the value's text, empty if missing. */
struct str redis_field(const struct redis_value *pairs, const char *field);
int64_t redis_field_i64(const struct redis_value *pairs, const char *field,
                        int64_t otherwise);

#endif

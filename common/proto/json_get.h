/* json_get.h - values of a parsed JSON document, each with the place it stands at, so
 * that a complaint can name it: "/personas/1/name: expected a string, found null".
 *
 * A place is a few words on the stack that point at the place above; nothing is
 * allocated until something is wrong. Only common/proto sees json_t.
 */
#ifndef PARLEY_JSON_GET_H
#define PARLEY_JSON_GET_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct json_place {
    const json_t *value;            /* borrowed; NULL: there is no such member */
    const struct json_place *above; /* borrowed; NULL: this is the document */
    const char *key;                /* of the object above; NULL: an array's item */
    size_t index;                   /* in the array above */
};

struct json_place json_root(const json_t *document);
struct json_place json_member(const struct json_place *object, const char *key);
struct json_place json_item(const struct json_place *array, size_t index);
/* How many places stand above. */
int json_place_depth(const struct json_place *place);

/* Sets ERR_FORMAT "<JSON pointer, RFC 6901>: expected <expected>, found <the value>"
 * and returns false. What came from outside is shown harmless and cut; the root is "/".
 */
bool json_fail(const struct json_place *place, const char *expected, struct err *err);

/* Puts "<JSON pointer>: " before the message that is there; returns false. */
bool json_wrap(const struct json_place *place, struct err *err);

/* The getters fail by json_fail and then leave *ret_value alone. A copy of the text:
 * the caller frees. */
MUST_USE bool json_get_text(struct json_place place, char **ret_value, struct err *err);
/* Null or missing gives NULL. */
MUST_USE bool json_get_text_or_null(struct json_place place, char **ret_value,
                                    struct err *err);
/* A whole number (7.0 is one) of at least `min`; null or missing gives -1. */
MUST_USE bool json_get_count(struct json_place place, int64_t min, int64_t *ret_value,
                             struct err *err);
/* True or false; null or missing gives false. */
MUST_USE bool json_get_bool(struct json_place place, bool *ret_value, struct err *err);
/* A number of at least `min`; null or missing gives `unknown`. */
MUST_USE bool json_get_number(struct json_place place, double min, double unknown,
                              double *ret_value, struct err *err);
/* An array of texts; *ret_texts and each text are the caller's to free, NULL if none.
 */
MUST_USE bool json_get_texts(struct json_place place, char ***ret_texts,
                             size_t *ret_count, struct err *err);
/* "an object", "a number", "null": for complaints. */
const char *json_type_name(const json_t *value);
/* Whether a number is whole, and then which: 7.0 is 7. Null-safe. */
bool json_is_whole(const json_t *value, int64_t *ret_value);

#endif

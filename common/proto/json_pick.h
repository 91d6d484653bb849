/* json_pick.h - picks a few texts out of a JSON object of a known form, in one pass and
 * without a tree. A stream brings the same form thousands of times, and building a tree
 * for each costs several times as much.
 *
 * A form lists the keys an object may have, in any order. Whatever is not exactly as
 * the form says is answered with false, though it may well be JSON: the caller then
 * reads it the long way (json_read). What this accepts, json_read accepts too, with the
 * same texts.
 */
#ifndef PARLEY_JSON_PICK_H
#define PARLEY_JSON_PICK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct json_pick_form;
struct json_pick_key {
    const char *name;
    enum json_pick_kind {
        PICK_IGNORE,   /* a text, a whole number, true, false or null */
        PICK_TEXT,     /* a text or null, into its slot */
        PICK_NULL,     /* null */
        PICK_NOT_TRUE, /* false or null */
        PICK_OBJECT,   /* an object of `form` */
        PICK_ONLY_ITEM /* an array with exactly one object of `form` */
    } kind;
    unsigned slot;                     /* of PICK_TEXT */
    const struct json_pick_form *form; /* of PICK_OBJECT and PICK_ONLY_ITEM */
};
enum { JSON_PICK_KEYS_MAX = 32, JSON_PICK_DEPTH_MAX = 8 };
struct json_pick_form {
    const struct json_pick_key *keys;
    size_t count; /* at most JSON_PICK_KEYS_MAX */
};

/* A text as it stands between its quotes: a view into the document. */
struct json_pick_text {
    struct str raw; /* well-formed UTF-8 */
    bool escaped;   /* it holds a backslash: json_pick_unescape */
};

/* Each key at most once, nothing behind the object but blanks. Slots of absent keys and
 * of nulls are left alone; on failure any may have been written. */
MUST_USE bool json_pick(struct str json, const struct json_pick_form *form,
                        struct json_pick_text *slots);
/* Adds what the escapes mean. False for an escape this does not know (a NUL, a half of
 * a surrogate pair, an unknown letter) and when `into` is full. */
MUST_USE bool json_pick_unescape(struct str raw, struct buf *into);

#endif

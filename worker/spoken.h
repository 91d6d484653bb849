/* spoken.h - the words inside a structured reply, while its JSON is still arriving: the
 * text of the first member "message" of the outermost object. Pure.
 *
 * It only shows; whether the document is any good is judged when it is whole. What is
 * no JSON gives no words or fewer, never a failure. What stands before the object (a
 * Markdown fence) is passed over. Escapes are decoded (RFC 8259); half of a surrogate
 * pair and U+0000 become U+FFFD.
 *
 * Flow: spoken_init -> spoken_feed*
 */
#ifndef PARLEY_SPOKEN_H
#define PARLEY_SPOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

enum spoken_place {
    SPOKEN_BETWEEN, /* outside of strings */
    SPOKEN_TEXT,    /* inside a string */
    SPOKEN_ESCAPE,  /* behind its backslash */
    SPOKEN_HEX      /* inside the digits of \uXXXX */
};
enum { SPOKEN_KEY_SIZE = 16 };

struct spoken {
    enum spoken_place place;
    size_t depth;              /* of objects and lists; 1: in the outermost */
    bool is_value;             /* behind a colon of the outermost object */
    bool shown;                /* the string being read is the one */
    bool found;                /* it was read: a later one of that name is not */
    char key[SPOKEN_KEY_SIZE]; /* the last key of the outermost object, cut */
    size_t key_len;
    uint32_t point; /* of \uXXXX so far */
    unsigned digits;
    uint32_t high; /* the first half of a surrogate pair; 0 none */
};
void spoken_init(struct spoken *spoken);
/* Adds the words that this piece of JSON brings to `into`: whole characters where the
 * pieces are. False when `into` is full. */
bool spoken_feed(struct spoken *spoken, struct str json, struct buf *into);

#endif

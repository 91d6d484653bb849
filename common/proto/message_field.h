/* message_field.h - the keys of a message's `metadata` as a table, in the order of the
 * schema; message.c, message_read.c and message_scan.c walk it, so they cannot part.
 */
#ifndef PARLEY_MESSAGE_FIELD_H
#define PARLEY_MESSAGE_FIELD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct message;

enum message_field_kind {
    FIELD_TEXT,  /* char *, NULL unknown */
    FIELD_COUNT, /* int64_t, -1 unknown */
    FIELD_NUMBER /* double from 0 on, -1 unknown */
};
struct message_field {
    const char *key;
    const char *mark; /* `,"key":` */
    size_t mark_len;
    enum message_field_kind kind;
    size_t offset; /* in struct message */
    int64_t min;   /* of a count that is known */
    int decimals;  /* of a number */
    bool optional; /* left out where unknown; these stand behind the others */
};

/* The field of that index, NULL behind the last. */
const struct message_field *message_field(size_t index);
/* Where it lies in the message: a char *, int64_t or double, by its kind. */
void *message_field_in(struct message *message, const struct message_field *field);
const void *message_field_of(const struct message *message,
                             const struct message_field *field);

#endif

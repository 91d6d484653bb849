/* message_read.h - reads any JSON document as a message, by its tree: the judge of what
 * a message is, and the one who says what is wrong. Slow; message_scan.h is the fast
 * road.
 */
#ifndef PARLEY_MESSAGE_READ_H
#define PARLEY_MESSAGE_READ_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct message;

/* As message_parse (message.h), without its bound of the length. */
MUST_USE bool message_read(struct str json, struct message *ret_message,
                           struct err *err);

#endif

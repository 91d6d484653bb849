/* message_scan.h - reads a turn as message_format writes it: these very keys, in that
 * order, without blanks between. Building a tree for it first takes several times as
 * long, and turns are what a fleet reads all day.
 */
#ifndef PARLEY_MESSAGE_SCAN_H
#define PARLEY_MESSAGE_SCAN_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"

struct message;

/* False, with *ret_message untouched, for whatever does not look exactly like that,
 * though it may well be a message: message_read then decides. What this accepts,
 * message_read accepts with the same result. */
MUST_USE bool message_scan(struct str json, struct message *ret_message);
/* The same without any allocation, for who reads a million of them: the texts stand in
 * `room`, which has space for json.len bytes, until that is used for the next; the
 * message is not freed (no message_done). False also for a message to some seats only,
 * then *ret_message is without meaning. */
MUST_USE bool message_scan_into(struct str json, char *room,
                                struct message *ret_message);

#endif

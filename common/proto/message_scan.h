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

#endif

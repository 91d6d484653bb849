/* asked.h - a request as it was sent to a model server, for people to look at: a field
 * of K:asked:<id>, docs/protocol.md.
 *
 * Never holds a key: the URL is without user and password, headers are not kept.
 */
#ifndef PARLEY_ASKED_H
#define PARLEY_ASKED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { ASKED_BODY_MAX_BYTES = 64 << 10, ASKED_MAX_BYTES = 512 << 10 };

struct asked {
    char *call; /* owned, as the next two (asked_done); never NULL once read */
    char *url;
    char *body; /* JSON, as it was sent, or the first of it */
    int64_t turn;
    bool cut;           /* the body was longer: */
    int64_t body_bytes; /* so long */
};

struct asked_sent {
    const char *call;
    const char *url; /* as it may be shown */
    struct str body; /* whole */
    int64_t turn;
};

/* {"call":...,"turn":...,"url":...,"bytes":...,"cut":...,"body":"..."}; the body is cut
 * at ASKED_BODY_MAX_BYTES, behind a whole character. False when `into` is full. */
bool asked_format(const struct asked_sent *sent, struct buf *into);
/* *ret_asked is then owned by the caller (asked_done); untouched on failure. */
MUST_USE bool asked_parse(struct str json, struct asked *ret_asked, struct err *err);
void asked_done(struct asked *asked);

#endif

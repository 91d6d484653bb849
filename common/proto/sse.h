/* sse.h - cuts a stream of server-sent events, wherever the chunks end. Pure.
 *
 * By the HTML standard, "server-sent events", 9.2.6: UTF-8 with or without a BOM, lines
 * that end with LF, CR or CRLF, comments (":"), one blank behind the colon left out,
 * several data lines joined with LF, an event without data not told. Fields nobody here
 * wants (id, retry, unknown ones) are passed over. Beyond the standard: the field
 * `error`, in which llama.cpp once told its failures, and a last event whose end did
 * not come (sse_rest).
 */
#ifndef PARLEY_SSE_H
#define PARLEY_SSE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct sse_event {
    struct str name;  /* of the field `event`; empty: none */
    struct str data;  /* the lines of `data`, LF between them */
    struct str error; /* of the field `error`; empty: none */
};

struct sse {
    size_t max_bytes;
    struct buf line;      /* the start of a line whose end has not come */
    struct buf name;      /* of the event that is being read, as the next two */
    struct buf data;      /* but for what `view` holds */
    struct buf error;     /* the field's value */
    struct str view;      /* its only data line, still in the chunk being fed */
    bool has_data;        /* a line of data came */
    bool past_bom;        /* the first line is over: no BOM can come any more */
    bool after_return;    /* the last byte was a CR: an LF belongs to it */
    size_t foreign_lines; /* with a name no field has: this may be something else */
};

/* No line, and no event's data, may be longer than max_bytes. */
void sse_init(struct sse *sse, size_t max_bytes);
void sse_done(struct sse *sse);
/* Calls on_event for each whole event; its views are valid inside the callback only.
 * on_event returns false to stop: the rest is dropped and the result is true. False
 * when a line or an event is longer than the maximum (ERR_LIMIT). */
MUST_USE bool sse_feed(struct sse *sse, struct str bytes,
                       bool (*on_event)(void *owner, const struct sse_event *event),
                       void *owner, struct err *err);
/* The stream has ended: what came of an event behind the last empty line, its last line
 * taken as whole. False when there is none. Valid until sse_done. */
bool sse_rest(struct sse *sse, struct sse_event *ret_event);

#endif

/* sink.h - where an export goes: standard output, or a file that appears when it is
 * whole.
 *
 * A file is written beside its place and moved there at the end, so that nobody reads
 * half an export and a failure leaves the old one alone. Devices and pipes
 * (file_is_stream) are written to.
 */
#ifndef PARLEY_SINK_H
#define PARLEY_SINK_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct sink {
    FILE *to;         /* NULL: not open */
    char *path;       /* owned; NULL: standard output */
    char *beside;     /* owned; NULL: a stream */
    struct buf plain; /* for sink_json */
};

/* path: NULL or "-" is standard output. ERR_USAGE names a file that cannot be made. */
MUST_USE bool sink_open(struct sink *sink, const char *path, struct err *err);
/* The bytes as they are. */
MUST_USE bool sink_write(struct sink *sink, struct str bytes, struct err *err);
/* A piece of JSON: what must not reach a terminal (utf8_harmful) and stands in its
 * strings is written as \uXXXX, which means the same. No piece ends inside a character.
 */
MUST_USE bool sink_json(struct sink *sink, struct str json, struct err *err);
/* Writes what waits and puts the file in its place. Frees in every case. */
MUST_USE bool sink_close(struct sink *sink, struct err *err);
/* Gives up: no file, frees. After sink_close nothing happens. */
void sink_drop(struct sink *sink);

#endif

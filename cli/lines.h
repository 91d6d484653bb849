/* lines.h - whole lines at the end of a file, also over a disk that is full for a
 * while.
 *
 * What cannot be written waits in memory and is tried again by the caller; half a line
 * that came through is cut off at once, so that the file always ends with a whole one.
 * One writer a file: what others append meanwhile may be cut off.
 */
#ifndef PARLEY_LINES_H
#define PARLEY_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum {
    LINES_PAUSE_BYTES = 32 << 20, /* so much waiting: bring no more if you can */
    LINES_MAX_BYTES = 512 << 20   /* so much at most: what comes then is lost */
};

struct lines {
    char *path; /* owned; NULL: not open */
    int fd;
    int64_t end;        /* bytes of the whole lines that are in the file */
    struct buf waiting; /* lines that are not */
};
/* Appends to what is there. */
MUST_USE bool lines_open(struct lines *lines, const char *path, struct err *err);
/* The line, without its end; written at the next flush. Lines for a file that is not
 * open are dropped. False when LINES_MAX_BYTES are waiting: it is dropped, too. */
bool lines_add(struct lines *lines, struct str line);
/* True when all is in the file. */
MUST_USE bool lines_flush(struct lines *lines, struct err *err);
/* Bytes of the file, from its beginning. */
struct lines_range {
    int64_t from;
    int64_t to; /* the first byte behind it */
};
/* Takes whole lines out of the file, which is another one under the same name then: a
 * reader sees the old or the new one. Ranges in their order, none touching what waits.
 * False: the file is as it was. */
MUST_USE bool lines_take_out(struct lines *lines, const struct lines_range *ranges,
                             size_t count, struct err *err);
size_t lines_waiting(const struct lines *lines); /* in bytes */
/* Writes nothing more. Fine when it is not open. */
MUST_USE bool lines_close(struct lines *lines, struct err *err);

#endif

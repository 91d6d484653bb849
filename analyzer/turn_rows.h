/* turn_rows.h - --csv: one row a turn, written while the log is read, so that its
 * length does not matter.
 *
 * A file is written beside its place and renamed at the end: readers see the old or the
 * whole new one. Streams (file_is_stream, "-") are written to. The first row has the
 * names of the columns.
 *
 * Flow: turn_rows_open -> turn_rows_take* -> turn_rows_end (or turn_rows_drop)
 */
#ifndef PARLEY_TURN_ROWS_H
#define PARLEY_TURN_ROWS_H

#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

struct message;

struct turn_rows {
    const char *path; /* borrowed; "-" standard output */
    char *part;       /* owned: what is written until the end; NULL for a stream */
    FILE *file;       /* owned unless it is stdout */
    struct buf row;
    int errnum; /* of the first write that failed */
};

MUST_USE bool turn_rows_open(struct turn_rows *rows, const char *path, struct err *err);
void turn_rows_take(struct turn_rows *rows, const struct message *turn);
/* Fails also for what could not be written before; nothing is left then. */
MUST_USE bool turn_rows_end(struct turn_rows *rows, struct err *err);
/* Gives up; what was written to a file is removed. Fine after turn_rows_end. */
void turn_rows_drop(struct turn_rows *rows);

#endif

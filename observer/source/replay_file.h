/* replay_file.h - a file of lines that is read by place: once from its start, to learn
 * where each line stands, then single lines wherever they are.
 *
 * Never holds more than one line. The file may grow or shrink meanwhile: a line that is
 * no longer there is told, nothing is mapped into memory.
 */
#ifndef PARLEY_REPLAY_FILE_H
#define PARLEY_REPLAY_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

enum { REPLAY_LINE_MAX_BYTES = 2 << 20 };

struct replay_file {
    int fd;     /* owned; -1: there is no such file */
    char *path; /* owned */
};
/* ERR_SYSTEM with the path. Owned by the caller (replay_file_done). */
MUST_USE bool replay_file_open(const char *path, struct replay_file *ret_file,
                               struct err *err);
void replay_file_done(struct replay_file *file); /* zeroed or opened; fd -1 is fine */

/* A line without its line end, valid for the call. Longer than REPLAY_LINE_MAX_BYTES:
 * `too_long`, and the text is empty. Empty lines are passed over. */
struct replay_line {
    struct str text;
    int64_t offset; /* of its first byte */
    int64_t number; /* from 1 */
    bool too_long;
};
/* All lines from the start, in their order. False when the file cannot be read. */
MUST_USE bool replay_file_scan(const struct replay_file *file,
                               void (*on_line)(void *owner,
                                               const struct replay_line *line),
                               void *owner, struct err *err);
/* Replaces what is in `into`, which must hold REPLAY_LINE_MAX_BYTES, by the line that
 * begins there. */
MUST_USE bool replay_file_line(const struct replay_file *file, int64_t offset,
                               struct buf *into, struct err *err);
/* The number of the line that begins there; reads all that stands before it. */
MUST_USE bool replay_file_number(const struct replay_file *file, int64_t offset,
                                 int64_t *ret_number, struct err *err);

#endif

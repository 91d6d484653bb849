/* written.h - which entries of Redis' streams a file's last lines were made of.
 *
 * For a Redis that comes back with less than it had: the lines of what is gone are
 * taken out again, so that the file says what Redis says. Only the last WRITTEN_MAX
 * lines are known; a history that was cut shorter than that is told, not mended.
 */
#ifndef PARLEY_WRITTEN_H
#define PARLEY_WRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

struct lines;

enum { WRITTEN_MAX = 1 << 16, WRITTEN_MARKS = 4096, WRITTEN_ANY = -1 };

struct written_line {
    uint64_t ms; /* of the entry's id */
    uint64_t number;
    int64_t at; /* where the line begins in the file */
    int32_t bytes;
    int32_t source; /* whose stream it was: the caller's number, from 0 */
    uint64_t mark;  /* what it tells, as the caller hashed it; 0: nothing of note */
};
struct written {
    struct written_line *ring; /* owned; the oldest at `first` */
    size_t first;
    size_t count;
    int64_t end; /* of the file, with what waits to be written */
};
/* `end`: the size of the file now. */
void written_init(struct written *written, int64_t end);
void written_done(struct written *written);
/* A line was added to the file: without its end it is `len` bytes long. */
void written_add(struct written *written, int source, struct str entry, size_t len);
/* Marks the line that was added last. */
void written_mark(struct written *written, uint64_t mark);
/* One of the last WRITTEN_MARKS lines bears that mark (not 0). */
bool written_has(const struct written *written, uint64_t mark);
/* Takes the lines of a source (WRITTEN_ANY: of all) out whose entries stand behind
 * `last`, all of the file's lines being written. False: the file is as it was. */
MUST_USE bool written_cut(struct written *written, struct lines *lines, int source,
                          struct str last, size_t *ret_count, struct err *err);

#endif

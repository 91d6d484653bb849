/* lines.h - the lines of a file, one after the other, with their numbers.
 *
 * Reads through one buffer; a line stays where it was read and is valid until the next
 * call. A line over LINE_MAX_BYTES is passed over and told as such: one broken line
 * does not cost the rest of the file.
 */
#ifndef PARLEY_LINES_H
#define PARLEY_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"

enum { LINES_FIRST_BYTES = 256 * 1024, LINE_MAX_BYTES = 8 * 1024 * 1024 };

struct lines {
    int fd; /* owned */
    char *at;
    size_t start; /* of what is not given out yet */
    size_t end;
    size_t capacity;
    int64_t number; /* of the line given last, from 1 */
    int64_t offset; /* of `start` in the file */
    bool over;      /* nothing is left in the file */
    bool skipping;  /* inside a line that is too long */
    bool failed;    /* a read failed: lines_check tells */
    bool growing;   /* the caller reads on later: a last line without its end waits */
    int errnum;
};
struct line {
    struct str text; /* without its \n or \r\n; empty when too_long */
    int64_t number;
    int64_t offset; /* where it begins; without meaning when too_long */
    bool ended;     /* false: the file ends without a \n behind it */
    bool too_long;
};

/* Fails with ERR_SYSTEM and the path. */
MUST_USE bool lines_open(struct lines *lines, const char *path, struct err *err);
void lines_close(struct lines *lines);
/* False at the end of the file and when it cannot be read any further. */
bool lines_next(struct lines *lines, struct line *ret_line);
/* For a file that grows: looks again whether there is more. */
void lines_again(struct lines *lines);
/* After the last line: false with the reason when the reading failed. */
MUST_USE bool lines_check(const struct lines *lines, const char *path, struct err *err);

#endif

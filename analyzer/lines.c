/* lines.c - see lines.h. */
#include "analyzer/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

bool lines_open(struct lines *lines, const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    *lines = (struct lines){.fd = fd, .capacity = LINES_FIRST_BYTES};
    lines->at = x_malloc(lines->capacity);
    return true;
}

void lines_close(struct lines *lines)
{
    (void)close(lines->fd); /* only read */
    free(lines->at);
    *lines = (struct lines){.fd = -1};
}

void lines_again(struct lines *lines)
{
    lines->over = lines->failed;
}

bool lines_check(const struct lines *lines, const char *path, struct err *err)
{
    return !lines->failed || err_sys(err, lines->errnum, "%s", path);
}

/* Moves what is left to the front; drops it, or grows, when that makes no room. */
static void make_room(struct lines *lines)
{
    size_t left = lines->end - lines->start;

    memmove(lines->at, lines->at + lines->start, left);
    lines->start = 0;
    lines->end = left;
    if (left < lines->capacity)
        return;
    if (lines->capacity >= LINE_MAX_BYTES) {
        lines->skipping = true;
        lines->offset += (int64_t)left;
        lines->end = 0;
        return;
    }
    lines->capacity *= 2;
    lines->at = x_realloc(lines->at, lines->capacity);
}

/* Returns how many of the bytes given out by nobody yet were there before. */
static size_t read_more(struct lines *lines)
{
    size_t kept;
    ssize_t got;

    make_room(lines);
    kept = lines->end;
    do {
        got = read(lines->fd, lines->at + lines->end, lines->capacity - lines->end);
    } while (got < 0 && errno == EINTR);
    if (got < 0) {
        lines->failed = true;
        lines->errnum = errno;
    }
    if (got <= 0)
        lines->over = true;
    else
        lines->end += (size_t)got;
    return kept;
}

static void give(struct lines *lines, size_t len, bool ended, struct line *ret_line)
{
    struct str text = str_make(lines->at + lines->start, len);

    if (ended && text.len > 0 && text.at[text.len - 1] == '\r')
        text.len--;
    lines->number++;
    *ret_line = (struct line){.text = lines->skipping ? str_of("") : text,
                              .number = lines->number,
                              .offset = lines->offset,
                              .ended = ended,
                              .too_long = lines->skipping};
    lines->start += len + (ended ? 1 : 0);
    lines->offset += (int64_t)len + (ended ? 1 : 0);
    lines->skipping = false;
}

bool lines_next(struct lines *lines, struct line *ret_line)
{
    size_t looked = 0; /* bytes behind start known to hold no \n */

    for (;;) {
        size_t left = lines->end - lines->start;
        const char *from = lines->at + lines->start;
        const char *found =
            left == looked ? NULL : memchr(from + looked, '\n', left - looked);

        if (found != NULL) {
            give(lines, (size_t)(found - from), true, ret_line);
            return true;
        }
        if (lines->over) {
            if (lines->growing || (left == 0 && !lines->skipping))
                return false;
            give(lines, left, false, ret_line);
            return true;
        }
        looked = read_more(lines);
    }
}

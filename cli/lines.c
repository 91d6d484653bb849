/* lines.c - see lines.h. */
#include "cli/lines.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"

enum { COPY_BYTES = 1 << 16 };

bool lines_open(struct lines *lines, const char *path, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    struct stat found;

    if (fd < 0 || fstat(fd, &found) != 0) {
        err_sys(err, errno, "%s", path);
        if (fd >= 0)
            (void)close(fd); /* nothing was written */
        return false;
    }
    *lines = (struct lines){.path = x_strdup(path), .fd = fd, .end = found.st_size};
    buf_init(&lines->waiting, LINES_MAX_BYTES);
    return true;
}

bool lines_add(struct lines *lines, struct str line)
{
    if (lines->path == NULL)
        return true;
    if (lines->waiting.len + line.len + 1 > LINES_MAX_BYTES)
        return false;
    (void)buf_add_str(&lines->waiting, line); /* there is room */
    (void)buf_add_char(&lines->waiting, '\n');
    return true;
}

/* As much as goes; errno tells why it was not all. */
static size_t write_some(const struct lines *lines)
{
    size_t done = 0;

    if (fault_point("record.write") == FAULT_FAIL) {
        errno = ENOSPC;
        return 0;
    }
    while (done < lines->waiting.len) {
        ssize_t put =
            write(lines->fd, lines->waiting.at + done, lines->waiting.len - done);

        if (put < 0 && errno != EINTR)
            break;
        done += put > 0 ? (size_t)put : 0;
    }
    return done;
}

/* How many of the first `len` bytes are whole lines. */
static size_t whole_lines(const struct buf *waiting, size_t len)
{
    while (len > 0 && waiting->at[len - 1] != '\n')
        len--;
    return len;
}

bool lines_flush(struct lines *lines, struct err *err)
{
    size_t put;
    size_t whole;
    int failed;

    if (lines->path == NULL || lines->waiting.len == 0)
        return true;
    put = write_some(lines);
    failed = errno;
    whole = whole_lines(&lines->waiting, put);
    lines->end += (int64_t)whole;
    if (put == lines->waiting.len) {
        buf_clear(&lines->waiting);
        return true;
    }
    if (whole < put && ftruncate(lines->fd, lines->end) != 0)
        return err_sys(err, errno, "%s ends within a line", lines->path);
    buf_eat(&lines->waiting, whole);
    return err_sys(err, failed, "%s", lines->path);
}

/* What stands between the ranges, to the file given. */
static bool copy_rest(const struct lines *lines, const struct lines_range *ranges,
                      size_t count, int to)
{
    int from = open(lines->path, O_RDONLY | O_CLOEXEC);
    char piece[COPY_BYTES];
    int64_t at = 0;
    size_t next = 0;
    bool ok = from >= 0;

    while (ok && at < lines->end) {
        int64_t stop = next < count ? ranges[next].from : lines->end;
        size_t want =
            (size_t)(stop - at) < sizeof piece ? (size_t)(stop - at) : sizeof piece;
        ssize_t got = 0;

        if (want == 0) {
            at = ranges[next++].to;
            continue;
        }
        got = pread(from, piece, want, (off_t)at);
        ok = got > 0 && write(to, piece, (size_t)got) == got;
        at += got;
    }
    if (from >= 0)
        (void)close(from); /* only read */
    return ok;
}

bool lines_take_out(struct lines *lines, const struct lines_range *ranges, size_t count,
                    struct err *err)
{
    char *path = x_printf("%s.new", lines->path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0644);
    bool ok = fd >= 0 && copy_rest(lines, ranges, count, fd)
              && rename(path, lines->path) == 0;

    if (ok) {
        (void)close(lines->fd); /* of a file that has no name any more */
        lines->fd = fd;
        for (size_t i = 0; i < count; i++)
            lines->end -= ranges[i].to - ranges[i].from;
    } else {
        err_sys(err, errno, "%s", path);
        if (fd >= 0)
            (void)close(fd); /* it goes */
        (void)unlink(path);
    }
    free(path);
    return ok;
}

size_t lines_waiting(const struct lines *lines)
{
    return lines->path == NULL ? 0 : lines->waiting.len;
}

bool lines_close(struct lines *lines, struct err *err)
{
    bool ok;

    if (lines->path == NULL)
        return true;
    ok = close(lines->fd) == 0 || err_sys(err, errno, "%s", lines->path);
    free(lines->path);
    buf_done(&lines->waiting);
    *lines = (struct lines){0};
    return ok;
}

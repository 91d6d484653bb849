/* replay_file.c - see replay_file.h. */
#include "observer/source/replay_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"

enum { PIECE_BYTES = 64 * 1024, LINE_PIECE_BYTES = 4096 };

bool replay_file_open(const char *path, struct replay_file *ret_file, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_sys(err, errno, "%s", path);
    *ret_file = (struct replay_file){.fd = fd, .path = x_strdup(path)};
    return true;
}

void replay_file_done(struct replay_file *file)
{
    if (file->path != NULL && file->fd >= 0)
        (void)close(file->fd); /* only read */
    free(file->path);
    *file = (struct replay_file){.fd = -1};
}

/* Up to `bytes` from there; -1: it cannot be read. */
static ssize_t read_at(const struct replay_file *file, char *piece, size_t bytes,
                       int64_t offset, struct err *err)
{
    ssize_t got;

    do {
        got = pread(file->fd, piece, bytes, (off_t)offset);
    } while (got < 0 && errno == EINTR);
    if (got < 0)
        err_sys(err, errno, "%s", file->path);
    return got;
}

/* ---- from the start ---- */

struct scan {
    struct buf held; /* a line's beginning, from the pieces before */
    struct replay_line line;
    void (*on_line)(void *owner, const struct replay_line *line);
    void *owner;
};

static void give_line(struct scan *scan, struct str rest, int64_t next_offset)
{
    struct replay_line *line = &scan->line;

    line->number++;
    if (!line->too_long && scan->held.len > 0)
        line->too_long = !buf_add_str(&scan->held, rest);
    line->text = scan->held.len > 0 ? buf_str(&scan->held) : rest;
    if (line->text.len > 0 && line->text.at[line->text.len - 1] == '\r')
        line->text.len--;
    if (line->text.len > REPLAY_LINE_MAX_BYTES)
        line->too_long = true;
    if (line->too_long)
        line->text = str_of("");
    if (line->too_long || line->text.len > 0)
        scan->on_line(scan->owner, line);
    line->too_long = false;
    line->offset = next_offset;
    buf_clear(&scan->held);
}

static void take_piece(struct scan *scan, struct str piece, int64_t offset)
{
    size_t from = 0;

    while (from < piece.len) {
        const char *end = memchr(piece.at + from, '\n', piece.len - from);
        size_t at = end == NULL ? piece.len : (size_t)(end - piece.at);
        struct str text = str_make(piece.at + from, at - from);

        if (end == NULL) {
            if (!buf_add_str(&scan->held, text))
                scan->line.too_long = true;
            return;
        }
        give_line(scan, text, offset + (int64_t)at + 1);
        from = at + 1;
    }
}

bool replay_file_scan(const struct replay_file *file,
                      void (*on_line)(void *owner, const struct replay_line *line),
                      void *owner, struct err *err)
{
    struct scan scan = {.on_line = on_line, .owner = owner};
    char *piece = x_malloc(PIECE_BYTES);
    int64_t offset = 0;
    ssize_t got;

    buf_init(&scan.held, REPLAY_LINE_MAX_BYTES);
    while ((got = read_at(file, piece, PIECE_BYTES, offset, err)) > 0) {
        take_piece(&scan, str_make(piece, (size_t)got), offset);
        offset += got;
    }
    if (got == 0 && (scan.held.len > 0 || scan.line.too_long))
        give_line(&scan, str_of(""), offset);
    buf_done(&scan.held);
    free(piece);
    return got == 0;
}

/* ---- by place ---- */

bool replay_file_line(const struct replay_file *file, int64_t offset, struct buf *into,
                      struct err *err)
{
    char piece[LINE_PIECE_BYTES];

    buf_clear(into);
    for (;;) {
        ssize_t got =
            read_at(file, piece, sizeof piece, offset + (int64_t)into->len, err);
        const char *end = got > 0 ? memchr(piece, '\n', (size_t)got) : NULL;
        size_t len = end != NULL ? (size_t)(end - piece) : (size_t)(got > 0 ? got : 0);

        if (got < 0)
            return false;
        if (!buf_add(into, piece, len))
            return err_set(err, ERR_LIMIT, "%s: a line is too long", file->path);
        if (end != NULL || got == 0)
            break;
    }
    if (into->len > 0 && into->at[into->len - 1] == '\r')
        into->len--;
    if (into->len == 0)
        return err_set(err, ERR_FORMAT, "%s: a line is gone", file->path);
    return true;
}

bool replay_file_number(const struct replay_file *file, int64_t offset,
                        int64_t *ret_number, struct err *err)
{
    char piece[LINE_PIECE_BYTES];
    int64_t number = 1;
    int64_t at = 0;

    while (at < offset) {
        int64_t left = offset - at;
        size_t want = left < LINE_PIECE_BYTES ? (size_t)left : sizeof piece;
        ssize_t got = read_at(file, piece, want, at, err);

        if (got < 0)
            return false;
        if (got == 0)
            break;
        for (ssize_t i = 0; i < got; i++)
            number += piece[i] == '\n';
        at += got;
    }
    *ret_number = number;
    return true;
}

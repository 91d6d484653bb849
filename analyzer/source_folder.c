/* source_folder.c - see source_folder.h. */
#include "analyzer/source_folder.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "analyzer/feed.h"
#include "analyzer/lines.h"
#include "analyzer/notes.h"
#include "analyzer/run_info.h"
#include "analyzer/tally.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/utf8.h"
#include "proto/schema.h"

enum { RUN_MAX_BYTES = 64 * 1024 * 1024 };

/* One of the folder's streams. */
struct stream {
    const char *path;
    bool (*feed)(struct tally *tally, struct str json, struct err *err);
    struct tally *tally;
    struct notes *notes;
};

static void take_line(const struct stream *stream, const struct line *line)
{
    struct err err = {0};

    if (line->too_long)
        notes_add(stream->notes, "%s:%lld: skipped: longer than %d bytes",
                  log_safe(str_of(stream->path)), (long long)line->number,
                  (int)LINE_MAX_BYTES);
    else if (line->text.len == 0 || stream->feed(stream->tally, line->text, &err))
        return;
    else if (!line->ended)
        notes_add(stream->notes, "%s:%lld: skipped: the last line is cut off",
                  log_safe(str_of(stream->path)), (long long)line->number);
    else
        notes_add(stream->notes, "%s:%lld: skipped: %s", log_safe(str_of(stream->path)),
                  (long long)line->number, err.msg);
}

static bool read_stream(const struct stream *stream, struct err *err)
{
    struct lines lines;
    struct line line;
    bool ok;

    if (!lines_open(&lines, stream->path, err))
        return false;
    while (lines_next(&lines, &line))
        take_line(stream, &line);
    ok = lines_check(&lines, stream->path, err);
    lines_close(&lines);
    return ok;
}

/* A stream that may be missing; says whether it was there. One that breaks off while it
 * is read keeps what came before. */
static bool read_extra(const char *folder, const char *name, struct stream stream)
{
    char *path = path_join(folder, name);
    bool there = file_exists(path);
    struct err err = {0};

    stream.path = path;
    if (there && !read_stream(&stream, &err))
        notes_add(stream.notes, "%s", log_safe(str_of(err.msg)));
    free(path);
    return there;
}

static bool has_calls(const char *folder)
{
    char *path = path_join(folder, "calls.jsonl");
    bool there = file_exists(path);

    free(path);
    return there;
}

static bool read_folder(const char *folder, struct stream stream, struct err *err)
{
    char *transcript = path_join(folder, "transcript.jsonl");
    bool ok;

    if (has_calls(folder))
        tally_calls_follow(stream.tally);

    stream.path = transcript;
    ok = read_stream(&stream, err);
    free(transcript);
    if (!ok)
        return false;
    stream.feed = feed_call;
    if (read_extra(folder, "calls.jsonl", stream))
        tally_expect_calls(stream.tally);
    stream.feed = feed_event;
    (void)read_extra(folder, "events.jsonl", stream); /* then the states are unknown */
    return true;
}

bool source_folder_read(const char *path, struct tally *tally, struct notes *notes,
                        struct err *err)
{
    struct stream stream = {path, feed_message, tally, notes};
    struct stat found;
    bool ok;

    if (stat(path, &found) != 0)
        ok = err_sys(err, errno, "%s", log_safe(str_of(path)));
    else if (S_ISDIR(found.st_mode))
        ok = read_folder(path, stream, err);
    else
        ok = read_stream(&stream, err);
    if (!ok && err != NULL)
        err->code = ERR_USAGE; /* what was named is not there */
    return ok;
}

/* ---- one that grows ---- */

static const struct {
    const char *name;
    bool (*feed)(struct tally *tally, struct str json, struct err *err);
} growing_streams[] = {{"transcript.jsonl", feed_message},
                       {"calls.jsonl", feed_call},
                       {"events.jsonl", feed_event}};
enum { GROWING_STREAMS = 3 };

static bool name_files(struct source_growing *growing, struct tally *tally,
                       struct err *err)
{
    struct stat found;

    if (growing->files[0].path != NULL)
        return true;
    if (stat(growing->path, &found) != 0) {
        err_sys(err, errno, "%s", log_safe(str_of(growing->path)));
        err->code = ERR_USAGE; /* what was named is not there */
        return false;
    }
    if (!S_ISDIR(found.st_mode)) {
        growing->files[0].path = x_strdup(growing->path);
        return true;
    }
    for (size_t i = 0; i < GROWING_STREAMS; i++)
        growing->files[i].path = path_join(growing->path, growing_streams[i].name);
    if (file_exists(growing->files[1].path))
        tally_calls_follow(tally);
    return true;
}

/* A run takes lines back (of a Redis that forgot them) by putting another file under
 * the name: what was counted of them cannot be taken back here. */
static bool is_replaced(const struct growing_file *file)
{
    struct stat named;
    struct stat opened;

    return stat(file->path, &named) == 0 && fstat(file->lines->fd, &opened) == 0
           && (named.st_ino != opened.st_ino || named.st_dev != opened.st_dev);
}

static bool read_growing(struct growing_file *file, const struct stream *stream,
                         bool last, struct err *err)
{
    struct line line;

    if (file->lines == NULL && !file_exists(file->path))
        return true;
    if (file->lines != NULL && is_replaced(file))
        return err_set(err, ERR_FORMAT,
                       "%s: another file took its place: history was rewound, and "
                       "lines that were counted are gone; analyze it anew",
                       log_safe(str_of(file->path)));
    if (file->lines == NULL) {
        struct lines lines;

        if (!lines_open(&lines, file->path, err))
            return false;
        file->lines = x_malloc(sizeof *file->lines);
        *file->lines = lines;
        if (stream->feed == feed_call)
            tally_expect_calls(stream->tally);
    }
    file->lines->growing = !last;
    lines_again(file->lines);
    while (lines_next(file->lines, &line))
        take_line(stream, &line);
    return lines_check(file->lines, file->path, err);
}

bool source_growing_read(struct source_growing *growing, struct tally *tally, bool last,
                         struct notes *notes, struct err *err)
{
    if (!name_files(growing, tally, err))
        return false;
    for (size_t i = 0; i < GROWING_STREAMS; i++) {
        struct growing_file *file = &growing->files[i];
        struct stream stream = {file->path, growing_streams[i].feed, tally, notes};

        if (file->path != NULL && !read_growing(file, &stream, last, err))
            return false;
    }
    return true;
}

void source_growing_done(struct source_growing *growing)
{
    for (size_t i = 0; i < GROWING_STREAMS; i++) {
        struct growing_file *file = &growing->files[i];

        if (file->lines != NULL)
            lines_close(file->lines);
        free(file->lines);
        free(file->path);
        *file = (struct growing_file){0};
    }
}

bool source_growing_lives(const struct source_growing *growing)
{
    char *path = path_join(growing->path, "run.json");
    struct err ignored = {0};
    json_t *run = NULL;
    struct buf text;
    bool lives = growing->files[1].path == NULL; /* a log alone */
    json_int_t pid;

    buf_init(&text, RUN_MAX_BYTES);
    if (!lives && file_slurp(path, &text, &ignored)
        && json_read(buf_str(&text), &run, &ignored)) {
        pid = json_integer_value(json_object_get(run, "pid"));
        lives = !json_is_string(json_object_get(run, "ended_at")) && pid > 0
                && pid <= INT_MAX && (kill((pid_t)pid, 0) == 0 || errno == EPERM);
    }
    json_decref(run);
    buf_done(&text);
    free(path);
    return lives;
}

bool source_folder_run(const char *path, struct notes *notes, struct run_info *ret_info)
{
    char *file = path_join(path, "run.json");
    struct err err = {0};
    struct buf text;
    bool ok = false;

    buf_init(&text, RUN_MAX_BYTES);
    if (file_exists(file)) {
        ok = file_slurp(file, &text, &err)
             && (run_info_parse(buf_str(&text), ret_info, &err)
                 || err_wrap(&err, "%s", file));
        if (!ok)
            notes_add(notes, "%s", log_safe(str_of(err.msg)));
    }
    buf_done(&text);
    free(file);
    return ok;
}

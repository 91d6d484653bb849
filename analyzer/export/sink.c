/* sink.c - see sink.h. */
#include "analyzer/export/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/utf8.h"

enum { PIECE_MAX_BYTES = 64 << 20 };

/* NULL with errno: there is none. */
static FILE *open_beside(char *beside)
{
    int fd = mkstemp(beside);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");

    if (file == NULL && fd >= 0)
        (void)close(fd); /* nothing was written */
    return file;
}

bool sink_open(struct sink *sink, const char *path, struct err *err)
{
    *sink = (struct sink){.to = stdout};
    buf_init(&sink->plain, PIECE_MAX_BYTES);
    if (path == NULL || strcmp(path, "-") == 0)
        return true;
    sink->path = x_strdup(path);
    if (!file_is_stream(path))
        sink->beside = x_printf("%s.XXXXXX", path);
    sink->to = sink->beside == NULL ? fopen(path, "w") : open_beside(sink->beside);
    if (sink->to != NULL)
        return true;
    err_sys(err, errno, "--out: %s", log_safe(str_of(path)));
    if (err != NULL)
        err->code = ERR_USAGE;
    sink_drop(sink);
    return false;
}

static bool fail(const struct sink *sink, struct err *err)
{
    return err_sys(err, errno, "%s cannot be written",
                   sink->path == NULL ? "standard output"
                                      : log_safe(str_of(sink->path)));
}

bool sink_write(struct sink *sink, struct str bytes, struct err *err)
{
    return bytes.len == 0 || fwrite(bytes.at, 1, bytes.len, sink->to) == bytes.len
           || fail(sink, err);
}

static void add_escape(struct buf *into, uint32_t point)
{
    enum { PLANE = 0x10000, HIGH = 0xD800, LOW = 0xDC00, HALF_BITS = 10 };

    if (point < PLANE) {
        buf_printf(into, "\\u%04x", (unsigned)point);
        return;
    }
    point -= PLANE;
    buf_printf(into, "\\u%04x\\u%04x", (unsigned)(HIGH + (point >> HALF_BITS)),
               (unsigned)(LOW + (point & ((1U << HALF_BITS) - 1))));
}

/* Most text is plain ASCII: it is passed over without being decoded. */
static size_t plain_run(struct str text)
{
    size_t n = 0;

    while (n < text.len && text.at[n] >= ' ' && text.at[n] < 0x7F)
        n++;
    return n;
}

bool sink_json(struct sink *sink, struct str json, struct err *err)
{
    buf_clear(&sink->plain);
    while (json.len > 0) {
        size_t run = plain_run(json);
        uint32_t point = 0;
        unsigned used;

        buf_add(&sink->plain, json.at, run);
        json = str_make(json.at + run, json.len - run);
        used = utf8_decode(json, &point);
        if (json.len == 0)
            break;
        if (used > 0 && point < ' ' && point != '\n')
            buf_add_char(&sink->plain, ' '); /* a blank between JSON's words */
        else if (used > 0 && point != '\n' && utf8_harmful(point))
            add_escape(&sink->plain, point);
        else
            buf_add(&sink->plain, json.at, used == 0 ? 1 : used);
        used = used == 0 ? 1 : used;
        json = str_make(json.at + used, json.len - used);
    }
    if (sink->plain.overflowed)
        return err_set(err, ERR_LIMIT, "a piece of %zu bytes is too long",
                       sink->plain.max);
    return sink_write(sink, buf_str(&sink->plain), err);
}

bool sink_close(struct sink *sink, struct err *err)
{
    bool ok = fflush(sink->to) == 0;

    if (ok && sink->beside != NULL)
        ok = fchmod(fileno(sink->to), (mode_t)file_mode()) == 0
             && fsync(fileno(sink->to)) == 0 && rename(sink->beside, sink->path) == 0;
    if (!ok)
        fail(sink, err);
    if (ok) {
        free(sink->beside);
        sink->beside = NULL;
    }
    sink_drop(sink);
    return ok;
}

void sink_drop(struct sink *sink)
{
    if (sink->to != NULL && sink->path != NULL)
        (void)fclose(sink->to); /* it was flushed, or is thrown away */
    if (sink->beside != NULL)
        (void)unlink(sink->beside); /* it may not be there */
    free(sink->path);
    free(sink->beside);
    buf_done(&sink->plain);
    *sink = (struct sink){0};
}

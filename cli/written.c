/* written.c - see written.h. */
#include "cli/written.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "cli/lines.h"

void written_init(struct written *written, int64_t end)
{
    *written = (struct written){.end = end};
    written->ring = x_calloc(WRITTEN_MAX, sizeof *written->ring);
}

void written_done(struct written *written)
{
    free(written->ring);
    *written = (struct written){0};
}

/* "<ms>-<number>"; what is no id stands before all. */
static void read_id(struct str entry, uint64_t *ret_ms, uint64_t *ret_number)
{
    struct str number;
    struct str ms = str_cut(entry, '-', &number);
    int64_t value;

    *ret_ms = str_to_i64(ms, 0, INT64_MAX, &value) ? (uint64_t)value : 0;
    *ret_number = str_to_i64(number, 0, INT64_MAX, &value) ? (uint64_t)value : 0;
}

static struct written_line *line_at(struct written *written, size_t i)
{
    return &written->ring[(written->first + i) % WRITTEN_MAX];
}

void written_add(struct written *written, int source, struct str entry, size_t len)
{
    struct written_line *line;

    if (written->count == WRITTEN_MAX)
        written->first = (written->first + 1) % WRITTEN_MAX;
    else
        written->count++;
    line = line_at(written, written->count - 1);
    read_id(entry, &line->ms, &line->number);
    line->at = written->end;
    line->bytes = (int32_t)len + 1;
    line->source = source;
    line->mark = 0;
    written->end += line->bytes;
}

void written_mark(struct written *written, uint64_t mark)
{
    assert(written->count > 0);
    line_at(written, written->count - 1)->mark = mark;
}

bool written_has(const struct written *written, uint64_t mark)
{
    size_t most = written->count < WRITTEN_MARKS ? written->count : WRITTEN_MARKS;

    for (size_t i = 1; i <= most; i++)
        if (written->ring[(written->first + written->count - i) % WRITTEN_MAX].mark
            == mark)
            return true;
    return false;
}

static bool is_behind(const struct written_line *line, int source,
                      const struct written_line *last)
{
    if (source != WRITTEN_ANY && source != line->source)
        return false;
    return line->ms > last->ms || (line->ms == last->ms && line->number > last->number);
}

/* The lines that stay move up to where they stand in the file now. */
static void close_gaps(struct written *written, int source,
                       const struct written_line *last)
{
    size_t kept = 0;
    int64_t gone = 0;

    for (size_t i = 0; i < written->count; i++) {
        struct written_line line = *line_at(written, i);

        if (is_behind(&line, source, last)) {
            gone += line.bytes;
            continue;
        }
        line.at -= gone;
        *line_at(written, kept++) = line;
    }
    written->count = kept;
    written->end -= gone;
}

bool written_cut(struct written *written, struct lines *lines, int source,
                 struct str last, size_t *ret_count, struct err *err)
{
    struct lines_range *ranges = x_calloc(written->count + 1, sizeof *ranges);
    struct written_line until = {0};
    size_t count = 0;
    bool ok = true;

    read_id(last, &until.ms, &until.number);
    for (size_t i = 0; i < written->count; i++) {
        const struct written_line *line = line_at(written, i);

        if (is_behind(line, source, &until))
            ranges[count++] =
                (struct lines_range){.from = line->at, .to = line->at + line->bytes};
    }
    if (count > 0)
        ok = lines_take_out(lines, ranges, count, err);
    if (ok) {
        close_gaps(written, source, &until);
        *ret_count = count;
    }
    free(ranges);
    return ok;
}

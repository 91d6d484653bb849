/* sse.c - see sse.h.
 *
 * The usual event is one data line and an empty line in the same chunk: its data is
 * told from where it lies (`view`). Only what a chunk border cuts, or what has several
 * lines, is collected.
 *
 * Flow: bytes -> line ends -> fields -> (empty line) -> on_event
 */
#include "proto/sse.h"

#include <string.h>

enum { FIELD_NAME_BYTES_MAX = 5 }; /* "event" */

void sse_init(struct sse *sse, size_t max_bytes)
{
    *sse = (struct sse){.max_bytes = max_bytes};
    buf_init(&sse->line, max_bytes);
    buf_init(&sse->name, max_bytes);
    buf_init(&sse->data, max_bytes);
    buf_init(&sse->error, max_bytes);
}

void sse_done(struct sse *sse)
{
    buf_done(&sse->line);
    buf_done(&sse->name);
    buf_done(&sse->data);
    buf_done(&sse->error);
}

static bool line_too_long(const struct sse *sse, struct err *err)
{
    return err_set(err, ERR_LIMIT, "a line has more than %zu bytes", sse->max_bytes);
}

static bool event_too_long(const struct sse *sse, struct err *err)
{
    return err_set(err, ERR_LIMIT, "an event has more than %zu bytes", sse->max_bytes);
}

/* ---- fields ---- */

/* What the view holds goes where the chunk's end does not reach it. */
static bool keep_view(struct sse *sse)
{
    struct str view = sse->view;

    sse->view = str_make(NULL, 0);
    return buf_add_str(&sse->data, view);
}

/* `stays`: the value lies in the chunk, so it is there until the end of the feed. */
static bool take_data(struct sse *sse, struct str value, bool stays)
{
    if (!sse->has_data && stays) {
        sse->has_data = true;
        sse->view = value;
        return true;
    }
    if (!keep_view(sse) || (sse->has_data && !buf_add_char(&sse->data, '\n')))
        return false;
    sse->has_data = true;
    return buf_add_str(&sse->data, value);
}

static bool take_whole(struct buf *into, struct str value)
{
    buf_clear(into);
    return buf_add_str(into, value);
}

static struct str without_bom(struct sse *sse, struct str line)
{
    bool first = !sse->past_bom;

    sse->past_bom = true;
    if (first && str_starts(line, "\xEF\xBB\xBF"))
        return str_make(line.at + 3, line.len - 3);
    return line;
}

static bool take_field(struct sse *sse, struct str line, bool stays)
{
    struct str value = str_of("");
    struct str name = str_cut(line, ':', &value);

    if (name.len == 0)
        return true; /* a comment */
    if (value.len > 0 && value.at[0] == ' ')
        value = str_make(value.at + 1, value.len - 1);
    if (str_is(name, "data"))
        return take_data(sse, value, stays);
    if (str_is(name, "event"))
        return take_whole(&sse->name, value);
    if (str_is(name, "error"))
        return take_whole(&sse->error, value);
    if (!str_is(name, "id") && !str_is(name, "retry"))
        sse->foreign_lines++;
    return true;
}

/* ---- events ---- */

static bool fill_event(const struct sse *sse, struct sse_event *ret_event)
{
    const struct sse_event event = {
        .name = buf_str(&sse->name),
        .data = sse->view.len > 0 ? sse->view : buf_str(&sse->data),
        .error = buf_str(&sse->error),
    };

    if (event.data.len == 0 && event.error.len == 0)
        return false;
    *ret_event = event;
    return true;
}

static void forget_event(struct sse *sse)
{
    sse->has_data = false;
    sse->view = str_make(NULL, 0);
    buf_clear(&sse->name);
    buf_clear(&sse->data);
    buf_clear(&sse->error);
}

/* ---- lines ---- */

/* The first line end, NULL when there is none. */
static const char *find_end(struct str bytes)
{
    const char *feed = memchr(bytes.at, '\n', bytes.len);
    size_t before = feed == NULL ? bytes.len : (size_t)(feed - bytes.at);
    const char *cr = memchr(bytes.at, '\r', before);

    return cr != NULL ? cr : feed;
}

/* The LF of a CRLF, whose CR has ended the line already. */
static struct str without_feed(struct sse *sse, struct str bytes)
{
    if (sse->after_return && bytes.len > 0) {
        sse->after_return = false;
        if (bytes.at[0] == '\n')
            return str_make(bytes.at + 1, bytes.len - 1);
    }
    return bytes;
}

/* A line that ended in this chunk; its start may have come before. */
static bool join_line(struct sse *sse, struct str piece, struct str *ret_line,
                      bool *ret_stays)
{
    *ret_stays = sse->line.len == 0;
    *ret_line = piece;
    if (*ret_stays)
        return piece.len <= sse->max_bytes;
    if (!buf_add_str(&sse->line, piece))
        return false;
    *ret_line = buf_str(&sse->line);
    return true;
}

bool sse_feed(struct sse *sse, struct str bytes,
              bool (*on_event)(void *owner, const struct sse_event *event), void *owner,
              struct err *err)
{
    const char *end;

    for (bytes = without_feed(sse, bytes);
         bytes.len > 0 && (end = find_end(bytes)) != NULL;
         bytes = without_feed(sse, bytes)) {
        struct sse_event event;
        struct str line;
        bool stays;
        bool go_on;

        if (!join_line(sse, str_make(bytes.at, (size_t)(end - bytes.at)), &line,
                       &stays))
            return line_too_long(sse, err);
        bytes.len -= (size_t)(end + 1 - bytes.at);
        bytes.at = end + 1;
        sse->after_return = *end == '\r';
        line = without_bom(sse, line);
        if (line.len > 0 && !take_field(sse, line, stays))
            return event_too_long(sse, err);
        buf_clear(&sse->line);
        if (line.len > 0)
            continue;
        go_on = !fill_event(sse, &event) || on_event(owner, &event);
        forget_event(sse);
        if (!go_on)
            return true;
    }
    if (bytes.len > 0 && !buf_add_str(&sse->line, bytes))
        return line_too_long(sse, err);
    return keep_view(sse) || event_too_long(sse, err);
}

bool sse_rest(struct sse *sse, struct sse_event *ret_event)
{
    struct str line = without_bom(sse, buf_str(&sse->line));

    /* The start of a field's name is no foreign line. */
    if (line.len > 0 && line.len <= FIELD_NAME_BYTES_MAX
        && memchr(line.at, ':', line.len) == NULL)
        line.len = 0;
    if (line.len > 0 && !take_field(sse, line, false))
        return false; /* longer than an event may be: nothing whole */
    return fill_event(sse, ret_event);
}

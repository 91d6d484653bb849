/* ndjson.c - see ndjson.h.
 *
 * A line that lies whole in the chunk is given on from there; only a line that a chunk
 * border cuts is collected. One byte more than the maximum is kept: it may be the \r of
 * a \r\n.
 */
#include "proto/ndjson.h"

#include <string.h>

void ndjson_init(struct ndjson *ndjson, size_t max_line_bytes)
{
    buf_init(&ndjson->line, max_line_bytes + 1);
}

void ndjson_done(struct ndjson *ndjson)
{
    buf_done(&ndjson->line);
}

static size_t max_line(const struct ndjson *ndjson)
{
    return ndjson->line.max - 1;
}

static bool too_long(struct ndjson *ndjson, struct err *err)
{
    buf_clear(&ndjson->line);
    return err_set(err, ERR_LIMIT, "a line has more than %zu bytes", max_line(ndjson));
}

static struct str without_return(struct str line)
{
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* Keeps the start of a line whose end has not come. */
static bool keep(struct ndjson *ndjson, struct str piece, struct err *err)
{
    if (!buf_add_str(&ndjson->line, piece))
        return too_long(ndjson, err);
    if (without_return(buf_str(&ndjson->line)).len > max_line(ndjson))
        return too_long(ndjson, err);
    return true;
}

bool ndjson_feed(struct ndjson *ndjson, struct str bytes,
                 bool (*on_line)(void *owner, struct str line), void *owner,
                 struct err *err)
{
    while (bytes.len > 0) {
        const char *end = memchr(bytes.at, '\n', bytes.len);
        struct str line;
        bool go_on = true;

        if (end == NULL)
            return keep(ndjson, bytes, err);
        line = str_make(bytes.at, (size_t)(end - bytes.at));
        bytes = str_make(end + 1, bytes.len - line.len - 1);
        if (ndjson->line.len > 0) {
            if (!keep(ndjson, line, err))
                return false;
            line = buf_str(&ndjson->line);
        }
        line = without_return(line);
        if (line.len > max_line(ndjson))
            return too_long(ndjson, err);
        if (line.len > 0)
            go_on = on_line(owner, line);
        buf_clear(&ndjson->line);
        if (!go_on)
            return true;
    }
    return true;
}

struct str ndjson_rest(const struct ndjson *ndjson)
{
    return without_return(buf_str(&ndjson->line));
}

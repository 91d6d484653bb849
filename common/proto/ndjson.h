/* ndjson.h - cuts a stream of bytes into lines, wherever the chunks end. */
#ifndef PARLEY_NDJSON_H
#define PARLEY_NDJSON_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

struct ndjson {
    struct buf line; /* a line whose end has not come */
};
void ndjson_init(struct ndjson *ndjson, size_t max_line_bytes);
void ndjson_done(struct ndjson *ndjson);
/* Calls on_line for each whole line (without \n or \r\n; empty ones are skipped).
 * on_line returns false to stop: the rest is dropped and the result is true. False when
 * a line is longer than the maximum (ERR_LIMIT). */
MUST_USE bool ndjson_feed(struct ndjson *ndjson, struct str bytes,
                          bool (*on_line)(void *owner, struct str line), void *owner,
                          struct err *err);
/* What stands behind the last line end: a last line without \n, or empty. */
struct str ndjson_rest(const struct ndjson *ndjson);

#endif

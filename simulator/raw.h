/* raw.h - writes to a connection's socket what no HTTP server would: the simulator's
 * faults. Segments go out in order, each by a send of its own, all at once or one each
 * pace_ms; behind the last one the connection is closed, or reset.
 */
#ifndef PARLEY_RAW_H
#define PARLEY_RAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"

struct loop;
struct raw;
struct serve_request;

enum raw_end {
    RAW_OPEN, /* not yet: more may come */
    RAW_FIN,  /* closed */
    RAW_RST   /* reset; on a Unix socket, which knows none, closed */
};

/* Takes the socket of the request (serve_take_socket). Never NULL. */
struct raw *raw_new(struct loop *loop, struct serve_request *http);
void raw_free(struct raw *raw); /* from on_gone at the latest; NULL is fine */
/* Between two segments from now on. */
void raw_pace(struct raw *raw, int64_t pace_ms);
/* Copied. body_bytes of it count as body when it was sent. */
void raw_put(struct raw *raw, struct str bytes, size_t body_bytes);
/* More than 1 MiB waits: put nothing now. */
bool raw_is_full(const struct raw *raw);
/* When all was sent. Nothing may be put afterwards. */
void raw_end(struct raw *raw, enum raw_end how);
/* All was sent and the end was made, by us. */
bool raw_is_over(const struct raw *raw);
size_t raw_body_bytes(const struct raw *raw); /* sent so far */

#endif

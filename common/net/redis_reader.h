/* redis_reader.h - bytes from Redis into trees of redis_value. No I/O.
 *
 * hiredis' reader does the reading; the nodes are ours and live in an arena that is
 * emptied at the next reply, so that replies under 16 KiB cost no malloc at all. What
 * a broken peer can make us hold is bounded: the three limits below.
 */
#ifndef PARLEY_REDIS_READER_H
#define PARLEY_REDIS_READER_H

#include "base/err.h"
#include "net/redis_value.h"

enum {
    REDIS_REPLY_MAX_BYTES = 128 << 20, /* of values, and of bytes not yet read */
    REDIS_REPLY_MAX_ITEMS = 1 << 20,   /* in one array */
    REDIS_REPLY_MAX_DEPTH = 8          /* arrays in arrays */
};

struct redis_reader;

struct redis_reader *redis_reader_new(void);
void redis_reader_free(struct redis_reader *reader); /* NULL is fine */
/* Adds bytes that came. False (ERR_LIMIT) when an unfinished reply grew too large. */
MUST_USE bool redis_reader_feed(struct redis_reader *reader, struct str bytes,
                                struct err *err);
/* The next whole reply, or NULL in *ret_value when more bytes are needed; valid until
 * the next call. False when the bytes are no RESP2 (ERR_FORMAT) or the reply is too
 * large (ERR_LIMIT): the reader is of no use any more then. */
MUST_USE bool redis_reader_next(struct redis_reader *reader,
                                const struct redis_value **ret_value, struct err *err);

#endif

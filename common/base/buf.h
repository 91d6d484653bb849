/* buf.h - bytes that grow up to a stated maximum.
 *
 * Anything that collects bytes from outside collects them here, so that a peer which
 * never stops sending meets a bound instead of our memory.
 */
#ifndef PARLEY_BUF_H
#define PARLEY_BUF_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/str.h"

struct buf {
    char *at; /* owned; always NUL behind `len` once something was added */
    size_t len;
    size_t capacity; /* allocated */
    size_t max;      /* never more than this many bytes */
    bool overflowed; /* an add was refused; stays until buf_clear */
};

void buf_init(struct buf *buf, size_t max_bytes);
void buf_done(struct buf *buf);  /* frees; the buffer may be used again */
void buf_clear(struct buf *buf); /* empties, keeps the memory */
/* False when the maximum would be passed: then nothing is added. */
bool buf_add(struct buf *buf, const void *at, size_t len);
bool buf_add_text(struct buf *buf, const char *text);
bool buf_add_str(struct buf *buf, struct str text);
bool buf_add_char(struct buf *buf, char c);
bool buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3);
/* Drops the first `count` bytes. */
void buf_eat(struct buf *buf, size_t count);
struct str buf_str(const struct buf *buf);
/* The text, "" when empty; valid until the next change. */
const char *buf_text(const struct buf *buf);
/* Gives the memory away (caller frees) and leaves the buffer empty. Never NULL. */
char *buf_take(struct buf *buf);

#endif

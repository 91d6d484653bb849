/* buf.c - see buf.h. */
#include "base/buf.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { BUF_FIRST = 64 };

void buf_init(struct buf *buf, size_t max_bytes)
{
    *buf = (struct buf){.max = max_bytes};
}

void buf_done(struct buf *buf)
{
    free(buf->at);
    buf_init(buf, buf->max);
}

void buf_clear(struct buf *buf)
{
    buf->len = 0;
    buf->overflowed = false;
    if (buf->at != NULL)
        buf->at[0] = '\0';
}

/* Room for `more` bytes and a NUL, or false over the maximum. */
static bool make_room(struct buf *buf, size_t more)
{
    size_t want;

    if (more > buf->max || buf->len > buf->max - more) {
        buf->overflowed = true;
        return false;
    }
    want = buf->len + more + 1;
    if (want > buf->capacity) {
        size_t capacity = buf->capacity == 0 ? BUF_FIRST : buf->capacity;

        while (capacity < want)
            capacity *= 2;
        buf->at = x_realloc(buf->at, capacity);
        buf->capacity = capacity;
    }
    return true;
}

bool buf_add(struct buf *buf, const void *at, size_t len)
{
    if (!make_room(buf, len))
        return false;
    if (len > 0)
        memcpy(buf->at + buf->len, at, len);
    buf->len += len;
    buf->at[buf->len] = '\0';
    return true;
}

bool buf_add_text(struct buf *buf, const char *text)
{
    return buf_add(buf, text, strlen(text));
}

bool buf_add_str(struct buf *buf, struct str text)
{
    return buf_add(buf, text.at, text.len);
}

bool buf_add_char(struct buf *buf, char c)
{
    return buf_add(buf, &c, 1);
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(NULL, 0, format, args);
    va_end(args);
    assert(len >= 0);
    if (!make_room(buf, (size_t)len))
        return false;
    va_start(args, format);
    (void)vsnprintf(buf->at + buf->len, (size_t)len + 1, format, args); /* measured */
    va_end(args);
    buf->len += (size_t)len;
    return true;
}

void buf_eat(struct buf *buf, size_t count)
{
    assert(count <= buf->len);
    if (count == 0)
        return;
    buf->len -= count;
    memmove(buf->at, buf->at + count, buf->len + 1);
}

struct str buf_str(const struct buf *buf)
{
    return str_make(buf->at, buf->len);
}

const char *buf_text(const struct buf *buf)
{
    return buf->at == NULL ? "" : buf->at;
}

char *buf_take(struct buf *buf)
{
    char *text = buf->at == NULL ? x_strdup("") : buf->at;

    buf->at = NULL;
    buf_init(buf, buf->max);
    return text;
}

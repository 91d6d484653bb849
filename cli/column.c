/* column.c - see column.h. */
#include "cli/column.h"

#include "base/utf8.h"

void column_add(struct buf *out, struct str text, int width)
{
    struct str rest = str_of(log_safe(text.len == 0 ? str_of("-") : text));
    uint32_t point;
    unsigned len;

    while (width > 0 && (len = utf8_decode(rest, &point)) > 0) {
        buf_add(out, rest.at, len);
        rest = str_make(rest.at + len, rest.len - len);
        width--;
    }
    for (; width >= 0; width--)
        buf_add_char(out, ' ');
}

/* reply_mend.c - see reply_mend.h. */
#include "llm/reply_mend.h"

#include <string.h>

#include "base/utf8.h"

static const char hidden_start[2] = {'\xF4', '\x8F'}; /* of U+10FF80 to U+10FFFF */

bool reply_mend_hide(struct str document, struct buf *into)
{
    bool ok = true;

    buf_clear(into);
    while (ok && document.len > 0) {
        uint32_t point = 0;
        size_t used = utf8_decode(document, &point);
        unsigned char byte = (unsigned char)document.at[0];
        char hidden[4] = {hidden_start[0], hidden_start[1], (char)(0xBC | byte >> 6),
                          (char)(0x80 | (byte & 0x3F))};

        ok = used > 0 ? buf_add(into, document.at, used) : buf_add(into, hidden, 4);
        used = used > 0 ? used : 1;
        document = str_make(document.at + used, document.len - used);
    }
    return ok;
}

bool reply_mend_show(struct str text, struct buf *into)
{
    bool ok = true;

    buf_clear(into);
    while (ok && text.len > 0) {
        bool hidden = text.len >= 4
                      && memcmp(text.at, hidden_start, sizeof hidden_start) == 0
                      && ((unsigned char)text.at[2] & 0xFE) == 0xBE;
        unsigned last = hidden ? (unsigned char)text.at[3] & 0x3FU : 0;
        size_t used = hidden ? 4 : 1;

        ok = hidden
                 ? buf_add_char(into, (char)(((unsigned)text.at[2] & 3U) << 6 | last))
                 : buf_add_char(into, text.at[0]);
        text = str_make(text.at + used, text.len - used);
    }
    return ok;
}

/* ---- escapes ---- */

enum { ESCAPE = 6 }; /* \uXXXX */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The number of the \uXXXX at that place, -1 when there is none. */
static int escape_at(struct str text, size_t at)
{
    int number = 0;

    if (text.len < ESCAPE || at > text.len - ESCAPE || text.at[at] != '\\'
        || text.at[at + 1] != 'u')
        return -1;
    for (size_t i = at + 2; i < at + ESCAPE; i++) {
        int digit = hex_digit(text.at[i]);

        if (digit < 0)
            return -1;
        number = number * 16 + digit;
    }
    return number;
}

/* The next escape at or behind `at` that is no character; text.len when there is none.
 * A backslash that is escaped itself begins nothing. */
static size_t find_unfit(struct str text, size_t at)
{
    while (at < text.len) {
        const char *slash = memchr(text.at + at, '\\', text.len - at);
        int number;
        int next;

        if (slash == NULL)
            return text.len;
        at = (size_t)(slash - text.at);
        number = escape_at(text, at);
        next = number < 0 ? -1 : escape_at(text, at + ESCAPE);
        if (number >= 0xD800 && number < 0xDC00 && next >= 0xDC00 && next < 0xE000)
            at += 2 * ESCAPE;
        else if (number == 0 || (number >= 0xD800 && number < 0xE000))
            return at;
        else
            at += 2;
    }
    return text.len;
}

struct str reply_mend_escapes(struct str document, struct buf *scratch)
{
    size_t at = find_unfit(document, 0);

    if (at >= document.len)
        return document;
    if (document.at != scratch->at) {
        buf_clear(scratch);
        if (!buf_add_str(scratch, document))
            return document; /* too long: the parser says what is wrong */
    }
    for (; at < scratch->len; at = find_unfit(buf_str(scratch), at))
        memcpy(scratch->at + at, "\\ufffd", ESCAPE);
    return buf_str(scratch);
}

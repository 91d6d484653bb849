/* json_write.c - see json_write.h.
 *
 * Numbers are written without printf: it would follow the locale, and JSON knows only
 * the point. Well-formed text is copied in runs; broken text takes a slower road, once.
 */
#include "proto/json_write.h"

#include <assert.h>
#include <math.h>

#include "base/utf8.h"

enum { NUMBER_SIZE = 24, DECIMALS_MAX = 9 };

/* What RFC 8259, section 7, wants escaped. */
static bool must_escape(unsigned char c)
{
    return c < 0x20 || c == '"' || c == '\\';
}

/* How many bytes at the start may be copied as they are; *ret_broken when it was
 * broken UTF-8 that ended the run. */
static size_t safe_run(struct str text, bool *ret_broken)
{
    size_t n = 0;

    *ret_broken = false;
    while (n < text.len) {
        unsigned char c = (unsigned char)text.at[n];
        uint32_t point;
        unsigned used;

        if (c < 0x80) {
            if (must_escape(c))
                break;
            n++;
            continue;
        }
        used = utf8_decode(str_make(text.at + n, text.len - n), &point);
        if (used == 0) {
            *ret_broken = true;
            break;
        }
        n += used;
    }
    return n;
}

static bool add_escaped(struct buf *into, unsigned char c)
{
    static const char hex[] = "0123456789abcdef";
    char code[6] = {'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]};

    switch (c) {
    case '"':
        return buf_add(into, "\\\"", 2);
    case '\\':
        return buf_add(into, "\\\\", 2);
    case '\n':
        return buf_add(into, "\\n", 2);
    case '\r':
        return buf_add(into, "\\r", 2);
    case '\t':
        return buf_add(into, "\\t", 2);
    default:
        return buf_add(into, code, sizeof code);
    }
}

static bool write_inside(struct buf *into, struct str text, bool may_mend);

static bool write_mended(struct buf *into, struct str text)
{
    struct buf mended;
    bool ok;

    buf_init(&mended, 3 * text.len); /* U+FFFD has three bytes */
    ok = utf8_mend(text, &mended);
    assert(ok);
    ok = write_inside(into, buf_str(&mended), false);
    buf_done(&mended);
    return ok;
}

static bool write_inside(struct buf *into, struct str text, bool may_mend)
{
    while (text.len > 0) {
        bool broken;
        size_t run = safe_run(text, &broken);

        if (run > 0 && !buf_add(into, text.at, run))
            return false;
        text = str_make(text.at + run, text.len - run);
        if (broken) {
            assert(may_mend);
            return write_mended(into, text);
        }
        if (text.len == 0)
            break;
        if (!add_escaped(into, (unsigned char)text.at[0]))
            return false;
        text = str_make(text.at + 1, text.len - 1);
    }
    return true;
}

bool json_write_string(struct buf *into, struct str text)
{
    return buf_add_char(into, '"') && write_inside(into, text, true)
           && buf_add_char(into, '"');
}

bool json_write_text(struct buf *into, const char *text)
{
    return text == NULL ? buf_add(into, "null", 4)
                        : json_write_string(into, str_of(text));
}

/* Puts the digits before `end` and returns where they begin; at least `least` of
 * them. */
static char *put_digits(char *end, uint64_t value, int least)
{
    for (; value > 0 || least > 0; value /= 10, least--)
        *--end = (char)('0' + value % 10);
    return end;
}

bool json_write_words(struct buf *into, struct str words)
{
    const char *before = "[";

    while (words.len > 0) {
        struct str word = str_trim(str_cut(words, ',', &words));

        if (word.len == 0)
            continue;
        buf_add_text(into, before);
        json_write_string(into, word);
        before = ",";
    }
    return buf_add_text(into, *before == '[' ? "null" : "]");
}

bool json_write_i64(struct buf *into, int64_t value)
{
    char digits[NUMBER_SIZE];
    char *end = digits + sizeof digits;
    uint64_t size = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    char *at = put_digits(end, size, 1);

    if (value < 0)
        *--at = '-';
    return buf_add(into, at, (size_t)(end - at));
}

bool json_write_count(struct buf *into, int64_t value)
{
    return value == -1 ? buf_add(into, "null", 4) : json_write_i64(into, value);
}

static bool write_scaled(struct buf *into, bool negative, uint64_t scaled, int decimals)
{
    char digits[2 * NUMBER_SIZE];
    char *end = digits + sizeof digits;
    char *at = end;

    while (decimals > 0 && scaled % 10 == 0) {
        scaled /= 10;
        decimals--;
    }
    if (decimals > 0) {
        uint64_t unit = 1;

        for (int i = 0; i < decimals; i++)
            unit *= 10;
        at = put_digits(at, scaled % unit, decimals);
        *--at = '.';
        scaled /= unit;
    }
    at = put_digits(at, scaled, 1);
    if (negative)
        *--at = '-';
    return buf_add(into, at, (size_t)(end - at));
}

bool json_write_number(struct buf *into, double value, int decimals)
{
    double scaled = fabs(value);

    assert(decimals >= 0 && decimals <= DECIMALS_MAX);
    if (!isfinite(value))
        return buf_add(into, "null", 4);
    for (int i = 0; i < decimals; i++)
        scaled *= 10;
    scaled = round(scaled);
    if (scaled < 0x1p53)
        return write_scaled(into, value < 0 && scaled > 0, (uint64_t)scaled, decimals);
    /* So large that the digits asked for are beyond a double's precision: a whole
     * number has no point in any locale. */
    return buf_printf(into, "%.0f", value);
}

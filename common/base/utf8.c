/* utf8.c - see utf8.h. The table of well-formed byte sequences is table 3-7 of the
 * Unicode standard. */
#include "base/utf8.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

struct lead {
    unsigned char first_low, first_high;   /* range of the first byte */
    unsigned char second_low, second_high; /* range of the second byte */
    unsigned char length;                  /* bytes in all */
};
static const struct lead leads[] = {
    {0x00, 0x7F, 0x00, 0x00, 1}, {0xC2, 0xDF, 0x80, 0xBF, 2},
    {0xE0, 0xE0, 0xA0, 0xBF, 3}, {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4},
};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof *leads; i++)
        if (byte >= leads[i].first_low && byte <= leads[i].first_high)
            return &leads[i];
    return NULL;
}

/* How the bytes begin: *ret_used of them are a whole character (true), or a maximal
 * ill-formed piece or unfinished start (false, *ret_open tells which). */
static bool scan(const unsigned char *at, size_t len, size_t *ret_used, bool *ret_open)
{
    const struct lead *lead = lead_of(at[0]);
    size_t used = 1;

    *ret_open = false;
    *ret_used = 1;
    if (lead == NULL)
        return false;
    while (used < lead->length && used < len) {
        unsigned char low = used == 1 ? lead->second_low : 0x80;
        unsigned char high = used == 1 ? lead->second_high : 0xBF;

        if (at[used] < low || at[used] > high)
            break;
        used++;
    }
    *ret_used = used;
    *ret_open = used < lead->length && used == len;
    return used == lead->length;
}

static size_t ascii_run(const char *at, size_t len)
{
    size_t n = 0;

    while (n < len && (unsigned char)at[n] < 0x80)
        n++;
    return n;
}

/* Mends bytes up to an unfinished end; returns how many were taken, *ok false when
 * `into` is full. */
static size_t mend_some(struct str bytes, struct buf *into, bool *ok)
{
    size_t at = 0;

    *ok = true;
    while (*ok && at < bytes.len) {
        size_t run = ascii_run(bytes.at + at, bytes.len - at);
        size_t used = 0;
        bool open = false;

        if (run > 0) {
            *ok = buf_add(into, bytes.at + at, run);
            at += run;
            continue;
        }
        if (scan((const unsigned char *)bytes.at + at, bytes.len - at, &used, &open))
            *ok = buf_add(into, bytes.at + at, used);
        else if (open)
            break;
        else
            *ok = buf_add_text(into, replacement);
        at += used;
    }
    return at;
}

/* Joins the held start with the new bytes, one by one until it is whole or broken. */
static bool feed_held(struct utf8_stream *stream, struct str *bytes, struct buf *into)
{
    while (stream->held_count > 0 && bytes->len > 0) {
        char joined[5];
        size_t count = stream->held_count;
        size_t taken;
        bool ok;

        memcpy(joined, stream->held, count);
        joined[count++] = bytes->at[0];
        taken = mend_some(str_make(joined, count), into, &ok);
        if (!ok)
            return false;
        *bytes = str_make(bytes->at + 1, bytes->len - 1);
        stream->held_count = (unsigned)(count - taken);
        memcpy(stream->held, joined + taken, count - taken);
    }
    return true;
}

bool utf8_feed(struct utf8_stream *stream, struct str bytes, struct buf *into)
{
    size_t taken;
    bool ok;

    if (!feed_held(stream, &bytes, into))
        return false;
    if (bytes.len == 0)
        return true;
    taken = mend_some(bytes, into, &ok);
    if (!ok)
        return false;
    assert(bytes.len - taken <= 3);
    stream->held_count = (unsigned)(bytes.len - taken);
    memcpy(stream->held, bytes.at + taken, bytes.len - taken);
    return true;
}

bool utf8_end(struct utf8_stream *stream, struct buf *into)
{
    bool had = stream->held_count > 0;

    stream->held_count = 0;
    return !had || buf_add_text(into, replacement);
}

bool utf8_mend(struct str bytes, struct buf *into)
{
    struct utf8_stream stream = {0};

    return utf8_feed(&stream, bytes, into) && utf8_end(&stream, into);
}

bool utf8_valid(struct str bytes)
{
    size_t at = 0;

    while (at < bytes.len) {
        size_t used;
        bool open;

        if (!scan((const unsigned char *)bytes.at + at, bytes.len - at, &used, &open))
            return false;
        at += used;
    }
    return true;
}

unsigned utf8_decode(struct str text, uint32_t *ret_point)
{
    static const unsigned char first_mask[5] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    size_t used;
    bool open;
    uint32_t point;

    if (text.len == 0 || !scan((const unsigned char *)text.at, text.len, &used, &open))
        return 0;
    point = (unsigned char)text.at[0] & first_mask[used];
    for (size_t i = 1; i < used; i++)
        point = point << 6 | ((unsigned char)text.at[i] & 0x3F);
    *ret_point = point;
    return (unsigned)used;
}

size_t utf8_encode(uint32_t point, char ret_bytes[4])
{
    assert(point <= 0x10FFFF && (point & 0xFFFFF800U) != 0xD800);
    if (point < 0x80) {
        ret_bytes[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        ret_bytes[0] = (char)(0xC0 | point >> 6);
        ret_bytes[1] = (char)(0x80 | (point & 0x3F));
        return 2;
    }
    if (point < 0x10000) {
        ret_bytes[0] = (char)(0xE0 | point >> 12);
        ret_bytes[1] = (char)(0x80 | (point >> 6 & 0x3F));
        ret_bytes[2] = (char)(0x80 | (point & 0x3F));
        return 3;
    }
    ret_bytes[0] = (char)(0xF0 | point >> 18);
    ret_bytes[1] = (char)(0x80 | (point >> 12 & 0x3F));
    ret_bytes[2] = (char)(0x80 | (point >> 6 & 0x3F));
    ret_bytes[3] = (char)(0x80 | (point & 0x3F));
    return 4;
}

struct range {
    uint32_t low, high;
};
/* What must not reach a terminal as it is. */
static const struct range harmful[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x00AD, 0x00AD}, {0x061C, 0x061C},
    {0x180E, 0x180E}, {0x200B, 0x200C}, {0x200E, 0x200F}, {0x2028, 0x202E},
    {0x2060, 0x206F}, {0xFEFF, 0xFEFF}, {0xFFF9, 0xFFFB}, {0xE0000, 0xE0FFF},
};

bool utf8_harmful(uint32_t point)
{
    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++)
        if (point >= harmful[i].low && point <= harmful[i].high)
            return true;
    return false;
}

static bool add_harmless(struct str piece, uint32_t point, bool keep_newlines,
                         struct buf *into)
{
    bool kept = keep_newlines && (point == '\n' || point == '\t');

    if (!kept && utf8_harmful(point))
        return buf_printf(into, "<U+%04X>", (unsigned)point);
    return buf_add_str(into, piece);
}

bool utf8_harmless(struct str text, bool keep_newlines, struct buf *into)
{
    while (text.len > 0) {
        uint32_t point = 0;
        unsigned used = utf8_decode(text, &point);
        size_t broken;
        bool open;

        if (used > 0) {
            if (!add_harmless(str_make(text.at, used), point, keep_newlines, into))
                return false;
            text = str_make(text.at + used, text.len - used);
            continue;
        }
        (void)scan((const unsigned char *)text.at, text.len, &broken, &open);
        if (!buf_add_text(into, replacement))
            return false;
        text = str_make(text.at + broken, text.len - broken);
    }
    return true;
}

const char *log_safe(struct str text)
{
    enum { RING = 8, BYTES = 400, SHOWN = 160 };
    static char ring[RING][BYTES];
    static unsigned next;
    char *place = ring[next++ % RING];
    struct buf safe;
    size_t shown = text.len;

    if (shown > SHOWN) {
        shown = SHOWN;
        /* No character is longer than 4 bytes; what goes on is none. */
        while (shown > SHOWN - 3 && ((unsigned char)text.at[shown] & 0xC0) == 0x80)
            shown--;
    }
    buf_init(&safe, BYTES - 4); /* what does not fit any more is left out */
    (void)utf8_harmless(str_make(text.at, shown), false, &safe);
    (void)snprintf(place, BYTES, "%s%s", buf_text(&safe),
                   shown < text.len || safe.overflowed ? "..." : "");
    buf_done(&safe);
    return place;
}

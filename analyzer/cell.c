/* cell.c - see cell.h. */
#include "analyzer/cell.h"

#include <math.h>
#include <stdbool.h>

#include "base/utf8.h"

struct range {
    uint32_t low, high;
};
/* Combining marks, joiners and variation selectors: drawn over what stands before. */
static const struct range zero[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489},   {0x0591, 0x05BD}, {0x0610, 0x061A},
    {0x064B, 0x065F}, {0x0E31, 0x0E31},   {0x0E34, 0x0E3A}, {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF}, {0x200D, 0x200D},   {0x20D0, 0x20FF}, {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F}, {0x1F3FB, 0x1F3FF},
};
/* Wide and fullwidth: CJK, Hangul, kana, emoji. */
static const struct range wide[] = {
    {0x1100, 0x115F},   {0x231A, 0x231B},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},
    {0xA960, 0xA97C},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},
    {0xFF00, 0xFF60},   {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF},
    {0x1F900, 0x1F9FF}, {0x1FA70, 0x1FAFF}, {0x20000, 0x3FFFD},
};

static bool is_in(const struct range *ranges, size_t count, uint32_t point)
{
    for (size_t i = 0; i < count; i++)
        if (point >= ranges[i].low && point <= ranges[i].high)
            return true;
    return false;
}

static size_t point_width(uint32_t point)
{
    if (point < 0x300)
        return 1;
    if (is_in(zero, sizeof zero / sizeof *zero, point))
        return 0;
    return is_in(wide, sizeof wide / sizeof *wide, point) ? 2 : 1;
}

/* The bytes at the front that fit into `width` columns; *ret_used columns are taken. */
static size_t fitting(struct str text, size_t width, size_t *ret_used)
{
    size_t bytes = 0;
    size_t used = 0;

    while (bytes < text.len) {
        uint32_t point = 0;
        unsigned len = utf8_decode(str_make(text.at + bytes, text.len - bytes), &point);

        if (len == 0 || used + point_width(point) > width)
            break;
        used += point_width(point);
        bytes += len;
    }
    *ret_used = used;
    return bytes;
}

size_t cell_width(struct str text)
{
    size_t used;

    (void)fitting(text, SIZE_MAX, &used);
    return used;
}

static void pad(struct buf *into, size_t columns)
{
    (void)buf_printf(into, "%*s", (int)columns, "");
}

void cell_text(struct buf *into, const char *text, size_t width)
{
    struct buf safe;
    size_t used;
    size_t bytes;

    buf_init(&safe, 16 * width + 64); /* what does not fit here is cut anyway */
    (void)utf8_harmless(str_of(text == NULL ? "-" : text), false, &safe);
    bytes = fitting(buf_str(&safe), width, &used);
    if (bytes == safe.len && !safe.overflowed) {
        (void)buf_add(into, safe.at, safe.len);
    } else {
        bytes = fitting(buf_str(&safe), width - 1, &used);
        (void)buf_add(into, safe.at, bytes);
        (void)buf_add_text(into, "…");
        used++;
    }
    pad(into, width - used);
    buf_done(&safe);
}

void cell_right(struct buf *into, const char *text, size_t width)
{
    size_t used = cell_width(str_of(text));

    pad(into, used < width ? width - used : 1);
    (void)buf_add_text(into, text);
}

static int decimals_for(double value)
{
    if (value >= 999.95)
        return 0;
    if (value >= 99.995)
        return 1;
    return value >= 9.9995 ? 2 : 3;
}

void cell_number(struct buf *into, double value, size_t width)
{
    char text[40] = "-";

    if (!isfinite(value))
        ;
    else if (value >= 999999.5e3)
        fmt_into(text, sizeof text, "%.3gM", value / 1e6);
    else if (value >= 999999.5)
        fmt_into(text, sizeof text, "%.0fk", value / 1e3);
    else
        fmt_into(text, sizeof text, "%.*f", decimals_for(value), value);
    cell_right(into, text, width);
}

void cell_count(struct buf *into, int64_t value, size_t width)
{
    char text[24] = "-";

    if (value >= 0)
        fmt_into(text, sizeof text, "%lld", (long long)value);
    cell_right(into, text, width);
}

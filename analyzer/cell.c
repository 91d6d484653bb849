/* cell.c - see cell.h. */
#include "analyzer/cell.h"

#include <math.h>

#include "base/utf8.h"
#include "base/width.h"

size_t cell_width(struct str text)
{
    return width_text(text);
}

static void pad(struct buf *into, size_t columns)
{
    (void)buf_printf(into, "%*s", (int)columns, "");
}

void cell_text(struct buf *into, const char *text, size_t width)
{
    struct buf safe;
    size_t used;

    buf_init(&safe, 16 * width + 64); /* what does not fit here is cut anyway */
    (void)utf8_harmless(str_of(text == NULL ? "-" : text), false, &safe);
    used = width_text(buf_str(&safe));
    if (used <= width && !safe.overflowed) {
        (void)buf_add_str(into, buf_str(&safe));
    } else {
        safe.len = width_fit(buf_str(&safe), (unsigned)width - 1);
        used = width_text(buf_str(&safe)) + 1;
        (void)buf_add_str(into, buf_str(&safe));
        (void)buf_add_text(into, "…");
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

int cell_decimals(double value)
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
        fmt_into(text, sizeof text, "%.*f", cell_decimals(value), value);
    cell_right(into, text, width);
}

void cell_count(struct buf *into, int64_t value, size_t width)
{
    char text[24] = "-";

    if (value >= 0)
        fmt_into(text, sizeof text, "%lld", (long long)value);
    cell_right(into, text, width);
}

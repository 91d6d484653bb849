/* column.c - see column.h. */
#include "cli/column.h"

#include "base/utf8.h"
#include "base/width.h"

enum { LEAST = 4 };

static struct str cell_of(struct str text)
{
    return str_of(log_safe(text.len == 0 ? str_of("-") : text));
}

void column_add(struct buf *out, struct str text, int width)
{
    struct str cell = cell_of(text);
    bool is_cut = width_text(cell) > (unsigned)width;

    if (is_cut)
        cell.len = width_fit(cell, (unsigned)width - 1);
    buf_add_str(out, cell);
    if (is_cut)
        buf_add_text(out, "\xE2\x80\xA6");
    for (int at = (int)width_text(cell) + is_cut; at <= width; at++)
        buf_add_char(out, ' ');
}

void column_end(struct buf *out)
{
    while (out->len > 0 && out->at[out->len - 1] == ' ')
        out->len--;
    buf_add_char(out, '\n');
}

int column_width(struct str text)
{
    return (int)width_text(cell_of(text));
}

void column_fit(int *widths, size_t count, int total)
{
    for (;;) {
        size_t widest = 0;
        int sum = 0;

        for (size_t i = 0; i < count; i++) {
            sum += widths[i];
            if (widths[i] > widths[widest])
                widest = i;
        }
        if (sum <= total || widths[widest] <= LEAST)
            return;
        widths[widest]--;
    }
}

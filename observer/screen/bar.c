/* bar.c - see bar.h. */
#include "bar.h"

#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "keymap.h"
#include "text.h"

enum { STATUS_MAX_BYTES = 1024, GAP = 2 };

/* " ? help": a key and what it does; the columns used, 0: no room. */
static unsigned draw_key(struct canvas *canvas, struct area area,
                         const struct keymap_row *row)
{
    char name[KEYMAP_NAME_SIZE];
    struct str key = str_of(keymap_name(row->keys[0], name));
    struct str brief = str_of(row->brief);
    unsigned cols = (unsigned)(key.len + brief.len) + 1 + GAP;

    if (cols > area.cols)
        return 0;
    (void)canvas_put(canvas, area.row, area.col, area.cols, PEN_KEY, key);
    (void)canvas_put(canvas, area.row, area.col + (unsigned)key.len + 1, area.cols,
                     PEN_BAR, brief);
    return cols;
}

static void draw_keys(const struct bar *bar, struct canvas *canvas, struct area area)
{
    size_t count;
    const struct keymap_row *rows = keymap_rows(&count);

    for (size_t i = 0; i < count; i++) {
        unsigned cols;

        if (rows[i].brief == NULL || !keymap_holds(&rows[i], bar->where))
            continue;
        cols = draw_key(canvas, area, &rows[i]);
        if (cols == 0)
            return;
        area.col += cols;
        area.cols -= cols;
    }
}

static void add_status(struct buf *into, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    /* What does not fit into the buffer does not fit on the screen. */
    (void)buf_add_text(into, into->len > 0 ? "  " : " ");
    (void)text_clean(str_of(text), TEXT_ONE_LINE, into);
}

void bar_draw(const struct bar *bar, struct canvas *canvas, struct area area)
{
    struct buf status;
    unsigned used = 0;

    area.rows = 1;
    buf_init(&status, STATUS_MAX_BYTES);
    canvas_fill(canvas, area, PEN_BAR);
    add_status(&status, bar->status);
    add_status(&status, bar->more);
    if (status.len > 0) {
        (void)buf_add_char(&status, ' ');
        used = canvas_put_right(canvas, area.row, area.col, area.cols, PEN_KEY,
                                buf_str(&status));
    }
    buf_done(&status);
    if (area.cols <= used + 1)
        return;
    area.col++;
    area.cols -= used + 1;
    if (bar->notice[0] != '\0')
        (void)canvas_put_cut(canvas, area.row, area.col, area.cols, bar->pen,
                             str_of(bar->notice));
    else
        draw_keys(bar, canvas, area);
}

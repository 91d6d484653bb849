/* help_screen.c - see help_screen.h. */
#include "help_screen.h"

#include "base/buf.h"
#include "base/str.h"

enum { KEYS_COLS = 18, HEAD_ROWS = 2, LINE_BYTES = 128, MARGIN = 2 };

static unsigned count_lines(unsigned where)
{
    size_t count;
    const struct keymap_row *rows = keymap_rows(&count);
    unsigned lines = 0;

    for (size_t i = 0; i < count; i++)
        lines += keymap_holds(&rows[i], where);
    return lines;
}

static void draw_line(struct canvas *canvas, struct area area,
                      const struct keymap_row *row)
{
    char name[KEYMAP_NAME_SIZE];
    struct buf keys;

    buf_init(&keys, LINE_BYTES);
    for (size_t i = 0; i < sizeof row->keys / sizeof *row->keys; i++)
        if (row->keys[i] != KEY_NONE) /* four names of at most 15 letters fit */
            (void)buf_printf(&keys, "%s%s", i > 0 ? " " : "",
                             keymap_name(row->keys[i], name));
    (void)canvas_put(canvas, area.row, area.col, KEYS_COLS, PEN_BOLD, buf_str(&keys));
    buf_done(&keys);
    if (area.cols > KEYS_COLS)
        (void)canvas_put_cut(canvas, area.row, area.col + KEYS_COLS,
                             area.cols - KEYS_COLS, PEN_TEXT, str_of(row->help));
}

static void keep_in_range(struct help_screen *help)
{
    unsigned lines = count_lines(help->where);

    if (help->top + help->room > lines)
        help->top = lines > help->room ? lines - help->room : 0;
}

/* Where one is, if it is longer than the screen. */
static void draw_place(const struct help_screen *help, struct canvas *canvas,
                       struct area area)
{
    unsigned lines = count_lines(help->where);
    char text[LINE_BYTES];

    if (lines <= help->room || area.cols <= MARGIN)
        return;
    fmt_into(text, sizeof text, "%u to %u of %u", help->top + 1, help->top + help->room,
             lines);
    (void)canvas_put_right(canvas, area.row, area.col, area.cols - MARGIN, PEN_DIM,
                           str_of(text));
}

void help_screen_draw(struct help_screen *help, struct canvas *canvas, struct area area)
{
    size_t count;
    const struct keymap_row *rows = keymap_rows(&count);
    char head[LINE_BYTES];
    unsigned line = 0;

    fmt_into(head, sizeof head, "Keys: %s", help->name);
    (void)canvas_put(canvas, area.row, area.col + MARGIN, area.cols, PEN_HEAD,
                     str_of(head));
    help->room = area.rows > HEAD_ROWS ? area.rows - HEAD_ROWS : 0;
    keep_in_range(help);
    draw_place(help, canvas, area);
    for (size_t i = 0; i < count; i++) {
        if (!keymap_holds(&rows[i], help->where))
            continue;
        if (line >= help->top && line - help->top < help->room)
            draw_line(canvas,
                      (struct area){area.row + HEAD_ROWS + line - help->top,
                                    area.col + MARGIN, 1, area.cols - MARGIN},
                      &rows[i]);
        line++;
    }
}

static void move(struct help_screen *help, int lines)
{
    if (lines < 0 && help->top < (unsigned)-lines)
        help->top = 0;
    else
        help->top += (unsigned)lines; /* the end is minded when it is drawn */
}

bool help_screen_act(struct help_screen *help, enum action action)
{
    int page = (int)help->room;

    switch (action) {
    case ACTION_UP:
        move(help, -1);
        return true;
    case ACTION_DOWN:
        move(help, 1);
        return true;
    case ACTION_PAGE_UP:
        move(help, -page);
        return true;
    case ACTION_PAGE_DOWN:
        move(help, page);
        return true;
    case ACTION_HALF_UP:
        move(help, -page / 2);
        return true;
    case ACTION_HALF_DOWN:
        move(help, page / 2);
        return true;
    case ACTION_TOP:
        help->top = 0;
        return true;
    case ACTION_BOTTOM:
        help->top = count_lines(help->where);
        return true;
    default:
        return false;
    }
}

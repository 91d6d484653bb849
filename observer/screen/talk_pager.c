/* talk_pager.c - see talk_pager.h. */
#include "observer/screen/talk_pager.h"

#include "base/alloc.h"
#include "observer/model/talk_line.h"

enum { TITLE_MAX_BYTES = 1024, TEXT_MAX_BYTES = 8 << 20, PLACE_SIZE = 64 };

void talk_pager_init(struct talk_pager *pager)
{
    *pager = (struct talk_pager){0};
    buf_init(&pager->title, TITLE_MAX_BYTES);
    buf_init(&pager->text, TEXT_MAX_BYTES);
}

void talk_pager_done(struct talk_pager *pager)
{
    buf_done(&pager->title);
    buf_done(&pager->text);
    talk_rows_done(&pager->rows);
}

void talk_pager_show(struct talk_pager *pager, const char *title, struct str text)
{
    buf_clear(&pager->title);
    buf_clear(&pager->text);
    talk_line_say(&pager->title, str_of(title));
    talk_line_say(&pager->text, text);
    pager->open = true;
    pager->top = 0;
    pager->cols = 0; /* to be broken anew */
}

void talk_pager_close(struct talk_pager *pager)
{
    pager->open = false;
    buf_clear(&pager->text);
}

static void break_rows(struct talk_pager *pager, unsigned cols)
{
    struct str text = buf_str(&pager->text);
    struct talk_rows *rows = &pager->rows;
    size_t from = 0;

    rows->count = 0;
    do {
        size_t next;
        size_t len = talk_rows_break(text, from, cols, &next);

        talk_rows_add(rows, TALK_ROW_TEXT, from, len);
        from = next;
    } while (from < text.len);
    pager->cols = cols;
}

static size_t last_top(const struct talk_pager *pager)
{
    size_t count = pager->rows.count;

    return count > pager->height ? count - pager->height : 0;
}

void talk_pager_draw(struct talk_pager *pager, struct canvas *canvas, struct area area)
{
    char place[PLACE_SIZE];

    if (area.rows < 2 || area.cols == 0)
        return;
    pager->height = area.rows - 1;
    if (pager->cols != area.cols)
        break_rows(pager, area.cols);
    if (pager->top > last_top(pager))
        pager->top = last_top(pager);
    (void)canvas_put_cut(canvas, area.row, area.col, area.cols, PEN_HEAD,
                         buf_str(&pager->title));
    fmt_into(place, sizeof place, " %zu/%zu", pager->top + 1, pager->rows.count);
    (void)canvas_put_right(canvas, area.row, area.col, area.cols, PEN_DIM,
                           str_of(place));
    for (unsigned i = 0; i < pager->height && pager->top + i < pager->rows.count; i++) {
        const struct talk_row *row = &pager->rows.at[pager->top + i];

        (void)canvas_put(canvas, area.row + 1 + i, area.col, area.cols, PEN_TEXT,
                         str_make(buf_text(&pager->text) + row->from, row->len));
    }
}

void talk_pager_scroll(struct talk_pager *pager, int rows)
{
    size_t up = rows < 0 ? (size_t)-rows : 0;

    if (rows >= 0)
        pager->top += (size_t)rows;
    else
        pager->top = up > pager->top ? 0 : pager->top - up;
    if (pager->top > last_top(pager))
        pager->top = last_top(pager);
}

void talk_pager_to_end(struct talk_pager *pager, bool bottom)
{
    pager->top = bottom ? last_top(pager) : 0;
}

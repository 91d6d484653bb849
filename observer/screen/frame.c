/* frame.c - see frame.h. */
#include "frame.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "canvas_cell.h"

static const char sync_begin[] = "\033[?2026h";
static const char sync_end[] = "\033[?2026l";

struct frame {
    struct canvas *shown; /* NULL: unknown */
    enum pen_colours colours;
    bool cursor; /* it is to be seen on the terminal */
};

/* One frame in the making. */
struct strokes {
    struct buf *into;
    enum pen_colours colours;
    bool begun;
    int pen; /* in use; -1: unknown */
    bool selected;
    bool placed; /* where the cursor stands is known: */
    unsigned row, col;
};

struct frame *frame_new(enum pen_colours colours)
{
    struct frame *frame = x_calloc(1, sizeof *frame);

    frame->colours = colours;
    return frame;
}

void frame_free(struct frame *frame)
{
    if (frame == NULL)
        return;
    canvas_free(frame->shown);
    free(frame);
}

void frame_forget(struct frame *frame)
{
    canvas_free(frame->shown);
    frame->shown = NULL;
}

/* ---- strokes ---- */

/* The buffer's maximum is the output's; one that is full tells by `overflowed`. */
static void begin(struct strokes *strokes)
{
    if (!strokes->begun)
        (void)buf_add_text(strokes->into, sync_begin);
    strokes->begun = true;
}

static void place(struct strokes *strokes, unsigned row, unsigned col)
{
    if (strokes->placed && strokes->row == row && strokes->col == col)
        return;
    if (strokes->placed && strokes->row == row)
        (void)buf_printf(strokes->into, "\033[%uG", col + 1);
    else
        (void)buf_printf(strokes->into, "\033[%u;%uH", row + 1, col + 1);
    strokes->placed = true;
    strokes->row = row;
    strokes->col = col;
}

static void dip(struct strokes *strokes, const struct cell *cell)
{
    if (strokes->pen == cell->pen && strokes->selected == cell->selected)
        return;
    (void)buf_printf(strokes->into, "\033[0%s%sm",
                     pen_sgr((enum pen)cell->pen, strokes->colours),
                     cell->selected ? ";7" : "");
    strokes->pen = cell->pen;
    strokes->selected = cell->selected;
}

static bool is_ascii(const struct cell *cell)
{
    return cell->len == 1;
}

/* Terminals may take its width otherwise. */
static bool is_doubtful(const struct cell *cell)
{
    uint32_t point;

    if (is_ascii(cell))
        return false;
    return cell->columns != 1
           || utf8_decode(str_make(cell->bytes, cell->len), &point) != cell->len;
}

/* One that the terminal takes for narrower must not leave old text beside it. */
static void wipe(struct strokes *strokes, const struct cell *cell)
{
    unsigned col = strokes->col;

    (void)buf_add(strokes->into, "  ", cell->columns);
    strokes->col += cell->columns;
    place(strokes, strokes->row, col);
}

static void stroke(struct strokes *strokes, unsigned row, unsigned col,
                   const struct cell *cell)
{
    begin(strokes);
    place(strokes, row, col);
    dip(strokes, cell);
    if (is_doubtful(cell))
        wipe(strokes, cell);
    (void)buf_add(strokes->into, cell->bytes, cell->len);
    if (is_ascii(cell))
        strokes->col++;
    else
        strokes->col = ~0U; /* anywhere in this row */
}

/* ---- frames ---- */

static bool same(const struct cell *a, const struct cell *b)
{
    return a->len == b->len && a->columns == b->columns && a->pen == b->pen
           && a->selected == b->selected && memcmp(a->bytes, b->bytes, a->len) == 0;
}

static void write_row(struct strokes *strokes, const struct canvas *shown,
                      const struct canvas *canvas, unsigned row)
{
    const struct cell *old = &shown->cells[(size_t)row * shown->cols];
    const struct cell *new = &canvas->cells[(size_t)row * canvas->cols];
    bool rest = false; /* of the row is written, changed or not */

    for (unsigned col = 0; col < canvas->cols; col++) {
        bool changed = !same(&old[col], &new[col]);

        rest = rest || (changed && (is_doubtful(&old[col]) || is_doubtful(&new[col])));
        if ((rest || changed) && new[col].columns > 0)
            stroke(strokes, row, col, &new[col]);
    }
}

static void clear(struct frame *frame, const struct canvas *canvas,
                  struct strokes *strokes)
{
    begin(strokes);
    (void)buf_add_text(strokes->into, "\033[0m\033[?25l\033[H\033[2J");
    strokes->pen = PEN_TEXT;
    frame->cursor = false;
    canvas_free(frame->shown);
    frame->shown = canvas_new(canvas->rows, canvas->cols, canvas->ascii);
}

static void show_cursor(struct frame *frame, const struct canvas *canvas,
                        struct strokes *strokes)
{
    const struct canvas *shown = frame->shown;
    bool moved = canvas->cursor
                 && (strokes->begun || canvas->cursor_row != shown->cursor_row
                     || canvas->cursor_col != shown->cursor_col);

    if (!moved && canvas->cursor == frame->cursor)
        return;
    begin(strokes);
    if (canvas->cursor)
        place(strokes, canvas->cursor_row, canvas->cursor_col);
    if (canvas->cursor != frame->cursor)
        (void)buf_add_text(strokes->into, canvas->cursor ? "\033[?25h" : "\033[?25l");
    frame->cursor = canvas->cursor;
}

bool frame_write(struct frame *frame, const struct canvas *canvas, struct buf *into)
{
    struct strokes strokes = {.into = into, .colours = frame->colours, .pen = -1};
    struct canvas *shown = frame->shown;

    if (shown == NULL || shown->rows != canvas->rows || shown->cols != canvas->cols)
        clear(frame, canvas, &strokes);
    shown = frame->shown;
    for (unsigned row = 0; row < canvas->rows; row++)
        write_row(&strokes, shown, canvas, row);
    show_cursor(frame, canvas, &strokes);
    if (!strokes.begun)
        return false;
    (void)buf_add_text(into, "\033[0m");
    (void)buf_add_text(into, sync_end);
    memcpy(shown->cells, canvas->cells,
           (size_t)canvas->rows * canvas->cols * sizeof *canvas->cells);
    shown->cursor_row = canvas->cursor_row;
    shown->cursor_col = canvas->cursor_col;
    return true;
}

void frame_print(const struct canvas *canvas, enum pen_colours colours,
                 struct buf *into)
{
    struct strokes strokes = {.into = into, .colours = colours, .pen = PEN_TEXT};

    for (unsigned row = 0; row < canvas->rows; row++) {
        for (unsigned col = 0; col < canvas->cols; col++) {
            const struct cell *cell = &canvas->cells[(size_t)row * canvas->cols + col];

            if (cell->columns == 0)
                continue;
            dip(&strokes, cell);
            (void)buf_add(into, cell->bytes, cell->len);
        }
        (void)buf_add_text(
            into, strokes.pen == PEN_TEXT && !strokes.selected ? "\n" : "\033[0m\n");
        strokes.pen = PEN_TEXT;
        strokes.selected = false;
    }
}

/* canvas.c - see canvas.h. One function writes cells, and it keeps wide characters
 * whole. */
#include "canvas.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "canvas_cell.h"
#include "text.h"

enum {
    CLEAN_MAX_BYTES = 1 << 20,
    COLUMN_BYTES = 64, /* more of a text than that a column is not looked at */
    EIGHTHS = 8
};

static const char *const blocks[EIGHTHS + 1] = {" ", "▁", "▂", "▃", "▄",
                                                "▅", "▆", "▇", "█"};
static const char ascii_blocks[] = " _.:-=+*#";

struct canvas *canvas_new(unsigned rows, unsigned cols, bool ascii)
{
    struct canvas *canvas = x_calloc(1, sizeof *canvas);

    canvas->ascii = ascii;
    buf_init(&canvas->clean, CLEAN_MAX_BYTES);
    canvas_resize(canvas, rows, cols);
    return canvas;
}

void canvas_free(struct canvas *canvas)
{
    if (canvas == NULL)
        return;
    buf_done(&canvas->clean);
    free(canvas->cells);
    free(canvas);
}

void canvas_resize(struct canvas *canvas, unsigned rows, unsigned cols)
{
    free(canvas->cells);
    canvas->rows = rows;
    canvas->cols = cols;
    canvas->cells = x_calloc((size_t)rows * cols + 1, sizeof *canvas->cells);
    canvas_clear(canvas);
}

void canvas_clear(struct canvas *canvas)
{
    static const struct cell blank = {
        .bytes = " ", .len = 1, .columns = 1, .pen = PEN_TEXT};

    for (size_t i = 0; i < (size_t)canvas->rows * canvas->cols; i++)
        canvas->cells[i] = blank;
    canvas->cursor = false;
}

struct area canvas_area(const struct canvas *canvas)
{
    return (struct area){0, 0, canvas->rows, canvas->cols};
}

bool canvas_is_ascii(const struct canvas *canvas)
{
    return canvas->ascii;
}

/* ---- cells ---- */

static struct cell *cell_at(struct canvas *canvas, unsigned row, unsigned col)
{
    return &canvas->cells[(size_t)row * canvas->cols + col];
}

static void blank(struct cell *cell)
{
    cell->bytes[0] = ' ';
    cell->len = 1;
    cell->columns = 1;
}

/* The cell is about to be overwritten: no half of a wide one may stay. */
static void part(struct canvas *canvas, unsigned row, unsigned col)
{
    struct cell *cell = cell_at(canvas, row, col);

    if (cell->columns == 0 && col > 0)
        blank(cell - 1);
    if (cell->columns == 2 && col + 1 < canvas->cols)
        blank(cell + 1);
}

/* As much of a cluster as a cell takes, whole characters. Not a joiner (U+200D) at its
 * end: tmux joins whatever comes into the next cell to it, and all behind moves. */
static size_t cell_bytes(struct str cluster)
{
    static const char joiner[] = "\xE2\x80\x8D";
    enum { JOINER_BYTES = sizeof joiner - 1 };
    size_t len = cluster.len < CELL_MAX_BYTES ? cluster.len : CELL_MAX_BYTES;

    while (len > 0 && len < cluster.len
           && ((unsigned char)cluster.at[len] & 0xC0) == 0x80)
        len--;
    while (len > JOINER_BYTES
           && memcmp(cluster.at + len - JOINER_BYTES, joiner, JOINER_BYTES) == 0)
        len -= JOINER_BYTES;
    return len;
}

/* The cluster lies within the canvas. */
static void set(struct canvas *canvas, unsigned row, unsigned col, enum pen pen,
                struct str cluster, unsigned columns)
{
    struct cell *cell = cell_at(canvas, row, col);

    for (unsigned i = 0; i < columns; i++)
        part(canvas, row, col + i);
    cell->len = (unsigned char)cell_bytes(cluster);
    memcpy(cell->bytes, cluster.at, cell->len);
    cell->columns = (unsigned char)columns;
    cell->pen = (unsigned char)pen;
    if (columns == 2) {
        cell[1].len = 0;
        cell[1].columns = 0;
        cell[1].pen = (unsigned char)pen;
    }
}

/* What is shown for a cluster that is not so simple. */
static void set_shown(struct canvas *canvas, unsigned row, unsigned col, enum pen pen,
                      struct str cluster, unsigned columns)
{
    bool is_ascii = cluster.len == 1 && (unsigned char)cluster.at[0] < 0x80;

    if (canvas->ascii && !is_ascii) {
        for (unsigned i = 0; i < columns; i++)
            set(canvas, row, col + i, pen, str_of("?"), 1);
        return;
    }
    if (text_is_bare(cluster))
        cluster = str_of("\xEF\xBF\xBD");
    set(canvas, row, col, pen, cluster, columns);
}

/* ---- text ---- */

static struct str clean(struct canvas *canvas, struct str text, unsigned cols)
{
    size_t most = ((size_t)cols + 1) * COLUMN_BYTES;

    buf_clear(&canvas->clean);
    (void)text_clean(text.len > most ? str_make(text.at, most) : text, TEXT_ONE_LINE,
                     &canvas->clean); /* full: the rest cannot be seen anyway */
    return buf_str(&canvas->clean);
}

static unsigned columns_left(const struct canvas *canvas, unsigned row, unsigned col,
                             unsigned cols)
{
    if (row >= canvas->rows || col >= canvas->cols)
        return 0;
    return cols < canvas->cols - col ? cols : canvas->cols - col;
}

/* Clean text, from col on; returns the columns used. */
static unsigned put_clean(struct canvas *canvas, unsigned row, unsigned col,
                          unsigned cols, enum pen pen, struct str text)
{
    unsigned used = 0;

    while (text.len > 0) {
        unsigned columns;
        size_t bytes = text_next(text, &columns);

        if (used + columns > cols)
            break;
        set_shown(canvas, row, col + used, pen, str_make(text.at, bytes), columns);
        used += columns;
        text = str_make(text.at + bytes, text.len - bytes);
    }
    if (text.len > 0 && used < cols) { /* a wide one that did not fit */
        set(canvas, row, col + used, pen, str_of(" "), 1);
        used++;
    }
    return used;
}

unsigned canvas_put(struct canvas *canvas, unsigned row, unsigned col, unsigned cols,
                    enum pen pen, struct str text)
{
    cols = columns_left(canvas, row, col, cols);
    if (cols == 0)
        return 0;
    return put_clean(canvas, row, col, cols, pen, clean(canvas, text, cols));
}

unsigned canvas_put_cut(struct canvas *canvas, unsigned row, unsigned col,
                        unsigned cols, enum pen pen, struct str text)
{
    struct str shown;
    size_t fit;

    cols = columns_left(canvas, row, col, cols);
    if (cols == 0)
        return 0;
    shown = clean(canvas, text, cols);
    if (text_fit(shown, cols) == shown.len)
        return put_clean(canvas, row, col, cols, pen, shown);
    fit = text_fit(shown, cols - 1);
    (void)put_clean(canvas, row, col, cols - 1, pen, str_make(shown.at, fit));
    fit = text_columns(str_make(shown.at, fit));
    set(canvas, row, col + (unsigned)fit, pen, str_of(canvas->ascii ? "~" : "…"), 1);
    return (unsigned)fit + 1;
}

unsigned canvas_put_right(struct canvas *canvas, unsigned row, unsigned col,
                          unsigned cols, enum pen pen, struct str text)
{
    unsigned columns;
    struct str shown;

    cols = columns_left(canvas, row, col, cols);
    if (cols == 0)
        return 0;
    shown = clean(canvas, text, cols);
    columns = text_columns(shown);
    if (columns > cols)
        columns = cols;
    return put_clean(canvas, row, col + cols - columns, columns, pen, shown);
}

/* ---- areas ---- */

static struct area clip(const struct canvas *canvas, struct area area)
{
    if (area.row >= canvas->rows || area.col >= canvas->cols)
        return (struct area){0};
    if (area.rows > canvas->rows - area.row)
        area.rows = canvas->rows - area.row;
    if (area.cols > canvas->cols - area.col)
        area.cols = canvas->cols - area.col;
    return area;
}

static void fill(struct canvas *canvas, struct area area, enum pen pen,
                 const char *with)
{
    area = clip(canvas, area);
    for (unsigned row = 0; row < area.rows; row++)
        for (unsigned col = 0; col < area.cols; col++)
            set(canvas, area.row + row, area.col + col, pen, str_of(with), 1);
}

void canvas_fill(struct canvas *canvas, struct area area, enum pen pen)
{
    fill(canvas, area, pen, " ");
}

void canvas_line(struct canvas *canvas, struct area area, enum pen pen)
{
    if (area.rows > 1) {
        area.cols = area.cols > 0;
        fill(canvas, area, pen, canvas->ascii ? "|" : "│");
    } else {
        fill(canvas, area, pen, canvas->ascii ? "-" : "─");
    }
}

void canvas_bar(struct canvas *canvas, struct area area, enum pen pen, double share)
{
    struct area full = area;

    area.rows = full.rows = area.rows > 0;
    if (isnan(share)) {
        fill(canvas, area, PEN_DIM, " ");
        (void)canvas_put(canvas, area.row, area.col, area.cols, PEN_DIM, str_of("-"));
        return;
    }
    share = share < 0 ? 0 : share > 1 ? 1 : share;
    full.cols = (unsigned)(share * area.cols + 0.5);
    if (full.cols == 0 && share > 0 && area.cols > 0)
        full.cols = 1; /* a little is not nothing */
    fill(canvas, area, PEN_DIM, canvas->ascii ? "." : "░");
    fill(canvas, full, pen, canvas->ascii ? "#" : "█");
}

static void put_level(struct canvas *canvas, unsigned row, unsigned col, enum pen pen,
                      double level)
{
    unsigned eighths = level <= 0 ? 0 : (unsigned)(level * EIGHTHS + 0.5);

    if (level > 0 && eighths == 0)
        eighths = 1;
    if (eighths > EIGHTHS)
        eighths = EIGHTHS;
    if (canvas->ascii)
        set(canvas, row, col, pen, str_make(ascii_blocks + eighths, 1), 1);
    else
        set(canvas, row, col, pen, str_of(blocks[eighths]), 1);
}

void canvas_spark(struct canvas *canvas, struct area area, enum pen pen,
                  const double *values, size_t count, double top)
{
    area = clip(canvas, area);
    if (area.rows == 0)
        return;
    for (unsigned col = 0; col < area.cols; col++) {
        size_t back = area.cols - col; /* from the right, counted from 1 */
        double value = back <= count ? values[count - back] : NAN;
        double level = isnan(value) || top <= 0 ? 0 : value / top;

        put_level(canvas, area.row, area.col + col, pen, level);
    }
}

void canvas_select(struct canvas *canvas, struct area area)
{
    area = clip(canvas, area);
    for (unsigned row = 0; row < area.rows; row++)
        for (unsigned col = 0; col < area.cols; col++)
            cell_at(canvas, area.row + row, area.col + col)->selected = true;
}

void canvas_cursor(struct canvas *canvas, unsigned row, unsigned col)
{
    canvas->cursor = row < canvas->rows && col < canvas->cols;
    canvas->cursor_row = row;
    canvas->cursor_col = col;
}

/* ---- out ---- */

void canvas_dump(const struct canvas *canvas, struct buf *into)
{
    for (unsigned row = 0; row < canvas->rows; row++) {
        const struct cell *cells = &canvas->cells[(size_t)row * canvas->cols];
        unsigned end = canvas->cols;

        while (end > 0 && cells[end - 1].len == 1 && cells[end - 1].bytes[0] == ' ')
            end--;
        for (unsigned col = 0; col < end; col++)
            (void)buf_add(into, cells[col].bytes,
                          cells[col].len); /* overflowed tells */
        (void)buf_add_char(into, '\n');
    }
}

/* page_term.c - see page_term.h.
 *
 * Flow: for each table natural widths of its columns -> leave out, cut or widen until
 *       they fit -> rows; paragraphs are wrapped at blanks
 */
#include "analyzer/page_term.h"

#include <assert.h>
#include <math.h>
#include <string.h>

#include "analyzer/chart.h"
#include "analyzer/page.h"
#include "base/utf8.h"
#include "base/width.h"

enum {
    COLUMNS_MAX = 24,
    INDENT = 2,
    GAP = 2,
    CHART_MIN = 10,
    CHART_MAX = 60,
    TEXT_MAX_BYTES = 4096
};

struct layout {
    const struct page_part *table;
    const struct page_term *term;
    unsigned widths[COLUMNS_MAX]; /* 0: left out */
};

static const char *pen_start(enum page_pen pen)
{
    static const char *const starts[PEN_COUNT] = {
        [PEN_DIM] = "\033[2m",
        [PEN_GOOD] = "\033[32m",
        [PEN_WARN] = "\033[33m",
        [PEN_BAD] = "\033[31m",
    };

    return starts[pen];
}

static void put_pen(struct buf *into, const struct page_term *term, const char *start)
{
    if (term->color && start != NULL)
        (void)buf_add_text(into, start); /* its overflow stays to be seen */
}

static void put_blanks(struct buf *into, unsigned count)
{
    (void)buf_printf(into, "%*s", (int)count, "");
}

/* ---- widths ---- */

/* The text made harmless in `safe`, which is cleared first. */
static struct str harmless(const char *text, struct buf *safe)
{
    buf_clear(safe);
    (void)utf8_harmless(str_of(text == NULL ? "-" : text), false, safe); /* else cut */
    return buf_str(safe);
}

static unsigned cell_columns(const struct page_cell *cell, struct buf *safe)
{
    return cell->kind == CELL_TEXT ? width_text(harmless(cell->text, safe)) : CHART_MIN;
}

static bool is_chart(const struct layout *layout, size_t column)
{
    const struct page_part *table = layout->table;

    return column < table->cell_count && table->cells[column].kind != CELL_TEXT;
}

static void natural_widths(struct layout *layout)
{
    const struct page_part *table = layout->table;
    struct buf safe;

    assert(table->column_count > 0 && table->column_count <= COLUMNS_MAX);
    buf_init(&safe, TEXT_MAX_BYTES);
    for (size_t i = 0; i < table->column_count; i++)
        layout->widths[i] = width_text(str_of(table->columns[i].title));
    for (size_t i = 0; i < table->cell_count; i++) {
        unsigned *width = &layout->widths[i % table->column_count];
        unsigned wanted = cell_columns(&table->cells[i], &safe);

        *width = wanted > *width ? wanted : *width;
        *width = *width == 0 ? 1 : *width;
    }
    buf_done(&safe);
}

static unsigned sum_of(const struct layout *layout)
{
    unsigned sum = INDENT;
    bool first = true;

    for (size_t i = 0; i < layout->table->column_count; i++) {
        if (layout->widths[i] == 0)
            continue;
        sum += layout->widths[i] + (first ? 0 : GAP);
        first = false;
    }
    return sum;
}

/* Takes columns from those that may be cut, the widest first. */
static void cut(struct layout *layout)
{
    while (sum_of(layout) > layout->term->width) {
        unsigned *widest = NULL;

        for (size_t i = 0; i < layout->table->column_count; i++) {
            unsigned least = layout->table->columns[i].cut_to;

            if (least == 0 || layout->widths[i] <= least)
                continue;
            if (widest == NULL || layout->widths[i] > *widest)
                widest = &layout->widths[i];
        }
        if (widest == NULL)
            return;
        --*widest;
    }
}

/* How far the texts can be cut at most. */
static unsigned least_sum(const struct layout *layout)
{
    struct layout cut_down = *layout;

    for (size_t i = 0; i < layout->table->column_count; i++) {
        unsigned least = layout->table->columns[i].cut_to;

        if (least > 0 && cut_down.widths[i] > least)
            cut_down.widths[i] = least;
    }
    return sum_of(&cut_down);
}

/* A column of nothing but unknowns tells nothing: it goes if it may. */
static void leave_unknown(struct layout *layout)
{
    const struct page_part *table = layout->table;
    bool known[COLUMNS_MAX] = {false};

    for (size_t i = 0; i < table->cell_count; i++)
        if (table->cells[i].kind != CELL_TEXT || table->cells[i].text != NULL)
            known[i % table->column_count] = true;
    for (size_t i = 0; i < table->column_count; i++)
        if (!known[i] && table->columns[i].leave > 0)
            layout->widths[i] = 0;
}

static void leave_out(struct layout *layout)
{
    leave_unknown(layout);
    while (least_sum(layout) > layout->term->width) {
        size_t worst = SIZE_MAX;

        for (size_t i = 0; i < layout->table->column_count; i++)
            if (layout->widths[i] > 0 && layout->table->columns[i].leave > 0
                && (worst == SIZE_MAX
                    || layout->table->columns[i].leave
                           > layout->table->columns[worst].leave))
                worst = i;
        if (worst == SIZE_MAX)
            return;
        layout->widths[worst] = 0;
    }
}

static void widen_charts(struct layout *layout)
{
    for (size_t i = 0; i < layout->table->column_count; i++) {
        unsigned sum = sum_of(layout);
        unsigned spare = layout->term->width > sum ? layout->term->width - sum : 0;

        if (!is_chart(layout, i) || layout->widths[i] == 0
            || layout->widths[i] >= CHART_MAX)
            continue;
        layout->widths[i] += spare < CHART_MAX - layout->widths[i]
                                 ? spare
                                 : CHART_MAX - layout->widths[i];
    }
}

/* ---- rows ---- */

static void put_text(struct buf *into, const struct layout *layout, size_t column,
                     struct str text)
{
    unsigned width = layout->widths[column];
    unsigned used = width_text(text);
    bool whole = used <= width;
    const char *rest = layout->term->ascii ? "~" : "…";

    if (!whole) {
        text.len = width_fit(text, width - 1);
        used = width_text(text) + 1;
    }
    if (layout->table->columns[column].align == ALIGN_RIGHT)
        put_blanks(into, width - used);
    (void)buf_add_str(into, text);
    (void)buf_add_text(into, whole ? "" : rest);
    if (layout->table->columns[column].align == ALIGN_LEFT)
        put_blanks(into, width - used);
}

static void put_cell(struct buf *into, const struct layout *layout, size_t column,
                     const struct page_cell *cell)
{
    unsigned width = layout->widths[column];
    bool ascii = layout->term->ascii;
    struct buf safe;

    if (cell->kind == CELL_BAR) {
        chart_bar(into, cell->value, cell->max, width, ascii);
        return;
    }
    if (cell->kind == CELL_SPARK) {
        (void)chart_spark(into, cell->values, cell->count, width, ascii);
        return;
    }
    buf_init(&safe, TEXT_MAX_BYTES);
    put_pen(into, layout->term, pen_start(cell->pen));
    put_text(into, layout, column, harmless(cell->text, &safe));
    put_pen(into, layout->term, pen_start(cell->pen) == NULL ? NULL : "\033[0m");
    buf_done(&safe);
}

static void end_line(struct buf *into)
{
    while (into->len > 0 && into->at[into->len - 1] == ' ')
        into->at[--into->len] = '\0';
    (void)buf_add_char(into, '\n');
}

static void put_heads(struct buf *into, const struct layout *layout)
{
    bool any = false;
    bool first = true;

    for (size_t i = 0; i < layout->table->column_count; i++)
        any = any || *layout->table->columns[i].title != '\0';
    if (!any)
        return;
    put_blanks(into, INDENT);
    put_pen(into, layout->term, pen_start(PEN_DIM));
    for (size_t i = 0; i < layout->table->column_count; i++) {
        if (layout->widths[i] == 0)
            continue;
        put_blanks(into, first ? 0 : GAP);
        put_text(into, layout, i, str_of(layout->table->columns[i].title));
        first = false;
    }
    put_pen(into, layout->term, "\033[0m");
    end_line(into);
}

static void put_row(struct buf *into, const struct layout *layout,
                    const struct page_cell *cells)
{
    bool first = true;

    put_blanks(into, INDENT);
    for (size_t i = 0; i < layout->table->column_count; i++) {
        if (layout->widths[i] == 0)
            continue;
        put_blanks(into, first ? 0 : GAP);
        put_cell(into, layout, i, &cells[i]);
        first = false;
    }
    end_line(into);
}

static void put_table(struct buf *into, const struct page_part *table,
                      const struct page_term *term)
{
    struct layout layout = {.table = table, .term = term};

    natural_widths(&layout);
    leave_out(&layout);
    cut(&layout);
    widen_charts(&layout);
    put_heads(into, &layout);
    for (size_t i = 0; i < table->cell_count; i += table->column_count)
        put_row(into, &layout, &table->cells[i]);
}

/* ---- the rest ---- */

static void put_section(struct buf *into, const struct page_part *part,
                        const struct page_term *term)
{
    if (into->len > 0)
        (void)buf_add_char(into, '\n');
    put_pen(into, term, "\033[1m");
    (void)buf_add_text(into, part->text);
    put_pen(into, term, "\033[0m");
    (void)buf_add_char(into, '\n');
}

/* Wrapped at blanks; a word that is wider than a line is cut into lines. */
static void put_words(struct buf *into, const struct page_part *part,
                      const struct page_term *term)
{
    struct str rest = str_of(part->text);

    while (rest.len > 0) {
        size_t bytes = width_fit(rest, term->width - INDENT);

        if (bytes < rest.len && rest.at[bytes] != ' ') {
            size_t blank = bytes;

            while (blank > 0 && rest.at[blank - 1] != ' ')
                blank--;
            bytes = blank > 0 ? blank : bytes;
        }
        put_blanks(into, INDENT);
        put_pen(into, term, pen_start(part->pen));
        (void)buf_add_str(into, str_trim(str_make(rest.at, bytes)));
        put_pen(into, term, pen_start(part->pen) == NULL ? NULL : "\033[0m");
        end_line(into);
        rest = str_trim(str_make(rest.at + bytes, rest.len - bytes));
    }
}

void page_term(const struct page *page, const struct page_term *term, struct buf *into)
{
    struct page_term kept = *term;

    kept.width = kept.width < PAGE_TERM_MIN ? PAGE_TERM_MIN : kept.width;
    kept.width = kept.width > PAGE_TERM_MAX ? PAGE_TERM_MAX : kept.width;
    for (size_t i = 0; i < page->part_count; i++) {
        const struct page_part *part = &page->parts[i];

        if (part->kind == PART_SECTION)
            put_section(into, part, &kept);
        else if (part->kind == PART_WORDS)
            put_words(into, part, &kept);
        else
            put_table(into, part, &kept);
    }
}

/* page_html.c - see page_html.h. */
#include "analyzer/page_html.h"

#include <math.h>

#include "analyzer/page.h"
#include "base/markup.h"

static const char *const pen_classes[PEN_COUNT] = {[PEN_PLAIN] = "",
                                                   [PEN_DIM] = " dim",
                                                   [PEN_GOOD] = " good",
                                                   [PEN_WARN] = " warn",
                                                   [PEN_BAD] = " bad"};

/* Adds to `into` with its overflow to be seen there by the caller of page_html, as all
 * here. A bar in a picture of 100 by 10 units. */
static void put_bar(struct buf *into, const struct page_cell *cell)
{
    double share = cell->max > 0 ? cell->value / cell->max : (double)NAN;

    (void)buf_add_text(into, "<svg class=\"bar\" viewBox=\"0 0 100 10\" "
                             "preserveAspectRatio=\"none\" aria-hidden=\"true\">");
    if (isfinite(share) && share > 0)
        (void)buf_printf(into, "<rect width=\"%.1f\" height=\"10\"/>",
                         share > 1 ? 100.0 : fmax(share * 100, 0.5));
    (void)buf_add_text(into, "</svg>");
}

static double greatest(const struct page_cell *cell)
{
    double max = 0;

    for (size_t i = 0; i < cell->count; i++)
        max = fmax(max, cell->values[i]);
    return max;
}

/* One standing bar a value, none for what is unknown. */
static void put_spark(struct buf *into, const struct page_cell *cell)
{
    double max = greatest(cell);

    (void)buf_printf(into,
                     "<svg class=\"spark\" viewBox=\"0 0 %zu 100\" "
                     "preserveAspectRatio=\"none\" aria-hidden=\"true\">",
                     cell->count == 0 ? 1 : cell->count);
    for (size_t i = 0; i < cell->count; i++) {
        double height = max > 0 ? cell->values[i] / max * 100 : 0;

        if (isfinite(height))
            (void)buf_printf(into,
                             "<rect x=\"%zu\" y=\"%.1f\" width=\"1\" height=\"%.1f\"/>",
                             i, 100 - fmax(height, 1), fmax(height, 1));
    }
    (void)buf_add_text(into, "</svg>");
}

static void put_cell(struct buf *into, const struct page_column *column,
                     const struct page_cell *cell)
{
    const char *align = cell->kind != CELL_TEXT        ? "chart"
                        : column->align == ALIGN_RIGHT ? "number"
                                                       : "text";

    (void)buf_printf(into, "<td class=\"%s%s\">", align, pen_classes[cell->pen]);
    if (cell->kind == CELL_BAR)
        put_bar(into, cell);
    else if (cell->kind == CELL_SPARK)
        put_spark(into, cell);
    else if (cell->text == NULL)
        (void)buf_add_char(into, '-');
    else
        (void)markup_html(into, str_of(cell->text));
    (void)buf_add_text(into, "</td>");
}

static bool has_heads(const struct page_part *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (*table->columns[i].title != '\0')
            return true;
    return false;
}

static void put_heads(struct buf *into, const struct page_part *table)
{
    (void)buf_add_text(into, "<thead><tr>");
    for (size_t i = 0; i < table->column_count; i++) {
        (void)buf_printf(into, "<th scope=\"col\" class=\"%s\">",
                         table->columns[i].align == ALIGN_RIGHT ? "number" : "text");
        (void)markup_html(into, str_of(table->columns[i].title));
        (void)buf_add_text(into, "</th>");
    }
    (void)buf_add_text(into, "</tr></thead>\n");
}

/* The frame around a table scrolls where a screen is too narrow for it. */
static void put_table(struct buf *into, const struct page_part *table)
{
    (void)buf_add_text(into, "<div class=\"table\" tabindex=\"0\"><table>\n");
    if (has_heads(table))
        put_heads(into, table);
    (void)buf_add_text(into, "<tbody>\n");
    for (size_t i = 0; i < table->cell_count; i++) {
        size_t column = i % table->column_count;

        if (column == 0)
            (void)buf_add_text(into, "<tr>");
        put_cell(into, &table->columns[column], &table->cells[i]);
        if (column + 1 == table->column_count)
            (void)buf_add_text(into, "</tr>\n");
    }
    (void)buf_add_text(into, "</tbody></table></div>\n");
}

static void put_escaped(struct buf *into, const char *before, const char *text,
                        const char *after)
{
    (void)buf_add_text(into, before);
    (void)markup_html(into, str_of(text));
    (void)buf_add_text(into, after);
}

static void put_part(struct buf *into, const struct page_part *part)
{
    if (part->kind == PART_TABLE) {
        put_table(into, part);
    } else if (part->kind == PART_SECTION) {
        put_escaped(into, "<section><h2>", part->text, "</h2>\n");
    } else {
        (void)buf_printf(into, "<p class=\"words%s\">", pen_classes[part->pen]);
        put_escaped(into, "", part->text, "</p>\n");
    }
}

void page_html(const struct page *page, size_t first, size_t end, struct buf *into)
{
    size_t sections = 0; /* begun so far */

    for (size_t i = 0; i < page->part_count; i++) {
        const struct page_part *part = &page->parts[i];

        if (part->kind == PART_SECTION) {
            if (sections > first && sections <= end)
                (void)buf_add_text(into, "</section>\n");
            sections++;
        }
        if (sections > first && sections <= end)
            put_part(into, part);
    }
    if (sections > first && sections <= end)
        (void)buf_add_text(into, "</section>\n");
}

/* page_markdown.c - see page_markdown.h. */
#include "analyzer/page_markdown.h"

#include "analyzer/chart.h"
#include "analyzer/page.h"
#include "base/markup.h"

enum { CHART_COLUMNS = 24 };

static void put_cell(struct buf *into, const struct page_cell *cell)
{
    if (cell->kind == CELL_BAR)
        chart_bar(into, cell->value, cell->max, CHART_COLUMNS, false);
    else if (cell->kind == CELL_SPARK)
        (void)chart_spark(into, cell->values, cell->count, CHART_COLUMNS, false);
    else if (cell->text == NULL)
        (void)buf_add_char(into, '-'); /* overflow stays to be seen, here and below */
    else
        (void)markup_markdown(into, str_of(cell->text));
}

static void put_heads(struct buf *into, const struct page_part *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        (void)buf_printf(into, "| %s ", table->columns[i].title);
    (void)buf_add_text(into, "|\n");
    for (size_t i = 0; i < table->column_count; i++)
        (void)buf_add_text(into, table->columns[i].align == ALIGN_RIGHT ? "| ---: "
                                                                        : "| --- ");
    (void)buf_add_text(into, "|\n");
}

static void put_table(struct buf *into, const struct page_part *table)
{
    put_heads(into, table);
    for (size_t i = 0; i < table->cell_count; i++) {
        (void)buf_add_text(into, "| ");
        put_cell(into, &table->cells[i]);
        (void)buf_add_text(into, (i + 1) % table->column_count == 0 ? " |\n" : " ");
    }
}

void page_markdown(const struct page *page, struct buf *into)
{
    for (size_t i = 0; i < page->part_count; i++) {
        const struct page_part *part = &page->parts[i];

        if (into->len > 0)
            (void)buf_add_char(into, '\n');
        if (part->kind == PART_TABLE) {
            put_table(into, part);
            continue;
        }
        (void)buf_add_text(into, part->kind == PART_SECTION ? "## " : "");
        (void)markup_markdown(into, str_of(part->text));
        (void)buf_add_char(into, '\n');
    }
}

/* page.c - see page.h. */
#include "analyzer/page.h"

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "analyzer/cell.h"
#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { WORDS_MAX_BYTES = 16 * 1024, RING = 8, RING_BYTES = 48 };

struct page *page_new(void)
{
    return x_calloc(1, sizeof(struct page));
}

static void part_done(struct page_part *part)
{
    for (size_t i = 0; i < part->cell_count; i++) {
        free(part->cells[i].text);
        free(part->cells[i].values);
    }
    free(part->cells);
    free(part->text);
}

void page_free(struct page *page)
{
    if (page == NULL)
        return;
    for (size_t i = 0; i < page->part_count; i++)
        part_done(&page->parts[i]);
    free(page->parts);
    free(page);
}

static struct page_part *last_part(struct page *page)
{
    assert(page->part_count > 0);
    return &page->parts[page->part_count - 1];
}

static struct page_part *new_part(struct page *page, enum page_part_kind kind)
{
    if (page->part_count > 0 && last_part(page)->kind == PART_TABLE)
        assert(last_part(page)->cell_count % last_part(page)->column_count == 0);
    if (page->part_count == page->capacity) {
        page->capacity = page->capacity == 0 ? 16 : 2 * page->capacity;
        page->parts = x_realloc(page->parts, page->capacity * sizeof *page->parts);
    }
    page->parts[page->part_count++] = (struct page_part){.kind = kind};
    return last_part(page);
}

void page_section(struct page *page, const char *title)
{
    new_part(page, PART_SECTION)->text = x_strdup(title);
}

void page_words(struct page *page, enum page_pen pen, const char *format, ...)
{
    struct page_part *part = new_part(page, PART_WORDS);
    char text[WORDS_MAX_BYTES];
    va_list args;
    int len;

    va_start(args, format);
    len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert(len >= 0 && (size_t)len < sizeof text);
    part->text = x_strdup(text);
    part->pen = pen;
}

void page_table(struct page *page, const struct page_column *columns, size_t count)
{
    struct page_part *part = new_part(page, PART_TABLE);

    assert(count > 0);
    part->columns = columns;
    part->column_count = count;
}

static struct page_cell *new_cell(struct page *page, enum page_cell_kind kind)
{
    struct page_part *part = last_part(page);

    assert(part->kind == PART_TABLE);
    if (part->cell_count == part->capacity) {
        part->capacity = part->capacity == 0 ? 32 : 2 * part->capacity;
        part->cells = x_realloc(part->cells, part->capacity * sizeof *part->cells);
    }
    part->cells[part->cell_count++] = (struct page_cell){.kind = kind};
    return &part->cells[part->cell_count - 1];
}

void page_cell_text(struct page *page, enum page_pen pen, const char *text)
{
    struct page_cell *cell = new_cell(page, CELL_TEXT);

    cell->pen = pen;
    cell->text = text == NULL ? NULL : x_strdup(text);
}

void page_cell_count(struct page *page, int64_t value)
{
    page_cell_text(page, PEN_PLAIN, value < 0 ? NULL : page_count(value));
}

void page_cell_number(struct page *page, double value)
{
    page_cell_text(page, PEN_PLAIN, isfinite(value) ? page_number(value) : NULL);
}

void page_cell_share(struct page *page, double share)
{
    page_cell_text(page, PEN_PLAIN, isfinite(share) ? page_share(share) : NULL);
}

void page_cell_bar(struct page *page, double value, double max)
{
    struct page_cell *cell = new_cell(page, CELL_BAR);

    cell->value = value;
    cell->max = max;
}

void page_cell_spark(struct page *page, const double *values, size_t count)
{
    struct page_cell *cell = new_cell(page, CELL_SPARK);

    if (count == 0)
        return;
    cell->values = x_malloc(count * sizeof *values);
    memcpy(cell->values, values, count * sizeof *values);
    cell->count = count;
}

/* ---- numbers for people ---- */

static char *ring_next(void)
{
    static char ring[RING][RING_BYTES];
    static unsigned next;

    return ring[next++ % RING];
}

const char *page_number(double value)
{
    char *text = ring_next();

    if (!isfinite(value))
        fmt_into(text, RING_BYTES, "-");
    else if (value == 0)
        fmt_into(text, RING_BYTES, "0");
    else if (value >= 999999.5e3)
        fmt_into(text, RING_BYTES, "%.3gM", value / 1e6);
    else if (value >= 999999.5)
        fmt_into(text, RING_BYTES, "%.0fk", value / 1e3);
    else
        fmt_into(text, RING_BYTES, "%.*f", cell_decimals(value), value);
    return text;
}

const char *page_share(double share)
{
    char *text = ring_next();

    if (isfinite(share))
        fmt_into(text, RING_BYTES, "%.1f %%", share * 100);
    else
        fmt_into(text, RING_BYTES, "-");
    return text;
}

const char *page_count(int64_t value)
{
    char plain[24];
    char *text = ring_next();
    size_t len;
    size_t out = 0;

    if (value < 0)
        return "-";
    fmt_into(plain, sizeof plain, "%lld", (long long)value);
    len = strlen(plain);
    for (size_t i = 0; i < len; i++) {
        if (i > 0 && (len - i) % 3 == 0)
            text[out++] = ',';
        text[out++] = plain[i];
    }
    text[out] = '\0';
    return text;
}

const char *page_span(double value_ms)
{
    char *text = ring_next();
    long long seconds;

    if (!isfinite(value_ms) || value_ms < 0 || value_ms > 1e15) {
        fmt_into(text, RING_BYTES, "-");
        return text;
    }
    seconds = llround(value_ms / 1000);
    if (value_ms >= 0.001 && value_ms < 9.95)
        fmt_into(text, RING_BYTES, "%.2g ms", value_ms); /* not 0, where it is not */
    else if (value_ms < 999.5)
        fmt_into(text, RING_BYTES, "%.0f ms", value_ms);
    else if (value_ms < 99950)
        fmt_into(text, RING_BYTES, "%.1f s", value_ms / 1000);
    else if (seconds < 3600)
        fmt_into(text, RING_BYTES, "%lld min %02lld s", seconds / 60, seconds % 60);
    else
        fmt_into(text, RING_BYTES, "%lld h %02lld min", seconds / 3600,
                 seconds / 60 % 60);
    return text;
}

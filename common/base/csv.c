/* csv.c - see csv.h. */
#include "base/csv.h"

#include <math.h>
#include <string.h>

#include "base/utf8.h"

static void next_cell(struct csv *csv)
{
    if (csv->in_row)
        (void)buf_add_char(csv->into, ','); /* its overflow stays to be seen */
    csv->in_row = true;
}

/* Also the full-width forms: spreadsheets with an East Asian locale read them alike. */
static bool begins_formula(struct str text)
{
    static const uint32_t starts[] = {'=',  '+',    '-',    '@',    '\t',
                                      '\n', 0xFF1D, 0xFF0B, 0xFF0D, 0xFF20};
    uint32_t point;

    if (utf8_decode(text, &point) == 0)
        return false;
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (starts[i] == point)
            return true;
    return false;
}

static bool needs_quotes(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (strchr(",\"\n\t", text.at[i]) != NULL)
            return true;
    return false;
}

static void put_quoted(struct buf *into, struct str text, bool disarm)
{
    (void)buf_add_text(into, disarm ? "\"'" : "\"");
    for (size_t i = 0; i < text.len; i++) {
        if (text.at[i] == '"')
            (void)buf_add_char(into, '"');
        (void)buf_add_char(into, text.at[i]);
    }
    (void)buf_add_char(into, '"');
}

void csv_str(struct csv *csv, struct str text)
{
    struct buf safe;
    bool disarm;

    next_cell(csv);
    buf_init(&safe, csv->into->max);
    if (!utf8_harmless(text, true, &safe))
        csv->into->overflowed = true;
    disarm = begins_formula(buf_str(&safe));
    if (disarm || needs_quotes(buf_str(&safe)))
        put_quoted(csv->into, buf_str(&safe), disarm);
    else
        (void)buf_add_str(csv->into, buf_str(&safe));
    buf_done(&safe);
}

void csv_text(struct csv *csv, const char *text)
{
    csv_str(csv, str_of(text));
}

void csv_count(struct csv *csv, int64_t value)
{
    next_cell(csv);
    if (value >= 0)
        (void)buf_printf(csv->into, "%lld", (long long)value);
}

void csv_number(struct csv *csv, double value)
{
    char text[400]; /* the longest double has 309 digits before the point */
    size_t len;

    next_cell(csv);
    if (!isfinite(value))
        return;
    fmt_into(text, sizeof text, "%.6f", value);
    for (len = strlen(text); text[len - 1] == '0';)
        len--;
    if (text[len - 1] == '.')
        len--;
    (void)buf_add(csv->into, text, len);
}

void csv_end_row(struct csv *csv)
{
    (void)buf_add_text(csv->into, "\r\n");
    csv->in_row = false;
}

/* talk_rows.c - see talk_rows.h. */
#include "observer/screen/talk_rows.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "observer/screen/text.h"

enum { WIDE_FROM_COLS = 60, NARROW_INDENT = 2, NAME_GAP = 2, TEXT_COLS_MIN = 8 };

/* ---- one row ---- */

/* Closing punctuation stays with what it closes. */
static bool may_begin_row(struct str cluster)
{
    static const uint32_t never[] = {0x3001, 0x3002, 0x3005, 0x3009, 0x300B, 0x300D,
                                     0x300F, 0x3011, 0x3015, 0x30FB, 0x30FC, 0xFF01,
                                     0xFF09, 0xFF0C, 0xFF0E, 0xFF1A, 0xFF1B, 0xFF1F};
    uint32_t point = 0;

    (void)utf8_decode(cluster, &point); /* 0 where broken: that may */
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (never[i] == point)
            return false;
    return true;
}

static size_t skip_blanks(struct str text, size_t at)
{
    while (at < text.len && text.at[at] == ' ')
        at++;
    return at;
}

size_t talk_rows_break(struct str text, size_t from, unsigned cols, size_t *ret_next)
{
    size_t at = from;
    size_t end = 0;  /* where the row may end, */
    size_t next = 0; /* and the next then begins; 0: nowhere yet */
    unsigned used = 0;
    bool was_wide = false;

    while (at < text.len && text.at[at] != '\n') {
        unsigned wants;
        size_t bytes = text_next(str_make(text.at + at, text.len - at), &wants);
        bool blank = text.at[at] == ' ';

        if (blank
            || (at > from && (wants == 2 || was_wide)
                && may_begin_row(str_make(text.at + at, bytes)))) {
            end = at;
            next = blank ? skip_blanks(text, at) : at;
        }
        if (cols > 0 && used + wants > cols && at > from) {
            *ret_next = next > from ? next : at;
            return (next > from ? end : at) - from;
        }
        used += wants;
        was_wide = wants == 2;
        at += bytes;
    }
    *ret_next = at < text.len ? at + 1 : text.len;
    return at - from;
}

/* ---- a line ---- */

bool talk_look_is_wide(const struct talk_look *look)
{
    return look->cols >= WIDE_FROM_COLS;
}

unsigned talk_look_name_col(const struct talk_look *look)
{
    return TALK_GUTTER + (look->times == TALK_TIMES_NONE ? 0 : TALK_TIME_COLS);
}

unsigned talk_look_text_col(const struct talk_look *look)
{
    if (!talk_look_is_wide(look))
        return TALK_GUTTER + NARROW_INDENT;
    return talk_look_name_col(look) + look->name_cols + NAME_GAP;
}

void talk_rows_add(struct talk_rows *rows, enum talk_row_kind kind, size_t from,
                   size_t len)
{
    if (rows->count == rows->capacity) {
        rows->capacity = rows->capacity == 0 ? 8 : 2 * rows->capacity;
        rows->at = x_realloc(rows->at, rows->capacity * sizeof *rows->at);
    }
    rows->at[rows->count++] = (struct talk_row){kind, from, len};
}

static unsigned text_cols(const struct talk_look *look)
{
    unsigned before = talk_look_text_col(look);

    return look->cols > before + TEXT_COLS_MIN ? look->cols - before : TEXT_COLS_MIN;
}

void talk_rows_make(struct talk_rows *rows, const struct talk_line *line,
                    const struct talk_look *look)
{
    struct str text = buf_str(&line->text);
    bool wide = talk_look_is_wide(look);
    bool has_name = line->kind != TALK_NOTE;
    unsigned cols = look->wrap ? text_cols(look) : 0;
    size_t from = 0;

    rows->count = 0;
    if (line->kind == TALK_TURN || line->kind == TALK_STORY)
        talk_rows_add(rows, TALK_ROW_BLANK, 0, 0);
    if (!wide && has_name)
        talk_rows_add(rows, TALK_ROW_NAME, 0, 0);
    do {
        size_t next;
        size_t len = talk_rows_break(text, from, cols, &next);
        bool first = from == 0 && wide && has_name;

        talk_rows_add(rows, first ? TALK_ROW_FIRST : TALK_ROW_TEXT, from, len);
        from = next;
    } while (from < text.len);
}

void talk_rows_done(struct talk_rows *rows)
{
    free(rows->at);
    *rows = (struct talk_rows){0};
}

size_t talk_rows_lead(const struct talk_rows *rows)
{
    size_t lead = 0;

    while (lead + 1 < rows->count && rows->at[lead].kind < TALK_ROW_FIRST)
        lead++;
    return lead;
}

size_t talk_rows_find(const struct talk_rows *rows, size_t byte)
{
    size_t low = talk_rows_lead(rows);
    size_t high = rows->count;

    while (high - low > 1) {
        size_t middle = (low + high) / 2;

        if (rows->at[middle].from <= byte)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* text.c - see text.h. */
#include "text.h"

#include "base/utf8.h"
#include "base/width.h"

/* A line end or a tab at the start of `text`: what stands for it and its length. */
static size_t blank_of(struct str text, enum text_lines lines, const char **ret_shown)
{
    bool pair = str_starts(text, "\r\n");

    if (text.at[0] == '\n' || pair)
        *ret_shown = lines == TEXT_LINES ? "\n" : " ";
    else if (text.at[0] == '\t')
        *ret_shown = lines == TEXT_LINES ? "    " : " ";
    else
        return 0;
    return pair ? 2 : 1;
}

/* Bytes before the next blank that is not a plain one. */
static size_t run_of(struct str text)
{
    size_t len = 0;

    while (len < text.len && text.at[len] != '\n' && text.at[len] != '\t'
           && !str_starts(str_make(text.at + len, text.len - len), "\r\n"))
        len++;
    return len;
}

bool text_clean(struct str text, enum text_lines lines, struct buf *into)
{
    while (text.len > 0) {
        const char *shown = "";
        size_t used = blank_of(text, lines, &shown);

        if (used > 0 && !buf_add_text(into, shown))
            return false;
        if (used == 0) {
            used = run_of(text);
            if (!utf8_harmless(str_make(text.at, used), false, into))
                return false;
        }
        text = str_make(text.at + used, text.len - used);
    }
    return true;
}

size_t text_next(struct str text, unsigned *ret_columns)
{
    size_t used;

    if (text.len > 1 && text.at[0] >= ' ' && text.at[0] < 0x7F && text.at[1] >= ' ') {
        *ret_columns = 1; /* ASCII and ASCII behind it: nothing can join */
        return 1;
    }
    used = width_next(text, ret_columns);
    if (used > 0 && *ret_columns == 0)
        *ret_columns = 1; /* shown as U+FFFD */
    return used;
}

bool text_is_bare(struct str cluster)
{
    unsigned columns;

    return width_next(cluster, &columns) > 0 && columns == 0;
}

unsigned text_columns(struct str text)
{
    unsigned columns = 0;

    while (text.len > 0) {
        unsigned more;
        size_t used = text_next(text, &more);

        columns += more;
        text = str_make(text.at + used, text.len - used);
    }
    return columns;
}

size_t text_fit(struct str text, unsigned columns)
{
    size_t used = 0;

    while (used < text.len) {
        unsigned wanted;
        size_t bytes = text_next(str_make(text.at + used, text.len - used), &wanted);

        if (wanted > columns)
            break;
        columns -= wanted;
        used += bytes;
    }
    return used;
}

size_t text_skip(struct str text, unsigned columns, unsigned *ret_left)
{
    size_t used = 0;

    *ret_left = 0;
    while (used < text.len && columns > 0) {
        unsigned wanted;

        used += text_next(str_make(text.at + used, text.len - used), &wanted);
        *ret_left = wanted > columns ? wanted - columns : 0;
        columns -= wanted < columns ? wanted : columns;
    }
    return used;
}

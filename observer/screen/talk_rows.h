/* talk_rows.h - a talk's lines as rows of a screen: wrapped at words and by visible
 * characters, with a hanging indent behind the names. Pure.
 */
#ifndef PARLEY_TALK_ROWS_H
#define PARLEY_TALK_ROWS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/str.h"
#include "observer/model/talk_line.h"

enum talk_times {
    TALK_TIMES_NONE,
    TALK_TIMES_CLOCK, /* of day, local */
    TALK_TIMES_SINCE, /* since the start */
    TALK_TIMES_COUNT
};

/* What the rows depend on. */
struct talk_look {
    unsigned cols;      /* there are for the transcript */
    unsigned name_cols; /* of the longest name, bounded */
    enum talk_times times;
    bool wrap; /* else a row for each line of the text, whatever its length */
};

enum talk_row_kind {
    TALK_ROW_BLANK, /* between turns */
    TALK_ROW_NAME,  /* the name alone: there is no room beside the text */
    TALK_ROW_FIRST, /* name and text */
    TALK_ROW_TEXT
};

struct talk_row {
    enum talk_row_kind kind;
    size_t from; /* its piece of the line's text */
    size_t len;
};
struct talk_rows {
    struct talk_row *at; /* owned */
    size_t count;        /* at least 1 once made */
    size_t capacity;
};

enum {
    TALK_GUTTER = 2,
    TALK_NAME_COLS_MIN = 5, /* "Story" stands there as well */
    TALK_NAME_COLS_MAX = 16,
    TALK_TIME_COLS = 10
};

/* The next row of `text` (clean, as text.h says) that begins at `from`: its bytes.
 * *ret_next: where the one behind it begins, text.len at the end. cols 0: not wrapped.
 */
size_t talk_rows_break(struct str text, size_t from, unsigned cols, size_t *ret_next);
/* Column at which a name (or a time) stands, and the text. */
unsigned talk_look_name_col(const struct talk_look *look);
unsigned talk_look_text_col(const struct talk_look *look);
/* Wide enough for names beside the text. */
bool talk_look_is_wide(const struct talk_look *look);

/* `rows` starts as {0}, and may be made again. */
void talk_rows_make(struct talk_rows *rows, const struct talk_line *line,
                    const struct talk_look *look);
void talk_rows_add(struct talk_rows *rows, enum talk_row_kind kind, size_t from,
                   size_t len);
void talk_rows_done(struct talk_rows *rows);
/* The row of text that holds that byte. */
size_t talk_rows_find(const struct talk_rows *rows, size_t byte);
/* How many rows stand before the first one of text. */
size_t talk_rows_lead(const struct talk_rows *rows);

#endif

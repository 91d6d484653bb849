/* csv.h - rows of comma-separated values, safe to open in a spreadsheet.
 *
 * RFC 4180: cells with a comma, a quote or a line end are quoted, rows end in CR LF. A
 * text whose first character a spreadsheet would take for the start of a formula
 * (= + - @, their full-width forms, tab, line end) gets an apostrophe in front; numbers
 * are written as they are. Texts are made harmless first (utf8.h), their line ends and
 * tabs stay. What is unknown is an empty cell.
 */
#ifndef PARLEY_CSV_H
#define PARLEY_CSV_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/str.h"

/* Starts as {.into = ...}, one for each row or for many. */
struct csv {
    struct buf *into; /* borrowed; its `overflowed` tells that something was lost */
    bool in_row;      /* a cell stands before the next one */
};

void csv_text(struct csv *csv, const char *text); /* NULL: an empty cell */
void csv_str(struct csv *csv, struct str text);
void csv_count(struct csv *csv, int64_t value); /* negative: an empty cell */
/* At most 6 decimals, none that say nothing; NAN and infinities: an empty cell. */
void csv_number(struct csv *csv, double value);
void csv_end_row(struct csv *csv);

#endif

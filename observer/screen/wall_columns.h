/* wall_columns.h - the columns of the wall: which there are, which of them fit a width,
 * and what stands in each.
 *
 * Columns are taken by their worth until the width is used up; what is left goes to the
 * sparkline, the warnings and the topic.
 */
#ifndef PARLEY_WALL_COLUMNS_H
#define PARLEY_WALL_COLUMNS_H

#include <stdint.h>

#include "base/buf.h"
#include "observer/screen/canvas.h"

struct wall_row;

enum wall_column {
    COLUMN_STATE,
    COLUMN_ID,
    COLUMN_SPEAKER,
    COLUMN_TURN,
    COLUMN_TOKENS,
    COLUMN_RATE,
    COLUMN_SPARK,
    COLUMN_SPEED,
    COLUMN_WAIT,
    COLUMN_ASKED,
    COLUMN_TRIES,
    COLUMN_LEFT,
    COLUMN_WORDS,
    COLUMN_TOPIC,
    COLUMN_COUNT
};

/* Where each column begins and how wide it is; width 0: it is not shown. */
struct wall_layout {
    unsigned col[COLUMN_COUNT];
    unsigned width[COLUMN_COUNT];
};

/* For so many columns of the terminal, and ids of so many letters. */
void wall_layout_make(struct wall_layout *layout, unsigned cols, unsigned id_letters);
/* The heads, from column `col` on. */
void wall_layout_heads(const struct wall_layout *layout, struct canvas *canvas,
                       unsigned row, unsigned col);
void wall_layout_row(const struct wall_layout *layout, struct canvas *canvas,
                     struct area area, const struct wall_row *row, int64_t now_us);

/* "12,345"; "-" for less than 0. */
void wall_text_count(struct buf *into, int64_t count);
/* "0.4", "57.2", "1204"; "-" for less than 0. */
void wall_text_rate(struct buf *into, double rate);

#endif

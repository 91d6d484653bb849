/* wall_order.h - which rows of a wall are shown, and in what order. */
#ifndef PARLEY_WALL_ORDER_H
#define PARLEY_WALL_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/model/wall.h"

struct wall_choice {
    enum wall_sort sort;
    bool reversed;
    enum wall_states states;
    char filter[WALL_FILTER_SIZE]; /* lower case; empty: all */
    bool inverse;
};

/* A row with what it is sorted by: less comes first. */
struct wall_place {
    double key;
    struct wall_row *row;
};

bool wall_order_wants(const struct wall_choice *choice, const struct wall_row *row,
                      int64_t now_us);
/* Fills `places` with the rows that are wanted, in order, and their `place`; the others
 * get SIZE_MAX. Returns how many. There is room for all. */
size_t wall_order_make(const struct wall_choice *choice, struct wall_row *const *rows,
                       size_t count, int64_t now_us, struct wall_place *places);
/* `text` in lower case (ASCII), cut to what a filter holds. */
void wall_order_fold(struct str text, char ret[WALL_FILTER_SIZE]);

#endif

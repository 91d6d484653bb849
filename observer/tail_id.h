/* tail_id.h - ids of stream entries: "<ms>-<number>", ordered as Redis orders them. */
#ifndef PARLEY_TAIL_ID_H
#define PARLEY_TAIL_ID_H

#include <stdbool.h>
#include <stdint.h>

#include "base/str.h"

struct tail_id {
    uint64_t ms;
    uint64_t number;
}; /* {0} stands before every entry */

enum { TAIL_ID_SIZE = 48 };

MUST_USE bool tail_id_parse(struct str text, struct tail_id *ret_id);
void tail_id_format(const struct tail_id *id, char ret[TAIL_ID_SIZE]);
/* Below 0, 0, above 0, as a stands before, at, behind b. */
int tail_id_compare(const struct tail_id *a, const struct tail_id *b);

#endif

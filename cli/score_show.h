/* score_show.h - a score as tables of at most 80 columns, and as JSON.
 *
 * The texts of others are made harmless. Adds to `out`, which remembers when it is
 * full.
 */
#ifndef PARLEY_SCORE_SHOW_H
#define PARLEY_SCORE_SHOW_H

#include "base/buf.h"

struct score;

/* `verbose`: up to 120 columns, with more figures. */
void score_show_tables(const struct score *score, bool verbose, struct buf *out);
/* The members `"total":...,"models":[...]` of schemas/performance.schema.json. */
void score_show_json(const struct score *score, struct buf *out);

#endif

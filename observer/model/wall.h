/* wall.h - many conversations as the wall shows them: a row each, sorted, filtered,
 * with one of them selected. Pure: no Redis, no clock, no terminal.
 *
 * Whoever has the data hands it over with the wall_take functions; times are those of
 * Redis (or of a replay) and are always given. A row is kept until wall_take_gone, also
 * when it ended. All texts are as they came: whoever draws makes them harmless.
 *
 * Flow: wall_take_* -> on_change -> wall_arrange(now) -> wall_at(i) for each line
 */
#ifndef PARLEY_WALL_H
#define PARLEY_WALL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/str.h"
#include "observer/model/wall_row.h"
#include "observer/model/wall_totals.h"

/* Conversations beyond that are counted, but have no row. */
enum { WALL_ROWS_MAX = 20000, WALL_FILTER_SIZE = 128 };

enum wall_sort {
    WALL_NEWEST,
    WALL_STATE,
    WALL_SLOWEST, /* asked for the longest */
    WALL_TOKENS,
    WALL_TIME_LEFT, /* the least first */
    WALL_WARNINGS,
    WALL_SORT_COUNT
};
const char *wall_sort_name(enum wall_sort sort);

enum wall_states {
    WALL_ALL,
    WALL_RUNNING, /* preparing, running and closing */
    WALL_WAITING, /* running, and waiting for a server, or asked for over 2 s ago with
                   * no call begun */
    WALL_PAUSED,
    WALL_ENDED, /* but not failed */
    WALL_FAILED,
    WALL_STATES_COUNT
};
const char *wall_states_name(enum wall_states states);

struct wall; /* opaque: the body is in wall.c */

/* The caller owns it (wall_free). on_change: something that is drawn may be another
 * than before; may be NULL. It is called often: it should only take a note. */
struct wall *wall_new(void (*on_change)(void *owner), void *owner);
void wall_free(struct wall *wall); /* NULL is fine */
/* Other data, or a time before: as new, but for the choices of the user. */
void wall_forget(struct wall *wall);

/* ---- what is known ---- */

/* There is such a conversation; score_ms is its score in K:conversations. A known one
 * is only given the score. False: it is not a valid id, or there are WALL_ROWS_MAX. */
bool wall_take_id(struct wall *wall, struct str id, int64_t score_ms);
/* What its hash says at now_us (Redis' clock). Makes the row if need be. */
void wall_take_facts(struct wall *wall, struct str id, const struct wall_facts *facts,
                     int64_t now_us);
/* Who takes part; copied, cut to what a row can show. An unknown id is passed over, as
 * in all that follow. */
void wall_take_cast(struct wall *wall, struct str id, const struct wall_cast *cast);
/* What its last message tells. */
void wall_take_turn(struct wall *wall, struct str id, const struct wall_turn *turn);
/* The turn awaited waits for these servers ("" none: it does not wait any more). */
void wall_take_waiting(struct wall *wall, struct str id, int64_t turn,
                       struct str servers);
void wall_take_gone(struct wall *wall, struct str id);
/* How many there are in Redis, at now_us. None: all rows are gone. */
void wall_take_count(struct wall *wall, int64_t count, int64_t now_us);
/* A lane that never had a worker nor an entry need not be told. */
void wall_take_lane(struct wall *wall, const struct wall_lane *lane);
/* For people, where it comes from ("Redis connected", "a recorded run"); ok: that is
 * as it should be. */
void wall_take_redis(struct wall *wall, bool ok, struct str text);

/* ---- what is shown ---- */

/* The order comes anew: `wall_at` and `wall_shown` are as of this call. Between two
 * calls rows do not move. Cheap when nothing changed; else n log n. */
void wall_arrange(struct wall *wall, int64_t now_us);
size_t wall_shown(const struct wall *wall); /* rows that pass the filter */
size_t wall_count(const struct wall *wall); /* rows in all */
/* The i-th shown; valid until the next wall_take or wall_arrange. */
const struct wall_row *wall_at(const struct wall *wall, size_t i);
const struct wall_row *wall_find(const struct wall *wall, struct str id);
/* Every row, shown or not, i < wall_count. */
const struct wall_row *wall_nth(const struct wall *wall, size_t i);
/* The figures above the rows. Valid until the next wall_take. */
const struct wall_totals *wall_totals(struct wall *wall, int64_t now_us);
/* How old the oldest value of a row that has not ended is, -1: some were never read. */
int64_t wall_age_us(const struct wall *wall, int64_t now_us);

void wall_sort_by(struct wall *wall, enum wall_sort sort, bool reversed);
enum wall_sort wall_sorted_by(const struct wall *wall, bool *ret_reversed);
/* Rows whose id, personas, topic, state, reason or warnings hold this text (cut at
 * WALL_FILTER_SIZE - 1), in either case; inverse: those that do not. Empty: all. */
void wall_filter(struct wall *wall, struct str text, bool inverse);
struct str wall_filter_text(const struct wall *wall, bool *ret_inverse);
void wall_filter_states(struct wall *wall, enum wall_states states);
enum wall_states wall_filtered_states(const struct wall *wall);

/* ---- the selected one, and the window over the rows ---- */

/* What was selected stays so while rows move; when it goes away or is filtered out, the
 * row at its place is. Until something was, it is the first row. NULL: none is shown.
 */
const struct wall_row *wall_selected(const struct wall *wall);
size_t wall_selected_at(const struct wall *wall); /* its place; 0 when there is none */
void wall_select(struct wall *wall, size_t i);    /* the last one when i is too large */
/* The screen shows so many rows: those from wall_top, which keeps the selection in
 * sight. Sources read these first and most often. */
void wall_look(struct wall *wall, size_t rows);
size_t wall_top(const struct wall *wall);
size_t wall_rows(const struct wall *wall);

#endif

/* wall.c - see wall.h. The rows, who is selected, and what the rows say together. */
#include "observer/model/wall.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/model/wall_index.h"
#include "observer/model/wall_order.h"

/* Rows that are not on the screen change all the time: the order follows this often,
 * the more rows the less, so that its cost stays the same. */
enum { ARRANGE_US = 500000, ARRANGE_ROW_US = 250 };

struct wall {
    void (*on_change)(void *owner);
    void *owner;
    struct wall_row **rows; /* owned, as what they point to */
    size_t count;
    size_t capacity;
    struct wall_index index;
    struct wall_place *places; /* owned: room for `capacity`; those shown, in order */
    size_t shown;
    struct wall_choice choice;
    bool must_arrange;   /* at once: a row came or went, another choice */
    bool should_arrange; /* some values are new */
    int64_t arranged_us; /* -1: never */
    int64_t oldest_us;   /* the oldest reading of one that goes on; -1: none read yet */
    size_t unread;       /* rows never read */
    size_t selected_at;
    char selected[CONVERSATION_SIZE]; /* who stays selected; "": whoever is at the place
                                       */
    char gone[CONVERSATION_SIZE];     /* was selected: is again, should it come back */
    size_t top;
    size_t look_rows;
    struct wall_totals totals;
    struct wall_pace pace;
};

static void changed(struct wall *wall)
{
    if (wall->on_change != NULL)
        wall->on_change(wall->owner);
}

struct wall *wall_new(void (*on_change)(void *owner), void *owner)
{
    struct wall *wall = x_calloc(1, sizeof *wall);

    wall->on_change = on_change;
    wall->owner = owner;
    wall->arranged_us = -1;
    wall->oldest_us = -1;
    wall->totals.known = -1;
    return wall;
}

static void free_rows(struct wall *wall)
{
    for (size_t i = 0; i < wall->count; i++)
        wall_row_free(wall->rows[i]);
    wall_index_done(&wall->index);
    wall->count = wall->shown = wall->unread = 0;
}

void wall_free(struct wall *wall)
{
    if (wall == NULL)
        return;
    free_rows(wall);
    free(wall->rows);
    free(wall->places);
    free(wall);
}

static void forget_rows(struct wall *wall)
{
    free_rows(wall);
    memset(wall->totals.states, 0, sizeof wall->totals.states);
    wall->totals.failures = 0;
    wall->must_arrange = true;
}

void wall_forget(struct wall *wall)
{
    forget_rows(wall);
    wall->totals = (struct wall_totals){.known = -1};
    wall->pace = (struct wall_pace){0};
    wall->arranged_us = wall->oldest_us = -1;
    changed(wall);
}

/* ---- the rows ---- */

static struct wall_row *add_row(struct wall *wall, struct str id, int64_t score_ms)
{
    struct wall_row *row;

    if (wall->count >= WALL_ROWS_MAX || !conversation_id_valid(id))
        return NULL;
    if (wall->count == wall->capacity) {
        wall->capacity = wall->capacity == 0 ? 64 : wall->capacity * 2;
        wall->rows = x_realloc(wall->rows, wall->capacity * sizeof(*wall->rows));
        wall->places = x_realloc(wall->places, wall->capacity * sizeof *wall->places);
    }
    row = wall_row_new(id, score_ms);
    row->nth = wall->count;
    wall->rows[wall->count++] = row;
    wall_index_add(&wall->index, row);
    wall->unread++;
    wall->totals.states[WALL_IS_UNKNOWN]++;
    wall->must_arrange = true;
    changed(wall);
    return row;
}

/* Is, or will be after the next wall_arrange, on the screen. */
static bool in_sight(const struct wall *wall, const struct wall_row *row)
{
    return row->place != SIZE_MAX && row->place >= wall->top
           && row->place < wall->top + wall->look_rows;
}

static void row_changed(struct wall *wall, const struct wall_row *row)
{
    wall->should_arrange = true;
    if (in_sight(wall, row))
        changed(wall);
}

bool wall_take_id(struct wall *wall, struct str id, int64_t score_ms)
{
    struct wall_row *row = wall_index_find(&wall->index, id);

    if (row == NULL)
        return add_row(wall, id, score_ms) != NULL;
    if (row->score_ms != score_ms) {
        row->score_ms = score_ms;
        wall->must_arrange = true;
    }
    return true;
}

static int64_t grown(int64_t before, int64_t after)
{
    return before >= 0 && after > before ? after - before : 0;
}

static void count_growth(struct wall *wall, const struct wall_row *row,
                         const struct wall_facts *facts, int64_t now_us)
{
    const struct wall_facts *before = &row->facts;
    /* Who began while we looked has had nothing before. */
    bool is_new = row->read_at_us < 0 && wall->pace.since_us > 0
                  && facts->talk.created_at_us >= wall->pace.since_us;

    wall->totals.failures += grown(0, facts->failures) - grown(0, before->failures);
    if (row->read_at_us < 0 && !is_new)
        return;
    wall_pace_add(&wall->pace, now_us,
                  grown(is_new ? 0 : before->talk.turns, facts->talk.turns),
                  grown(is_new ? 0 : before->talk.tokens, facts->talk.tokens),
                  grown(is_new ? 0 : before->failures, facts->failures));
}

void wall_take_facts(struct wall *wall, struct str id, const struct wall_facts *facts,
                     int64_t now_us)
{
    struct wall_row *row = wall_index_find(&wall->index, id);
    enum wall_state before;
    enum wall_state after;

    if (row == NULL)
        row = add_row(wall, id, facts->talk.created_at_us / 1000);
    if (row == NULL)
        return;
    count_growth(wall, row, facts, now_us);
    before = wall_row_state(row);
    if (row->read_at_us < 0 && --wall->unread == 0 && wall->pace.since_us == 0)
        wall_pace_begin(&wall->pace, now_us);
    wall_row_facts(row, facts, now_us);
    after = wall_row_state(row);
    wall->totals.states[before]--;
    wall->totals.states[after]++;
    if (before != after)
        changed(wall);
    row_changed(wall, row);
}

void wall_take_cast(struct wall *wall, struct str id, const struct wall_cast *cast)
{
    struct wall_row *row = wall_index_find(&wall->index, id);

    if (row == NULL)
        return;
    wall_row_cast(row, cast);
    row_changed(wall, row);
}

void wall_take_turn(struct wall *wall, struct str id, const struct wall_turn *turn)
{
    struct wall_row *row = wall_index_find(&wall->index, id);

    if (row == NULL)
        return;
    wall_row_turn(row, turn);
    row_changed(wall, row);
}

void wall_take_waiting(struct wall *wall, struct str id, int64_t turn,
                       struct str servers)
{
    struct wall_row *row = wall_index_find(&wall->index, id);

    if (row == NULL)
        return;
    wall_row_waiting(row, turn, servers);
    row_changed(wall, row);
}

void wall_take_gone(struct wall *wall, struct str id)
{
    struct wall_row *row = wall_index_find(&wall->index, id);

    if (row == NULL)
        return;
    wall_index_remove(&wall->index, row);
    wall->rows[row->nth] = wall->rows[--wall->count];
    wall->rows[row->nth]->nth = row->nth;
    wall->unread -= row->read_at_us < 0;
    wall->totals.states[wall_row_state(row)]--;
    wall->totals.failures -= grown(0, row->facts.failures);
    /* The places hold it still: the rows behind it move up, the order stays. */
    if (row->place != SIZE_MAX) {
        memmove(&wall->places[row->place], &wall->places[row->place + 1],
                (--wall->shown - row->place) * sizeof *wall->places);
        for (size_t i = row->place; i < wall->shown; i++)
            wall->places[i].row->place = i;
    }
    wall_row_free(row);
    wall->must_arrange = true;
    changed(wall);
}

void wall_take_count(struct wall *wall, int64_t count, int64_t now_us)
{
    wall->totals.known = count;
    if (count == 0 && wall->count > 0)
        forget_rows(wall);
    if (wall->unread == 0 && wall->pace.since_us == 0)
        wall_pace_begin(&wall->pace, now_us);
    changed(wall);
}

void wall_take_lane(struct wall *wall, const struct wall_lane *lane)
{
    if (lane->lane >= 1 && lane->lane <= WALL_LANES)
        wall->totals.lanes[lane->lane - 1] = *lane;
    changed(wall);
}

void wall_take_redis(struct wall *wall, bool ok, struct str text)
{
    size_t len = text.len < WALL_REDIS_SIZE ? text.len : WALL_REDIS_SIZE - 1;

    wall->totals.redis_ok = ok;
    if (len > 0)
        memcpy(wall->totals.redis, text.at, len);
    wall->totals.redis[len] = '\0';
    changed(wall);
}

/* ---- the order ---- */

static void look_at_ages(struct wall *wall)
{
    wall->oldest_us = -1;
    for (size_t i = 0; i < wall->count; i++) {
        const struct wall_row *row = wall->rows[i];

        if (row->read_at_us >= 0 && !wall_row_ended(row)
            && (wall->oldest_us < 0 || row->read_at_us < wall->oldest_us))
            wall->oldest_us = row->read_at_us;
    }
}

/* `keeps`: it is this conversation that stays selected, not whoever is at its place. */
static void select_at(struct wall *wall, size_t i, bool keeps)
{
    if (i >= wall->shown)
        i = wall->shown == 0 ? 0 : wall->shown - 1;
    wall->selected_at = i;
    fmt_into(wall->selected, sizeof wall->selected, "%s",
             keeps && i < wall->shown ? wall->places[i].row->id : "");
}

/* A replay that is gone back in, or come back to, takes all rows away for a moment. */
static void find_the_gone(struct wall *wall)
{
    if (wall->gone[0] == '\0'
        && wall_index_find(&wall->index, str_of(wall->selected)) == NULL) {
        memcpy(wall->gone, wall->selected, sizeof wall->gone);
    } else if (wall_index_find(&wall->index, str_of(wall->gone)) != NULL) {
        memcpy(wall->selected, wall->gone, sizeof wall->selected);
        wall->gone[0] = '\0';
    }
}

static void keep_selection(struct wall *wall)
{
    const struct wall_row *row;

    find_the_gone(wall);
    row = wall_index_find(&wall->index, str_of(wall->selected));
    if (row != NULL && row->place != SIZE_MAX)
        wall->selected_at = row->place;
    else
        select_at(wall, wall->selected_at, wall->selected[0] != '\0');
}

static void keep_in_sight(struct wall *wall)
{
    size_t last = wall->shown > wall->look_rows ? wall->shown - wall->look_rows : 0;

    if (wall->selected_at < wall->top)
        wall->top = wall->selected_at;
    if (wall->look_rows > 0 && wall->selected_at >= wall->top + wall->look_rows)
        wall->top = wall->selected_at + 1 - wall->look_rows;
    if (wall->top > last)
        wall->top = last;
}

static bool is_due(const struct wall *wall, int64_t now_us)
{
    int64_t every_us = (int64_t)wall->count * ARRANGE_ROW_US;

    if (wall->must_arrange || wall->arranged_us < 0)
        return true;
    if (!wall->should_arrange && wall->choice.states != WALL_WAITING)
        return false;
    if (every_us < ARRANGE_US)
        every_us = ARRANGE_US;
    return now_us < wall->arranged_us || now_us - wall->arranged_us >= every_us;
}

void wall_arrange(struct wall *wall, int64_t now_us)
{
    if (!is_due(wall, now_us))
        return;
    wall->must_arrange = wall->should_arrange = false;
    wall->arranged_us = now_us;
    wall->shown =
        wall_order_make(&wall->choice, wall->rows, wall->count, now_us, wall->places);
    look_at_ages(wall);
    keep_selection(wall);
    keep_in_sight(wall);
}

size_t wall_shown(const struct wall *wall)
{
    return wall->shown;
}

size_t wall_count(const struct wall *wall)
{
    return wall->count;
}

const struct wall_row *wall_at(const struct wall *wall, size_t i)
{
    assert(i < wall->shown);
    return wall->places[i].row;
}

const struct wall_row *wall_find(const struct wall *wall, struct str id)
{
    return wall_index_find(&wall->index, id);
}

const struct wall_row *wall_nth(const struct wall *wall, size_t i)
{
    assert(i < wall->count);
    return wall->rows[i];
}

const struct wall_totals *wall_totals(struct wall *wall, int64_t now_us)
{
    wall_pace_tell(&wall->pace, now_us, &wall->totals);
    return &wall->totals;
}

int64_t wall_age_us(const struct wall *wall, int64_t now_us)
{
    if (wall->unread > 0)
        return -1;
    return wall->oldest_us < 0 || now_us < wall->oldest_us ? 0
                                                           : now_us - wall->oldest_us;
}

/* ---- choices ---- */

static void choose_anew(struct wall *wall)
{
    wall->must_arrange = true;
    changed(wall);
}

void wall_sort_by(struct wall *wall, enum wall_sort sort, bool reversed)
{
    wall->choice.sort = sort;
    wall->choice.reversed = reversed;
    choose_anew(wall);
}

enum wall_sort wall_sorted_by(const struct wall *wall, bool *ret_reversed)
{
    *ret_reversed = wall->choice.reversed;
    return wall->choice.sort;
}

void wall_filter(struct wall *wall, struct str text, bool inverse)
{
    wall_order_fold(text, wall->choice.filter);
    wall->choice.inverse = inverse;
    choose_anew(wall);
}

struct str wall_filter_text(const struct wall *wall, bool *ret_inverse)
{
    *ret_inverse = wall->choice.inverse;
    return str_of(wall->choice.filter);
}

void wall_filter_states(struct wall *wall, enum wall_states states)
{
    wall->choice.states = states;
    choose_anew(wall);
}

enum wall_states wall_filtered_states(const struct wall *wall)
{
    return wall->choice.states;
}

/* ---- the selected one ---- */

const struct wall_row *wall_selected(const struct wall *wall)
{
    return wall->selected_at < wall->shown ? wall->places[wall->selected_at].row : NULL;
}

size_t wall_selected_at(const struct wall *wall)
{
    return wall->selected_at;
}

void wall_select(struct wall *wall, size_t i)
{
    wall->gone[0] = '\0';
    select_at(wall, i, true);
    keep_in_sight(wall);
    changed(wall);
}

void wall_look(struct wall *wall, size_t rows)
{
    if (wall->look_rows == rows)
        return;
    wall->look_rows = rows;
    keep_in_sight(wall);
}

size_t wall_top(const struct wall *wall)
{
    return wall->top;
}

size_t wall_rows(const struct wall *wall)
{
    return wall->look_rows;
}

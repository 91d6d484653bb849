/* talk_view.c - see talk_view.h: where it stands. Searching and marks are in
 * talk_find.c. */
#include "observer/screen/talk_view.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "observer/screen/talk_find.h"
#include "observer/screen/text.h"

enum { SIDEWAYS_MAX = 100000 };

void talk_view_init(struct talk_view *view, struct talk *talk)
{
    *view = (struct talk_view){.look = {.wrap = true}, .following = true};
    view->cache = x_calloc(TALK_ROWS_CACHED, sizeof(*view->cache));
    talk_search_init(&view->search);
    view->talk = talk;
}

void talk_view_done(struct talk_view *view)
{
    for (size_t i = 0; view->cache != NULL && i < TALK_ROWS_CACHED; i++)
        talk_rows_done(&view->cache[i].rows);
    free(view->cache);
    view->cache = NULL;
    talk_search_done(&view->search);
}

void talk_view_show(struct talk_view *view, struct talk *talk)
{
    view->talk = talk;
    view->stamp++;
    view->look.name_cols = 0;
    view->following = true;
    view->left = 0;
    view->has_match = false;
    view->next = (struct talk_next){0};
    view->seeking = 0;
    view->mark_count = 0;
    view->going = (struct tail_id){0};
}

/* ---- rows ---- */

static bool is_of(const struct talk_cached *slot, const struct talk_line *line)
{
    return slot->rows.count > 0 && slot->serial == line->serial
           && slot->bytes == line->text.len && slot->kind == line->kind
           && slot->speaking == line->speaking;
}

static const struct talk_rows *rows_of(struct talk_view *view, size_t index)
{
    const struct talk_line *line = view->talk->lines[index];
    struct talk_cached *slot = &view->cache[(uint64_t)line->serial % TALK_ROWS_CACHED];

    if (!is_of(slot, line) || slot->stamp != view->stamp) {
        talk_rows_make(&slot->rows, line, &view->look);
        slot->serial = line->serial;
        slot->bytes = line->text.len;
        slot->kind = line->kind;
        slot->speaking = line->speaking;
        slot->stamp = view->stamp;
    }
    return &slot->rows;
}

const struct talk_line *talk_view_line(const struct talk_view *view,
                                       const struct talk_pos *pos)
{
    return view->talk->lines[pos->line];
}

const struct talk_row *talk_view_row(struct talk_view *view, const struct talk_pos *pos)
{
    return &rows_of(view, pos->line)->at[pos->row];
}

static struct talk_pos last_pos(struct talk_view *view)
{
    size_t line = view->talk->count - 1;

    return (struct talk_pos){line, rows_of(view, line)->count - 1};
}

struct talk_pos talk_view_pos(struct talk_view *view, const struct talk_spot *spot)
{
    struct talk_pos pos = {talk_find(view->talk, spot->serial), 0};
    const struct talk_rows *rows = rows_of(view, pos.line);
    size_t lead = talk_rows_lead(rows);

    if (view->talk->lines[pos.line]->serial != spot->serial)
        pos.row =
            spot->serial > view->talk->lines[pos.line]->serial ? rows->count - 1 : 0;
    else if (spot->lead > 0)
        pos.row = spot->lead < lead ? lead - spot->lead : 0;
    else
        pos.row = talk_rows_find(rows, spot->byte);
    return pos;
}

struct talk_spot talk_view_spot(struct talk_view *view, const struct talk_pos *pos)
{
    const struct talk_rows *rows = rows_of(view, pos->line);
    size_t lead = talk_rows_lead(rows);

    return (struct talk_spot){
        .serial = view->talk->lines[pos->line]->serial,
        .byte = rows->at[pos->row].from,
        .lead = pos->row < lead ? lead - pos->row : 0,
    };
}

static int compare(const struct talk_pos *a, const struct talk_pos *b)
{
    if (a->line != b->line)
        return a->line < b->line ? -1 : 1;
    return a->row < b->row ? -1 : a->row > b->row;
}

/* Up to so many rows; how many it were. */
static unsigned step_up(struct talk_view *view, struct talk_pos *pos, unsigned rows)
{
    unsigned done = 0;

    while (done < rows) {
        unsigned here = (unsigned)pos->row;

        if (here >= rows - done) {
            pos->row -= rows - done;
            return rows;
        }
        if (pos->line == 0) {
            pos->row = 0;
            return done + here;
        }
        pos->line--;
        pos->row = rows_of(view, pos->line)->count - 1;
        done += here + 1;
    }
    return done;
}

static unsigned step_down(struct talk_view *view, struct talk_pos *pos, unsigned rows)
{
    unsigned done = 0;

    while (done < rows) {
        unsigned here = (unsigned)(rows_of(view, pos->line)->count - 1 - pos->row);

        if (here >= rows - done) {
            pos->row += rows - done;
            return rows;
        }
        if (pos->line == view->talk->count - 1) {
            pos->row += here;
            return done + here;
        }
        pos->line++;
        pos->row = 0;
        done += here + 1;
    }
    return done;
}

static void step(struct talk_view *view, struct talk_pos *pos, int rows)
{
    if (rows < 0)
        (void)step_up(view, pos, (unsigned)-rows); /* as far as there is */
    else
        (void)step_down(view, pos, (unsigned)rows); /* the same */
}

bool talk_view_first(struct talk_view *view, struct talk_pos *ret_pos)
{
    if (view->talk->count == 0 || view->height == 0)
        return false;
    *ret_pos = talk_view_pos(view, &view->top);
    return true;
}

bool talk_view_next(struct talk_view *view, struct talk_pos *pos)
{
    return step_down(view, pos, 1) == 1;
}

struct talk_pos talk_view_cursor(struct talk_view *view)
{
    return talk_view_pos(view, &view->cursor);
}

const struct talk_line *talk_view_selected(struct talk_view *view)
{
    return view->talk->count == 0
               ? NULL
               : view->talk->lines[talk_find(view->talk, view->cursor.serial)];
}

/* ---- a frame ---- */

static void fit_look(struct talk_view *view, unsigned cols)
{
    unsigned name_cols = view->look.name_cols > TALK_NAME_COLS_MIN
                             ? view->look.name_cols
                             : TALK_NAME_COLS_MIN;

    for (size_t i = 0; i < view->talk->seat_count; i++) {
        unsigned wants = text_columns(buf_str(&view->talk->seats[i].name));

        if (wants > TALK_NAME_COLS_MAX)
            wants = TALK_NAME_COLS_MAX;
        name_cols = wants > name_cols ? wants : name_cols;
    }
    if (name_cols == view->look.name_cols && cols == view->look.cols)
        return;
    view->look.name_cols = name_cols;
    view->look.cols = cols;
    view->stamp++;
}

/* No empty rows below the end, where there is enough above. */
static void hold_to_end(struct talk_view *view)
{
    struct talk_pos pos = talk_view_pos(view, &view->top);
    unsigned below = step_down(view, &pos, view->height - 1);
    struct talk_pos top = talk_view_pos(view, &view->top);

    if (below + 1 < view->height)
        (void)step_up(view, &top, view->height - 1 - below); /* as far as there is */
    view->top = talk_view_spot(view, &top);
}

static void hold_cursor(struct talk_view *view)
{
    struct talk_pos top = talk_view_pos(view, &view->top);
    struct talk_pos bottom = top;
    struct talk_pos cursor = talk_view_cursor(view);

    (void)step_down(view, &bottom, view->height - 1); /* as far as there is */
    if (compare(&cursor, &top) < 0)
        cursor = top;
    if (compare(&cursor, &bottom) > 0)
        cursor = bottom;
    view->cursor = talk_view_spot(view, &cursor);
}

static void stand_at_end(struct talk_view *view)
{
    struct talk_pos pos = last_pos(view);

    view->cursor = talk_view_spot(view, &pos);
    (void)step_up(view, &pos, view->height - 1); /* as far as there is */
    view->top = talk_view_spot(view, &pos);
    view->taken = view->talk->taken;
}

/* A window that was let go, and whose page was lost on its way. */
static void refill(struct talk_view *view)
{
    static const struct tail_id start = {0};
    const struct talk *talk = view->talk;

    if (!talk->has_head && !talk->has_tail && talk->newest.ms > 0)
        (void)talk_jump(view->talk, view->following ? NULL : &start); /* or later */
}

void talk_view_fit(struct talk_view *view, unsigned rows, unsigned cols)
{
    view->height = rows;
    fit_look(view, cols);
    if (rows == 0)
        return;
    talk_find_on(view);
    if (view->following && !view->talk->has_tail)
        (void)talk_jump(view->talk, NULL); /* else a page is on its way already */
    if (view->talk->count == 0) {
        refill(view);
        return;
    }
    if (view->following)
        stand_at_end(view);
    else
        hold_to_end(view);
    hold_cursor(view);
    if (view->seeking == 0)
        talk_watch(view->talk, view->following ? INT64_MAX : view->cursor.serial);
}

/* ---- moving ---- */

void talk_view_follow(struct talk_view *view, bool following)
{
    if (view->following && !following)
        view->taken = view->talk->taken;
    view->following = following;
    if (following)
        view->seeking = 0;
}

/* Who comes down to the very end follows again. */
static void settle(struct talk_view *view, bool down)
{
    struct talk_pos cursor = talk_view_cursor(view);
    struct talk_pos last = last_pos(view);
    bool at_end = view->talk->has_tail && compare(&cursor, &last) == 0;

    talk_view_follow(view, down && at_end);
}

static void show_cursor(struct talk_view *view)
{
    struct talk_pos cursor = talk_view_cursor(view);
    struct talk_pos top = talk_view_pos(view, &view->top);
    struct talk_pos bottom = top;

    (void)step_down(view, &bottom, view->height - 1); /* as far as there is */
    if (compare(&cursor, &top) < 0)
        top = cursor;
    else if (compare(&cursor, &bottom) > 0) {
        top = cursor;
        (void)step_up(view, &top, view->height - 1); /* the same */
    }
    view->top = talk_view_spot(view, &top);
}

void talk_view_move(struct talk_view *view, int rows)
{
    struct talk_pos cursor;

    if (view->talk->count == 0 || view->height == 0)
        return;
    cursor = talk_view_cursor(view);
    step(view, &cursor, rows);
    view->cursor = talk_view_spot(view, &cursor);
    show_cursor(view);
    settle(view, rows > 0);
}

void talk_view_scroll(struct talk_view *view, int rows)
{
    struct talk_pos top;

    if (view->talk->count == 0 || view->height == 0)
        return;
    top = talk_view_pos(view, &view->top);
    step(view, &top, rows);
    view->top = talk_view_spot(view, &top);
    hold_to_end(view);
    talk_view_move(view, rows);
}

void talk_view_to_top(struct talk_view *view)
{
    static const struct tail_id start = {0};
    static const struct talk_spot first = {.serial = INT64_MIN};

    talk_view_follow(view, false);
    if (!view->talk->has_head)
        (void)talk_jump(view->talk, &start); /* else what is there has to do */
    view->top = first;
    view->cursor = first;
}

void talk_view_go(struct talk_view *view, const struct talk_spot *spot)
{
    struct talk_pos top;

    talk_view_follow(view, false);
    view->cursor = *spot;
    top = talk_view_pos(view, spot);
    (void)step_up(view, &top, view->height / 3); /* as far as there is */
    view->top = talk_view_spot(view, &top);
}

void talk_view_point(struct talk_view *view, unsigned row)
{
    struct talk_pos pos;

    if (!talk_view_first(view, &pos))
        return;
    (void)step_down(view, &pos, row); /* as far as there is */
    view->cursor = talk_view_spot(view, &pos);
    settle(view, view->following);
}

int64_t talk_view_unseen(const struct talk_view *view)
{
    return view->following ? 0 : view->talk->taken - view->taken;
}

/* ---- how it is shown ---- */

void talk_view_wrap(struct talk_view *view)
{
    view->look.wrap = !view->look.wrap;
    view->stamp++;
}

void talk_view_times(struct talk_view *view)
{
    view->look.times = (enum talk_times)((view->look.times + 1) % TALK_TIMES_COUNT);
    view->stamp++;
}

void talk_view_sideways(struct talk_view *view, int cols)
{
    int64_t left = (int64_t)view->left + cols;

    if (view->look.wrap)
        return;
    view->left = (unsigned)(left < 0 ? 0 : left > SIDEWAYS_MAX ? SIDEWAYS_MAX : left);
}

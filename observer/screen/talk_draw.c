/* talk_draw.c - see talk_draw.h.
 *
 * A row: cursor and mark in the gutter, the time, the name in its persona's colour, the
 * text. Notes and personas are dim, the turn being spoken is bright.
 */
#include "observer/screen/talk_draw.h"

#include <stdio.h>
#include <time.h>

#include "observer/screen/text.h"
#include "observer/talk_state.h"

enum { TIME_SIZE = 32, FAR_BACK_BYTES = 4096 };

struct row_of {
    struct talk_view *view;
    struct canvas *canvas;
    struct area area;
    unsigned at; /* row on the canvas */
    const struct talk_line *line;
    const struct talk_row *row;
};

/* ---- what stands before the text ---- */

static bool is_first(const struct row_of *r)
{
    return r->row->kind == TALK_ROW_FIRST || r->row->kind == TALK_ROW_NAME
           || (r->line->kind == TALK_NOTE && r->row->from == 0);
}

static void format_clock(int64_t at_us, char ret_text[TIME_SIZE])
{
    time_t seconds = (time_t)(at_us / 1000000);
    struct tm parts;

    if (localtime_r(&seconds, &parts) == NULL
        || strftime(ret_text, TIME_SIZE, "%H:%M:%S", &parts) == 0)
        fmt_into(ret_text, TIME_SIZE, "-");
}

static void format_since(int64_t since_us, char ret_text[TIME_SIZE])
{
    struct buf text;

    buf_init(&text, TIME_SIZE - 1);
    (void)buf_add_char(&text, '+');
    if (!talk_state_clock(since_us / 1000, &text))
        buf_clear(&text);
    fmt_into(ret_text, TIME_SIZE, "%s", text.len == 0 ? "-" : buf_text(&text));
    buf_done(&text);
}

static void draw_time(const struct row_of *r)
{
    enum talk_times times = r->view->look.times;
    int64_t started_us = r->view->talk->facts.started_at_us;
    char text[TIME_SIZE] = "-";

    if (times == TALK_TIMES_NONE || !is_first(r))
        return;
    if (r->line->at_us >= 0 && times == TALK_TIMES_CLOCK)
        format_clock(r->line->at_us, text);
    else if (r->line->at_us >= started_us && started_us >= 0)
        format_since(r->line->at_us - started_us, text);
    (void)canvas_put(r->canvas, r->at, r->area.col + TALK_GUTTER, TALK_TIME_COLS - 1,
                     PEN_DIM, str_of(text));
}

static void draw_name(const struct row_of *r)
{
    const struct talk_look *look = &r->view->look;
    unsigned col = talk_look_name_col(look);
    unsigned cols =
        talk_look_is_wide(look) ? talk_look_text_col(look) - col - 1 : look->cols - col;
    struct str name = buf_str(&r->line->author);

    if (r->line->kind == TALK_STORY)
        (void)canvas_put(r->canvas, r->at, r->area.col + col, cols, PEN_HEAD,
                         str_of("Story"));
    else
        (void)canvas_put_cut(r->canvas, r->at, r->area.col + col, cols,
                             pen_persona(r->line->seat), name);
}

/* ---- the text ---- */

static enum pen text_pen(const struct talk_line *line)
{
    if (line->speaking)
        return PEN_LIVE;
    if (line->failed)
        return PEN_BAD;
    return line->kind == TALK_TURN ? PEN_TEXT : PEN_DIM;
}

/* What was found, as one walks through a row. */
struct found {
    size_t at;
    size_t len;
    bool any;
};

static bool is_known(const struct row_of *r, size_t from)
{
    const struct talk_next *next = &r->view->next;

    return next->version == r->view->search.version && next->serial == r->line->serial
           && next->bytes == r->line->text.len && next->from <= from
           && from <= next->at;
}

/* What is near is found at once: only what was far away is kept. */
static void find_next(const struct row_of *r, size_t from, struct found *found)
{
    struct talk_next *next = &r->view->next;
    struct talk_next new = {.serial = r->line->serial,
                            .bytes = r->line->text.len,
                            .version = r->view->search.version,
                            .from = from};

    if (is_known(r, from))
        new = *next;
    else if (!talk_search_find(&r->view->search, &r->line->text, from, &new.at,
                               &new.len))
        new.at = SIZE_MAX;
    *found = (struct found){new.at, new.len, new.at != SIZE_MAX};
    if (new.at - from > FAR_BACK_BYTES && !r->line->speaking)
        *next = new;
}

/* Far before the row, so that a match that begins there is seen in it. */
static size_t search_from(const struct row_of *r)
{
    return r->row->from > FAR_BACK_BYTES ? r->row->from - FAR_BACK_BYTES : 0;
}

static enum pen pen_at(const struct row_of *r, size_t byte, size_t bytes,
                       struct found *found)
{
    bool stands;

    while (found->any && found->at + found->len <= byte)
        find_next(r, found->at + found->len, found);
    if (!found->any || found->at >= byte + bytes)
        return text_pen(r->line);
    stands = r->view->has_match && r->view->match.serial == r->line->serial
             && r->view->match.byte == found->at;
    return stands ? PEN_MATCH_AT : PEN_MATCH;
}

/* Runs of one pen are put at once; whole clusters, so that none is torn. */
static void draw_found(const struct row_of *r, struct str text, size_t byte,
                       struct area where)
{
    struct found found;
    size_t run = 0;
    size_t at = 0;
    enum pen pen = PEN_TEXT;

    find_next(r, search_from(r), &found);
    while (at <= text.len && where.cols > 0) {
        unsigned cols;
        size_t bytes = text_next(str_make(text.at + at, text.len - at), &cols);
        enum pen here = bytes == 0 ? PEN_COUNT : pen_at(r, byte + at, bytes, &found);

        if (at > run && here != pen) {
            unsigned used = canvas_put(r->canvas, where.row, where.col, where.cols, pen,
                                       str_make(text.at + run, at - run));

            where.col += used;
            where.cols -= used;
            run = at;
        }
        pen = here;
        if (bytes == 0)
            break;
        at += bytes;
    }
}

static void draw_text(const struct row_of *r)
{
    const struct talk_look *look = &r->view->look;
    unsigned col = talk_look_text_col(look);
    struct str text = str_make(buf_text(&r->line->text) + r->row->from, r->row->len);
    struct area where = {r->at, r->area.col + col, 1,
                         look->cols > col ? look->cols - col : 0};
    size_t skipped = 0;
    unsigned cut = 0;

    if (!look->wrap)
        skipped = text_skip(text, r->view->left, &cut);
    text = str_make(text.at + skipped, text.len - skipped);
    if (cut > where.cols)
        return;
    where.col += cut;
    where.cols -= cut;
    if (talk_search_is_on(&r->view->search))
        draw_found(r, text, r->row->from + skipped, where);
    else
        (void)canvas_put(r->canvas, where.row, where.col, where.cols, text_pen(r->line),
                         text);
}

/* ---- a frame ---- */

static void draw_gutter(const struct row_of *r, bool at_cursor)
{
    bool marked = talk_view_is_marked(r->view, r->line) && r->line->place.ms > 0;

    if (at_cursor)
        (void)canvas_put(r->canvas, r->at, r->area.col, 1, PEN_BOLD, str_of(">"));
    if (marked && r->row->kind != TALK_ROW_BLANK)
        (void)canvas_put(r->canvas, r->at, r->area.col + 1, 1, PEN_MARK, str_of("*"));
}

static void draw_row(const struct row_of *r, bool at_cursor)
{
    draw_gutter(r, at_cursor);
    if (r->row->kind == TALK_ROW_BLANK)
        return;
    draw_time(r);
    if (r->row->kind == TALK_ROW_NAME || r->row->kind == TALK_ROW_FIRST)
        draw_name(r);
    if (r->row->kind != TALK_ROW_NAME)
        draw_text(r);
}

void talk_draw(struct talk_view *view, struct canvas *canvas, struct area area)
{
    struct talk_pos pos;
    struct talk_pos cursor;
    bool more;

    talk_view_fit(view, area.rows, area.cols);
    more = talk_view_first(view, &pos);
    if (more)
        cursor = talk_view_cursor(view);
    for (unsigned i = 0; more && i < area.rows; i++) {
        const struct row_of row = {view,
                                   canvas,
                                   area,
                                   area.row + i,
                                   talk_view_line(view, &pos),
                                   talk_view_row(view, &pos)};

        draw_row(&row, pos.line == cursor.line && pos.row == cursor.row);
        more = talk_view_next(view, &pos);
    }
}

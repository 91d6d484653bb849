/* talk_view.h - what of a talk is on the screen: where it is scrolled to, which turn is
 * selected, what was found and marked. Pure; draws nothing (talk_draw.h).
 *
 * A spot is a byte of a line's text, not a row: it stays where it is when rows are
 * broken anew, lines come, or older ones are read. While it follows, the last row is at
 * the bottom; whatever moves up pauses that, until somebody is at the end again.
 *
 * Flow: talk_view_fit (size, once a frame) -> talk_view_first, talk_view_next...
 */
#ifndef PARLEY_TALK_VIEW_H
#define PARLEY_TALK_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/model/talk.h"
#include "observer/screen/talk_rows.h"
#include "observer/screen/talk_search.h"

enum { TALK_MARKS_MAX = 256, TALK_ROWS_CACHED = 256, TALK_NEWS_SIZE = 160 };

/* A row, by what is in it. */
struct talk_spot {
    int64_t serial;
    size_t byte;
    size_t lead; /* so many rows before the first one of text; 0: a row of text */
};
/* The same by number, while nothing changes. */
struct talk_pos {
    size_t line;
    size_t row;
};
/* The first match in a line behind some byte of it, where it is far away: rows are
 * drawn without a look at all the rest of their line. */
struct talk_next {
    int64_t serial;
    size_t bytes;     /* of the text it was looked for in, */
    unsigned version; /* for that search; 0: nothing was */
    size_t from;
    size_t at; /* SIZE_MAX: there is none */
    size_t len;
};
struct talk_cached {
    int64_t serial;
    size_t bytes; /* of the text it was made of */
    enum talk_line_kind kind;
    bool speaking;
    unsigned stamp; /* of the look */
    struct talk_rows rows;
};

struct talk_view {
    struct talk *talk; /* borrowed */
    struct talk_look look;
    unsigned stamp; /* another one when the look is */
    unsigned height;
    unsigned left; /* columns scrolled to the right, where rows are not wrapped */
    bool following;
    int64_t taken; /* turns that had come when it was paused */
    struct talk_spot top;
    struct talk_spot cursor;
    struct talk_search search;
    struct talk_spot match; /* where n and N stand; its byte is the match's */
    bool has_match;
    struct talk_next next;                /* of what was drawn last */
    bool finding;                         /* talk_find_on is at work */
    int seeking;                          /* pages are read for a match: -1 older, 1 */
    struct tail_id marks[TALK_MARKS_MAX]; /* in their order */
    size_t mark_count;
    struct tail_id going;      /* a mark whose page is being read; {0}: none */
    char news[TALK_NEWS_SIZE]; /* something to tell; taken by talk_view_news */
    struct talk_cached *cache; /* owned, TALK_ROWS_CACHED of them */
};

/* The talk outlives the view, or is exchanged by talk_view_show. */
void talk_view_init(struct talk_view *view, struct talk *talk);
void talk_view_done(struct talk_view *view);
/* Another talk, followed; wrapping, times and search stay. */
void talk_view_show(struct talk_view *view, struct talk *talk);

/* Before drawing: so many rows and columns there are. Goes on with what waited for a
 * page, and has the talk read what lies near. Not from inside the talk's on_changed. */
void talk_view_fit(struct talk_view *view, unsigned rows, unsigned cols);
/* The row at the top; false: there is none. Then the next one, until false. */
bool talk_view_first(struct talk_view *view, struct talk_pos *ret_pos);
bool talk_view_next(struct talk_view *view, struct talk_pos *pos);
const struct talk_line *talk_view_line(const struct talk_view *view,
                                       const struct talk_pos *pos);
const struct talk_row *talk_view_row(struct talk_view *view,
                                     const struct talk_pos *pos);
struct talk_pos talk_view_cursor(struct talk_view *view);
/* The line the cursor is in; NULL: there is none. */
const struct talk_line *talk_view_selected(struct talk_view *view);

/* A page is here (talk->on_page): a search goes on at once, not with the next frame. */
void talk_view_paged(struct talk_view *view);

/* Up below 0. move: the cursor; scroll: it and what is seen. */
void talk_view_move(struct talk_view *view, int rows);
void talk_view_scroll(struct talk_view *view, int rows);
void talk_view_to_top(struct talk_view *view);
void talk_view_follow(struct talk_view *view, bool following);
void talk_view_point(struct talk_view *view, unsigned row); /* a click */
/* Turns that came since it was paused. */
int64_t talk_view_unseen(const struct talk_view *view);

void talk_view_wrap(struct talk_view *view);
void talk_view_times(struct talk_view *view);
void talk_view_sideways(struct talk_view *view, int cols);

/* Searches from the cursor on, then before it. */
MUST_USE bool talk_view_search(struct talk_view *view, struct str text,
                               struct err *err);
void talk_view_match(struct talk_view *view, bool before);
/* Of the lines in the window. *ret_at: which one is stood at, from 1; 0 none.
 * *ret_whole: the window holds all there is. */
size_t talk_view_matches(struct talk_view *view, size_t *ret_at, bool *ret_whole);

void talk_view_mark(struct talk_view *view);
void talk_view_mark_after(struct talk_view *view);
bool talk_view_is_marked(const struct talk_view *view, const struct talk_line *line);
/* What there is to tell, once; "" nothing. */
const char *talk_view_news(struct talk_view *view, char ret_text[TALK_NEWS_SIZE]);

#endif

/* talk_find.c - see talk_find.h and talk_view.h. */
#include "observer/screen/talk_find.h"

#include <string.h>

static void tell(struct talk_view *view, const char *text)
{
    fmt_into(view->news, sizeof view->news, "%s", text);
}

const char *talk_view_news(struct talk_view *view, char ret_text[TALK_NEWS_SIZE])
{
    memcpy(ret_text, view->news, TALK_NEWS_SIZE);
    view->news[0] = '\0';
    return ret_text;
}

/* ---- searching ---- */

static bool find_after(struct talk_view *view, size_t line, size_t from,
                       struct talk_spot *ret_spot)
{
    const struct talk *talk = view->talk;

    for (size_t i = line; i < talk->count; i++, from = 0) {
        size_t at;
        size_t len;

        if (!talk_search_find(&view->search, &talk->lines[i]->text, from, &at, &len))
            continue;
        *ret_spot = (struct talk_spot){.serial = talk->lines[i]->serial, .byte = at};
        return true;
    }
    return false;
}

static bool find_before(struct talk_view *view, size_t line, size_t before,
                        struct talk_spot *ret_spot)
{
    const struct talk *talk = view->talk;

    for (size_t i = line + 1; i > 0; i--, before = SIZE_MAX) {
        size_t at;
        size_t len;

        if (!talk_search_find_before(&view->search, &talk->lines[i - 1]->text, before,
                                     &at, &len))
            continue;
        *ret_spot =
            (struct talk_spot){.serial = talk->lines[i - 1]->serial, .byte = at};
        return true;
    }
    return false;
}

static void arrive(struct talk_view *view, const struct talk_spot *spot)
{
    view->seeking = 0;
    view->has_match = true;
    view->match = *spot;
    talk_view_go(view, spot);
}

/* Where n and N start: at the match the cursor's row shows, else at the row. */
static struct talk_spot start_of(struct talk_view *view, bool *ret_at_match)
{
    struct talk_pos cursor = talk_view_cursor(view);

    *ret_at_match = false;
    if (view->has_match) {
        struct talk_pos match = talk_view_pos(view, &view->match);

        *ret_at_match = match.line == cursor.line && match.row == cursor.row;
    }
    return *ret_at_match ? view->match : view->cursor;
}

/* On into what is not in the window: from its border, when the page is there. */
static void seek(struct talk_view *view, bool before)
{
    struct talk *talk = view->talk;
    bool whole = before ? talk->has_head : talk->has_tail;

    if (whole || talk->reader == NULL) {
        tell(view, before ? "nothing found above" : "nothing found below");
        view->seeking = 0;
        return;
    }
    view->seeking = before ? -1 : 1;
    talk->watched = talk->lines[before ? 0 : talk->count - 1]->serial; /* stays */
    if (!talk_want_page(talk, before) && !talk->paging)
        view->seeking = 0; /* nobody to ask any more */
}

void talk_view_match(struct talk_view *view, bool before)
{
    struct talk_spot from;
    struct talk_spot found;
    bool at_match;
    size_t line;

    if (!talk_search_is_on(&view->search) || view->talk->count == 0
        || view->seeking != 0)
        return;
    from = start_of(view, &at_match);
    line = talk_find(view->talk, from.serial);
    if (before ? find_before(view, line, from.byte, &found)
               : find_after(view, line, from.byte + at_match, &found))
        arrive(view, &found);
    else
        seek(view, before);
}

bool talk_view_search(struct talk_view *view, struct str text, struct err *err)
{
    struct talk_spot found;

    if (!talk_search_set(&view->search, text, err))
        return false;
    view->has_match = false;
    view->seeking = 0;
    if (text.len == 0 || view->talk->count == 0)
        return true;
    /* As one who reads expects it: on the screen first, below, then above. */
    if (find_after(view, talk_view_pos(view, &view->top).line, 0, &found)
        || find_before(view, view->talk->count - 1, SIZE_MAX, &found))
        arrive(view, &found);
    else
        seek(view, true);
    return true;
}

/* Lines change seldom, frames come often: a line is counted once for each search. */
static size_t count_in(struct talk_view *view, struct talk_line *line)
{
    if (line->found_by != view->search.version || line->found_in != line->text.len) {
        line->found = talk_search_count(&view->search, &line->text);
        line->found_by = view->search.version;
        line->found_in = line->text.len;
    }
    return line->found;
}

size_t talk_view_matches(struct talk_view *view, size_t *ret_at, bool *ret_whole)
{
    const struct talk *talk = view->talk;
    size_t count = 0;

    *ret_at = 0;
    *ret_whole = talk->has_head && talk->has_tail;
    if (!talk_search_is_on(&view->search))
        return 0;
    for (size_t i = 0; i < talk->count; i++) {
        struct talk_line *line = talk->lines[i];
        size_t from = 0;
        size_t at;
        size_t len;

        if (view->has_match && line->serial == view->match.serial) {
            *ret_at = count;
            while (talk_search_find(&view->search, &line->text, from, &at, &len)
                   && at <= view->match.byte) {
                ++*ret_at;
                from = at + len;
            }
        }
        count += count_in(view, line);
    }
    return count;
}

static void seek_on(struct talk_view *view)
{
    size_t count = view->talk->count;
    size_t page = count < TALK_PAGE ? count : TALK_PAGE;
    struct talk_spot found;

    if (view->seeking < 0 ? find_before(view, page - 1, SIZE_MAX, &found)
                          : find_after(view, count - page, 0, &found))
        arrive(view, &found);
    else
        seek(view, view->seeking < 0);
}

/* ---- marks ---- */

/* Where in the marks that place is, or would be. */
static size_t mark_index(const struct talk_view *view, const struct tail_id *place)
{
    size_t i = 0;

    while (i < view->mark_count && tail_id_compare(&view->marks[i], place) < 0)
        i++;
    return i;
}

bool talk_view_is_marked(const struct talk_view *view, const struct talk_line *line)
{
    size_t i = mark_index(view, &line->place);

    return i < view->mark_count && tail_id_compare(&view->marks[i], &line->place) == 0;
}

void talk_view_mark(struct talk_view *view)
{
    const struct talk_line *line = talk_view_selected(view);
    struct tail_id *marks = view->marks;
    size_t i;

    if (line == NULL || (line->place.ms == 0 && line->place.number == 0)) {
        tell(view, "only what stands in the transcript can be marked");
        return;
    }
    i = mark_index(view, &line->place);
    if (talk_view_is_marked(view, line)) {
        memmove(&marks[i], &marks[i + 1], (view->mark_count - i - 1) * sizeof *marks);
        view->mark_count--;
    } else if (view->mark_count < TALK_MARKS_MAX) {
        memmove(&marks[i + 1], &marks[i], (view->mark_count - i) * sizeof *marks);
        marks[i] = line->place;
        view->mark_count++;
    } else {
        tell(view, "there are 256 marks already");
    }
}

static bool go_to(struct talk_view *view, const struct tail_id *place)
{
    const struct talk *talk = view->talk;

    for (size_t i = 0; i < talk->count; i++)
        if (tail_id_compare(&talk->lines[i]->place, place) == 0) {
            const struct talk_spot spot = {.serial = talk->lines[i]->serial};

            talk_view_go(view, &spot);
            return true;
        }
    return false;
}

void talk_view_mark_after(struct talk_view *view)
{
    const struct talk_line *line = talk_view_selected(view);
    struct tail_id behind;
    size_t i;

    if (view->mark_count == 0 || line == NULL) {
        tell(view, "nothing is marked: m marks");
        return;
    }
    i = mark_index(view, &line->place);
    if (talk_view_is_marked(view, line))
        i++;
    i %= view->mark_count; /* behind the last comes the first */
    if (go_to(view, &view->marks[i]))
        return;
    behind = view->marks[i];
    if (behind.number == 0)
        behind.ms--;
    behind.number = behind.number == 0 ? UINT64_MAX : behind.number - 1;
    if (talk_jump(view->talk, &behind)) {
        talk_view_follow(view, false);
        view->going = view->marks[i];
    }
}

/* ---- what waited for a page ---- */

void talk_find_on(struct talk_view *view)
{
    if (view->going.ms > 0 && !view->talk->paging) {
        if (!go_to(view, &view->going))
            tell(view, "what was marked is gone");
        view->going = (struct tail_id){0};
    }
    if (view->finding)
        return; /* a page came while it was asked for: the loop below sees it */
    view->finding = true;
    while (view->seeking != 0 && !view->talk->paging && view->talk->count > 0)
        seek_on(view);
    view->finding = false;
}

void talk_view_paged(struct talk_view *view)
{
    if (view->seeking != 0 && view->height > 0)
        talk_find_on(view);
}

/* talk.c - see talk.h: the window of lines. What a source tells is in talk_take.c. */
#include "observer/model/talk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/model/talk_window.h"

/* Between windows: a serial is never used again. */
#define SERIALS_APART ((int64_t)1 << 40)

enum {
    NEAR_LINES = 40, /* so near to the window's border the next page is read */
    TEXT_MAX_BYTES = 256 << 10,
    ASKED_MAX_BYTES = 1 << 20
};

const char *talk_presence_name(enum talk_presence presence)
{
    static const char *const names[TALK_PRESENCE_COUNT] = {
        [TALK_ASKED] = "asked",
        [TALK_HERE] = "here",
        [TALK_UNKNOWN] = "unknown",
        [TALK_LOST] = "lost",
    };

    assert(presence < TALK_PRESENCE_COUNT);
    return names[presence];
}

static void begin(struct talk *talk)
{
    talk->facts = talk_facts_unknown();
    talk->has_tail = true;
    talk->watched = INT64_MAX; /* the end */
    for (size_t i = 0; i < SEATS_MAX; i++)
        talk_seat_init(&talk->seats[i]);
    buf_init(&talk->setting, TEXT_MAX_BYTES);
    buf_init(&talk->waiting, TEXT_MAX_BYTES);
    buf_init(&talk->asked.text, ASKED_MAX_BYTES);
}

static void drop(struct talk *talk)
{
    for (size_t i = 0; i < talk->count; i++)
        talk_line_free(talk->lines[i]);
    free(talk->lines);
    for (size_t i = 0; i < SEATS_MAX; i++)
        talk_seat_done(&talk->seats[i]);
    buf_done(&talk->setting);
    buf_done(&talk->waiting);
    buf_done(&talk->asked.text);
}

struct talk *talk_new(const char *id, void (*on_changed)(void *owner), void *owner)
{
    struct talk *talk = x_calloc(1, sizeof *talk);

    fmt_into(talk->id, sizeof talk->id, "%s", id);
    talk->on_changed = on_changed;
    talk->owner = owner;
    begin(talk);
    return talk;
}

void talk_free(struct talk *talk)
{
    if (talk == NULL)
        return;
    drop(talk);
    free(talk);
}

void talk_forget(struct talk *talk)
{
    const struct talk before = *talk;

    drop(talk);
    *talk = (struct talk){.reader = before.reader,
                          .on_changed = before.on_changed,
                          .owner = before.owner,
                          .next_serial = before.next_serial};
    fmt_into(talk->id, sizeof talk->id, "%s", before.id);
    begin(talk);
    if (talk->on_changed != NULL)
        talk->on_changed(talk->owner);
}

/* ---- the window ---- */

size_t talk_find(const struct talk *talk, int64_t serial)
{
    size_t low = 0;
    size_t high = talk->count;

    while (low < high) {
        size_t middle = (low + high) / 2;

        if (talk->lines[middle]->serial <= serial)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? 0 : low - 1;
}

void talk_window_drop(struct talk *talk, size_t index)
{
    struct talk_line *line = talk->lines[index];

    talk->bytes -= talk_line_bytes(line);
    memmove(&talk->lines[index], &talk->lines[index + 1],
            (talk->count - index - 1) * sizeof *talk->lines);
    talk->count--;
    talk_line_free(line);
}

static bool is_full(const struct talk *talk)
{
    return talk->count > TALK_LINES_MAX || talk->bytes > TALK_BYTES_MAX;
}

/* Whether what must go now goes at the front: it lies farther away. */
static bool front_is_farther(const struct talk *talk)
{
    size_t watched = talk_find(talk, talk->watched);

    return watched >= talk->count - 1 - watched;
}

/* The line that was just added may be the one that goes. */
void talk_window_trim(struct talk *talk)
{
    while (is_full(talk) && talk->count > TALK_LINES_KEPT) {
        if (front_is_farther(talk)) {
            talk_window_drop(talk, 0);
            talk->has_head = false;
        } else {
            talk_window_drop(talk, talk->count - 1);
            talk->has_tail = false;
        }
    }
}

void talk_window_insert(struct talk *talk, size_t index, struct talk_line *line)
{
    assert(index <= talk->count);
    talk->lines = x_realloc(talk->lines, (talk->count + 1) * sizeof(*talk->lines));
    memmove(&talk->lines[index + 1], &talk->lines[index],
            (talk->count - index) * sizeof *talk->lines);
    talk->lines[index] = line;
    talk->count++;
    talk->bytes += talk_line_bytes(line);
}

void talk_window_append(struct talk *talk, struct talk_line *line)
{
    line->serial = talk->next_serial++;
    if (!talk->has_tail) {
        talk_line_free(line); /* it is read when somebody scrolls there */
        return;
    }
    talk_window_insert(talk, talk->count, line);
    talk_window_trim(talk);
}

/* ---- what screens ask for ---- */

static const struct tail_id *place_of_end(const struct talk *talk, bool older)
{
    for (size_t i = 0; i < talk->count; i++) {
        const struct talk_line *line = talk->lines[older ? i : talk->count - 1 - i];

        if (line->place.ms > 0 || line->place.number > 0)
            return &line->place;
    }
    return NULL;
}

bool talk_want_page(struct talk *talk, bool older)
{
    const struct tail_id *from = place_of_end(talk, older);
    bool whole = older ? talk->has_head : talk->has_tail;

    if (whole || talk->paging || talk->reader == NULL || from == NULL)
        return false;
    talk->paging = true;
    talk->paging_older = older;
    talk->reader->page(talk->reader->owner, older, from);
    return true;
}

/* Near the border, but not where large lines leave room for few: there a page is read
 * only for who stands at the very end, else pages would push each other out. */
static bool is_near(const struct talk *talk, size_t lines)
{
    return lines == 0 || (lines < NEAR_LINES && talk->bytes < TALK_BYTES_MAX / 2);
}

void talk_watch(struct talk *talk, int64_t serial)
{
    size_t index = talk_find(talk, serial);

    talk->watched = serial;
    if (talk->count == 0)
        return;
    if (is_near(talk, index))
        (void)talk_want_page(talk, true); /* none is needed, or it is on its way */
    if (is_near(talk, talk->count - 1 - index))
        (void)talk_want_page(talk, false); /* the same */
}

static void clear(struct talk *talk)
{
    for (size_t i = 0; i < talk->count; i++)
        talk_line_free(talk->lines[i]);
    talk->count = 0;
    talk->bytes = 0;
}

bool talk_jump(struct talk *talk, const struct tail_id *behind)
{
    struct tail_id from = talk->newest;
    bool to_end = behind == NULL;

    if (talk->reader == NULL || talk->paging)
        return false;
    from.number++; /* the newest is one of the last page */
    if (!to_end)
        from = *behind;
    clear(talk);
    talk->next_serial += SERIALS_APART;
    talk->has_head = !to_end && from.ms == 0 && from.number == 0;
    talk->has_tail = to_end;
    talk->paging = true;
    talk->paging_older = to_end;
    talk->reader->page(talk->reader->owner, to_end, &from);
    return true;
}

void talk_want_asked(struct talk *talk, int64_t seat)
{
    talk->asked.seat = seat;
    talk->asked.answered = talk->reader == NULL || talk->reader->asked == NULL;
    buf_clear(&talk->asked.text);
    if (!talk->asked.answered)
        talk->reader->asked(talk->reader->owner, seat);
}

void talk_name(const struct talk *talk, int64_t seat, struct buf *into)
{
    if (seat >= 1 && seat <= SEATS_MAX && talk->seats[seat - 1].name.len > 0)
        (void)buf_add_str(into, buf_str(&talk->seats[seat - 1].name));
    else if (seat >= 1)
        (void)buf_printf(into, "seat %lld", (long long)seat);
    else
        (void)buf_add_text(into, "-");
}

bool talk_ended(const struct talk *talk)
{
    return strcmp(talk->facts.state, "ended") == 0;
}

struct talk_line *talk_speaking(const struct talk *talk)
{
    for (size_t i = talk->count; i > 0; i--)
        if (talk->lines[i - 1]->speaking)
            return talk->lines[i - 1];
    return NULL;
}

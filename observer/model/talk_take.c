/* talk_take.c - see talk_take.h.
 *
 * The turn being spoken is a line like others, which grows; when it is committed the
 * same line, at its place and with its serial, becomes the turn, so that whoever looks
 * at it keeps looking at it.
 */
#include "observer/model/talk_take.h"

#include <assert.h>
#include <string.h>

#include "base/utf8.h"
#include "observer/model/talk_window.h"
#include "observer/plain_words.h"

enum { NOTE_MAX_BYTES = 4096 };

static void changed(const struct talk *talk)
{
    if (talk->on_changed != NULL)
        talk->on_changed(talk->owner);
}

void talk_set_reader(struct talk *talk, const struct talk_reader *reader)
{
    /* The page that was to fill the window does not come any more. */
    if (talk->paging && talk->count == 0)
        talk->has_head = talk->has_tail = false;
    talk->reader = reader;
    talk->paging = false;
}

/* ---- who is in it ---- */

static struct talk_seat *seat_of(struct talk *talk, int64_t seat)
{
    if (seat < 1 || seat > SEATS_MAX)
        return NULL;
    if ((size_t)seat > talk->seat_count)
        talk->seat_count = (size_t)seat;
    return &talk->seats[seat - 1];
}

static void add_paragraph(struct buf *into, const char *text)
{
    if (text == NULL || text[0] == '\0')
        return;
    if (into->len > 0)
        (void)buf_add_char(into, '\n'); /* one that is full is cut already */
    talk_line_say(into, str_of(text));
}

static void learn_cast(struct talk *talk, const struct sight *sight)
{
    struct talk_seat *seat = seat_of(talk, sight->seat);

    if (sight->kind == SIGHT_STORY) {
        buf_clear(&talk->setting);
        add_paragraph(&talk->setting, sight->message->story.setting);
        add_paragraph(&talk->setting, sight->message->story.initial_situation);
    } else if (sight->kind == SIGHT_PERSONA && seat != NULL) {
        talk_seat_meet(seat, &sight->message->persona);
    }
}

void talk_take_cast(struct talk *talk, const struct sight *sight)
{
    learn_cast(talk, sight);
    changed(talk);
}

void talk_take_wish(struct talk *talk, int64_t seat, struct str model,
                    struct str endpoint, int64_t num_ctx)
{
    struct talk_seat *who = seat_of(talk, seat);

    if (who == NULL)
        return;
    talk_seat_wish(who, model, endpoint, num_ctx);
    changed(talk);
}

/* Each turn once, whether it came or was read later: the turns counted are always all
 * from counted_from to counted_to. */
static void count_turn(struct talk *talk, const struct talk_line *line)
{
    struct talk_seat *seat = seat_of(talk, line->seat);
    bool first = talk->counted_from == 0;

    if (seat == NULL || line->turn < 1)
        return;
    if (!first && line->turn != talk->counted_from - 1
        && line->turn != talk->counted_to + 1)
        return;
    talk_seat_count(seat, line);
    if (first || line->turn < talk->counted_from)
        talk->counted_from = line->turn;
    if (first || line->turn > talk->counted_to)
        talk->counted_to = line->turn;
}

static void recount(struct talk *talk)
{
    for (size_t i = 0; i < SEATS_MAX; i++)
        talk_seat_recount(&talk->seats[i]);
    talk->counted_from = 0;
    talk->counted_to = 0;
    for (size_t i = 0; i < talk->count; i++)
        if (talk->lines[i]->kind == TALK_TURN && !talk->lines[i]->speaking)
            count_turn(talk, talk->lines[i]);
}

/* ---- the turn being spoken ---- */

static void stop_speaking(struct talk *talk)
{
    for (size_t i = talk->count; i > 0; i--)
        if (talk->lines[i - 1]->speaking)
            talk_window_drop(talk, i - 1);
}

static void take_begin(struct talk *talk, const struct sight *sight,
                       const struct talk_from *from)
{
    struct talk_line *line;

    stop_speaking(talk);
    talk_take_waited(talk);
    line = talk_line_new(TALK_TURN);
    line->turn = sight->turn;
    line->seat = sight->seat;
    line->at_us = from->at_us;
    line->speaking = true;
    talk_line_say(&line->author, sight->author);
    talk_window_append(talk, line);
}

static void take_delta(struct talk *talk, const struct sight *sight)
{
    struct talk_line *line = talk_speaking(talk);
    size_t before;

    if (line == NULL || line->turn != sight->turn)
        return;
    before = talk_line_bytes(line);
    talk_line_say(&line->text, sight->text);
    talk->bytes += talk_line_bytes(line) - before;
    talk_window_trim(talk);
}

/* What was shown goes; that there was something stays, where it stood. */
static void withdraw(struct talk *talk, const char *why)
{
    struct talk_line *line = talk_speaking(talk);
    struct talk_line *note;
    struct buf text;
    size_t index;

    if (line == NULL)
        return;
    buf_init(&text, NOTE_MAX_BYTES);
    (void)buf_add_str(&text, buf_str(&line->author));
    (void)buf_printf(&text, ": %s", why);
    note = talk_line_note(buf_str(&text), line->at_us);
    note->turn = line->turn;
    note->seat = line->seat;
    note->serial = line->serial;
    index = talk_find(talk, line->serial);
    talk_window_drop(talk, index);
    talk_window_insert(talk, index, note);
    buf_done(&text);
}

static void take_end(struct talk *talk, const struct sight *sight)
{
    if (str_is(sight->text, "failed"))
        withdraw(talk, "withdrawn, the model failed");
    else if (str_is(sight->text, "cancelled"))
        withdraw(talk, "cut short, not kept");
}

/* ---- what happened ---- */

static void note(struct talk *talk, struct str text, int64_t at_us)
{
    if (text.len > 0)
        talk_window_append(talk, talk_line_note(text, at_us));
}

void talk_take_waited(struct talk *talk)
{
    buf_clear(&talk->waiting);
    talk->waiting_turn = 0;
}

static void take_waiting(struct talk *talk, const struct sight *sight,
                         const struct talk_from *from)
{
    struct buf text;

    withdraw(talk, "withdrawn, asked again");
    buf_clear(&talk->waiting);
    talk_line_say(&talk->waiting, sight->servers);
    talk->waiting_turn = sight->turn;
    talk->waiting_seat = sight->seat;
    buf_init(&text, NOTE_MAX_BYTES);
    (void)utf8_harmless(sight->author, false, &text);
    (void)buf_add_text(&text, " waits for a model server; down: ");
    (void)utf8_harmless(sight->servers, false, &text);
    (void)buf_add_text(&text, "; last: ");
    (void)utf8_harmless(sight->text, false, &text);
    note(talk, buf_str(&text), from->at_us);
    buf_done(&text);
}

static void take_state(struct talk *talk, const struct sight *sight,
                       const struct talk_from *from)
{
    struct buf text;
    struct str words;

    if (strcmp(sight->facts->state, "ended") == 0)
        withdraw(talk, "cut short, not kept");
    buf_init(&text, NOTE_MAX_BYTES);
    plain_words_state(sight->facts, talk->facts.state, &text);
    words = str_trim(buf_str(&text));
    if (words.len > 2) /* a screen's notes need no brackets */
        words = str_make(words.at + 1, words.len - 2);
    note(talk, words, from->at_us);
    buf_done(&text);
    talk->facts = *sight->facts;
}

static void take_rewound(struct talk *talk, const struct sight *sight,
                         const struct talk_from *from)
{
    char text[96];
    struct tail_id newest = {0};

    stop_speaking(talk);
    for (size_t i = talk->count; i > 0; i--)
        if (talk->lines[i - 1]->kind == TALK_TURN
            && talk->lines[i - 1]->turn > sight->turn)
            talk_window_drop(talk, i - 1);
    for (size_t i = 0; i < talk->count; i++)
        if (tail_id_compare(&talk->lines[i]->place, &newest) > 0)
            newest = talk->lines[i]->place;
    talk->newest = newest;
    recount(talk);
    fmt_into(text, sizeof text,
             "history was rewound: Redis kept no more than turn %lld",
             (long long)sight->turn);
    note(talk, str_of(text), from->at_us);
}

void talk_take_absence(struct talk *talk)
{
    enum talk_presence before = talk->presence;

    talk->presence =
        before == TALK_HERE || before == TALK_LOST ? TALK_LOST : TALK_UNKNOWN;
    if (talk->presence == before)
        return;
    stop_speaking(talk);
    if (talk->presence == TALK_LOST) {
        note(talk, str_of("history lost: Redis no longer knows this conversation"), -1);
        talk->newest = (struct tail_id){0};
    }
    changed(talk);
}

void talk_take_facts(struct talk *talk, const struct talk_facts *facts)
{
    bool same =
        memcmp(&talk->facts, facts, sizeof *facts) == 0 && talk->presence == TALK_HERE;

    talk->facts = *facts;
    talk->presence = TALK_HERE;
    if (talk->waiting_turn > 0
        && (facts->next != talk->waiting_turn
            || (talk->waiting_seat == 0 && strcmp(facts->state, "preparing") != 0)))
        talk_take_waited(talk);
    if (!same)
        changed(talk);
}

/* ---- the transcript ---- */

void talk_take_head(struct talk *talk)
{
    talk->has_head = true;
}

/* The line that was spoken live becomes what was committed. */
static bool commit_spoken(struct talk *talk, struct talk_line *line)
{
    struct talk_line *spoken = talk_speaking(talk);
    size_t index;

    if (spoken == NULL || spoken->turn != line->turn)
        return false;
    index = talk_find(talk, spoken->serial);
    line->serial = spoken->serial;
    talk_window_drop(talk, index);
    talk_window_insert(talk, index, line);
    talk_window_trim(talk);
    return true;
}

static void take_turn(struct talk *talk, const struct sight *sight,
                      const struct talk_from *from)
{
    struct talk_line *line = talk_line_of(sight, from);
    struct talk_seat *seat = seat_of(talk, sight->seat);

    talk->taken++;
    if (seat != NULL)
        talk_seat_meet_turn(seat, sight->message);
    count_turn(talk, line);
    if (!commit_spoken(talk, line)) {
        stop_speaking(talk);
        talk_window_append(talk, line);
    }
    if (talk->waiting_turn <= sight->turn)
        talk_take_waited(talk);
}

static void take_entry(struct talk *talk, const struct sight *sight,
                       const struct talk_from *from)
{
    if (tail_id_compare(&from->place, &talk->newest) <= 0)
        return;
    talk->newest = from->place;
    if (sight->kind == SIGHT_TURN) {
        take_turn(talk, sight, from);
        return;
    }
    if (sight->kind != SIGHT_UNREADABLE)
        learn_cast(talk, sight);
    talk_window_append(talk, talk_line_of(sight, from));
}

void talk_take(struct talk *talk, const struct sight *sight,
               const struct talk_from *from)
{
    switch (sight->kind) {
    case SIGHT_STORY:
    case SIGHT_PERSONA:
    case SIGHT_TURN:
    case SIGHT_EVENT:
    case SIGHT_WHISPER:
    case SIGHT_UNREADABLE:
        take_entry(talk, sight, from);
        break;
    case SIGHT_BEGIN:
        take_begin(talk, sight, from);
        break;
    case SIGHT_DELTA:
        take_delta(talk, sight);
        break;
    case SIGHT_WITHDRAWN:
        withdraw(talk, "withdrawn, asked again");
        break;
    case SIGHT_END:
        take_end(talk, sight);
        break;
    case SIGHT_WAITING:
        take_waiting(talk, sight, from);
        break;
    case SIGHT_STATE:
        take_state(talk, sight, from);
        break;
    case SIGHT_REWOUND:
        take_rewound(talk, sight, from);
        break;
    case SIGHT_KIND_COUNT:
        assert(false);
    }
    changed(talk);
}

/* ---- pages, requests ---- */

static bool is_there(const struct talk *talk, const struct tail_id *place)
{
    for (size_t i = 0; i < talk->count; i++)
        if (tail_id_compare(&talk->lines[i]->place, place) == 0)
            return true;
    return false;
}

static bool add_older(struct talk *talk, struct talk_line *line)
{
    bool had_tail = talk->has_tail;
    /* After a jump there may be none: then where none was before. */
    int64_t serial =
        talk->count == 0 ? talk->next_serial++ : talk->lines[0]->serial - 1;

    line->serial = serial;
    talk_window_insert(talk, 0, line);
    talk_window_trim(talk);
    if (had_tail && !talk->has_tail)
        stop_speaking(talk); /* its end is out of sight */
    return talk->count > 0 && talk->lines[0]->serial == serial;
}

static bool add_newer(struct talk *talk, struct talk_line *line)
{
    int64_t serial = talk->next_serial++;

    line->serial = serial;
    talk_window_insert(talk, talk->count, line);
    talk_window_trim(talk);
    return talk->lines[talk->count - 1]->serial == serial;
}

bool talk_page_add(struct talk *talk, const struct sight *sight,
                   const struct talk_from *from)
{
    struct talk_line *line;

    if (!talk->paging || is_there(talk, &from->place))
        return true;
    line = talk_line_of(sight, from);
    if (line->kind == TALK_TURN)
        count_turn(talk, line);
    return talk->paging_older ? add_older(talk, line) : add_newer(talk, line);
}

/* The window ends with the last entry that was taken. */
static bool reaches_newest(const struct talk *talk)
{
    for (size_t i = talk->count; i > 0; i--)
        if (tail_id_compare(&talk->lines[i - 1]->place, &talk->newest) >= 0)
            return true;
    return false;
}

void talk_page_end(struct talk *talk, bool no_more)
{
    if (!talk->paging)
        return;
    talk->paging = false;
    if (talk->paging_older && no_more)
        talk->has_head = true;
    if (!talk->paging_older && reaches_newest(talk))
        talk->has_tail = true;
    if (talk->count == 0 && !no_more) {
        talk->has_head = false; /* the first page behind a jump was lost */
        talk->has_tail = false;
    }
    changed(talk);
    if (talk->on_page != NULL)
        talk->on_page(talk->owner);
}

void talk_take_asked(struct talk *talk, int64_t seat, struct str text)
{
    if (talk->asked.seat != seat)
        return; /* meanwhile another's was wanted */
    buf_clear(&talk->asked.text);
    (void)buf_add_str(&talk->asked.text, text); /* larger than it may be: as none */
    talk->asked.answered = true;
    changed(talk);
}

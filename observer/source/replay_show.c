/* replay_show.c - see replay_show.h.
 *
 * An entry's place for the talk is its number among the conversation's entries, from 1.
 */
#include "observer/source/replay_show.h"

#include "observer/model/talk_take.h"
#include "observer/source/replay_file.h"

static const struct replay_talk *playing(const struct replay_show *show)
{
    return &show->play.plays[0];
}

static struct tail_id place_of(size_t nth)
{
    return (struct tail_id){.ms = nth + 1};
}

/* What is played was told to this talk when it was watched before. */
static bool is_seen(const struct replay_show *show)
{
    return playing(show)->next < show->seen;
}

static bool is_entry(enum sight_kind kind)
{
    return kind == SIGHT_STORY || kind == SIGHT_PERSONA || kind == SIGHT_TURN
           || kind == SIGHT_EVENT || kind == SIGHT_WHISPER || kind == SIGHT_UNREADABLE;
}

static void on_sight(void *owner, const struct sight *sight)
{
    struct replay_show *show = owner;
    struct talk_from from = {.at_us = playing(show)->at_us};

    if (is_seen(show))
        return;
    if (is_entry(sight->kind))
        from.place = place_of(playing(show)->next);
    if (sight->kind == SIGHT_STORY || sight->kind == SIGHT_PERSONA)
        talk_take_cast(show->talk, sight);
    if (sight->kind == SIGHT_PERSONA)
        talk_take_wish(show->talk, sight->seat, str_of(sight->message->model),
                       str_of(sight->message->endpoint),
                       replay_record_limits(show->record)->num_ctx);
    talk_take(show->talk, sight, &from);
}

static void on_said(void *owner, const struct replay_talk *talk, struct str kind,
                    struct str document, const struct message *message)
{
    struct replay_show *show = owner;

    (void)talk;
    (void)message;
    talk_state_transcript(&show->state, kind, document);
}

static void on_live(void *owner, const struct replay_talk *talk,
                    const struct talk_live *live)
{
    struct replay_show *show = owner;

    (void)talk;
    talk_state_live(&show->state, live);
}

static void on_facts(void *owner, const struct replay_talk *talk)
{
    struct replay_show *show = owner;

    talk_state_facts(&show->state, &talk->facts);
    if (!is_seen(show))
        talk_take_facts(show->talk, &talk->facts);
}

/* ---- pages ---- */

/* False: the window is full. */
static bool add_to_page(struct replay_show *show, size_t nth, struct buf *line)
{
    static const enum sight_kind kinds[MESSAGE_KIND_COUNT] = {
        [MESSAGE_STORY] = SIGHT_STORY,     [MESSAGE_PERSONA] = SIGHT_PERSONA,
        [MESSAGE_TURN] = SIGHT_TURN,       [MESSAGE_EVENT] = SIGHT_EVENT,
        [MESSAGE_WHISPER] = SIGHT_WHISPER,
    };
    const struct replay_entry *entry = &show->span.at[nth];
    const struct talk_from from = {.place = place_of(nth), .at_us = entry->at_us};
    struct message message;
    struct sight sight;
    bool more;

    /* What cannot be read was told when it was played. */
    if (!replay_record_read(show->record, entry, line, NULL)
        || !message_parse(buf_str(line), &message, NULL))
        return true;
    sight = (struct sight){.kind = kinds[message.kind],
                           .conversation = show->talk->id,
                           .turn = message.sequence_number,
                           .seat = message.seat,
                           .author = str_of(message.author),
                           .document = buf_str(line),
                           .message = &message};
    more = talk_page_add(show->talk, &sight, &from);
    message_done(&message);
    return more;
}

static void on_page(void *owner, bool older, const struct tail_id *from)
{
    struct replay_show *show = owner;
    size_t end = playing(show)->next; /* what is behind that was not said yet */
    size_t nth = (size_t)from->ms;    /* of the next newer one */
    bool more = true;
    struct buf line;
    int added = 0;

    buf_init(&line, REPLAY_LINE_MAX_BYTES);
    if (older && from->number == 0)
        nth = nth > 0 ? nth - 1 : 0; /* of `from` itself */
    while (more && added < TALK_PAGE && (older ? nth > 0 : nth < end)) {
        if (older)
            nth--;
        if (replay_entry_what(&show->span.at[nth]) == REPLAY_SAID) {
            more = add_to_page(show, nth, &line);
            added++;
        }
        if (!older)
            nth++;
    }
    buf_done(&line);
    talk_page_end(show->talk, more && (older ? nth == 0 : nth >= end));
}

/* ---- life ---- */

/* Entries that the talk was told, now or before. */
static size_t told(const struct replay_show *show)
{
    return playing(show)->next > show->seen ? playing(show)->next : show->seen;
}

static void begin(struct replay_show *show)
{
    talk_state_init(&show->state, show->talk->id, on_sight, show);
    if (show->seen == 0)
        talk_take_head(show->talk);
}

void replay_show_init(struct replay_show *show, struct replay_record *record,
                      struct talk *talk)
{
    const struct replay_hooks hooks = {
        .owner = show, .on_said = on_said, .on_live = on_live, .on_facts = on_facts};
    size_t seen = talk == show->seen_by ? show->seen : 0;
    size_t number;

    /* It was fed before, and the clock went back since. */
    if (seen == 0 && talk->newest.ms > 0)
        talk_forget(talk);
    *show = (struct replay_show){.talk = talk, .record = record, .seen = seen};
    show->known = replay_record_find(record, str_of(talk->id), &number);
    if (!show->known) {
        talk_take_absence(talk);
        return;
    }
    show->span = replay_record_span(record, number);
    show->reader = (struct talk_reader){.page = on_page, .owner = show};
    begin(show);
    replay_play_init(&show->play, record, &number, 1, &hooks);
    talk_set_reader(talk, &show->reader);
}

void replay_show_done(struct replay_show *show)
{
    struct replay_show left = {.seen_by = show->seen_by, .seen = show->seen};

    if (show->talk != NULL)
        left = (struct replay_show){.seen_by = NULL};
    if (show->known) {
        left = (struct replay_show){.seen_by = show->talk, .seen = told(show)};
        talk_set_reader(show->talk, NULL);
        talk_state_done(&show->state);
        replay_play_done(&show->play);
    }
    *show = left;
}

void replay_show_rewind(struct replay_show *show)
{
    show->seen = 0;
    if (!show->known)
        return;
    talk_forget(show->talk);
    talk_state_done(&show->state);
    begin(show);
    replay_play_rewind(&show->play);
}

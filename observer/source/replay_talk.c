/* replay_talk.c - see replay_talk.h.
 *
 * Flow: look ahead -> begin -> words... -> the turn's line -> look ahead
 *       events and calls come between, at their own times
 */
#include "observer/source/replay_talk.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "observer/source/replay_facts.h"
#include "observer/source/replay_file.h"
#include "observer/source/replay_pick.h"

enum {
    WORD_MAX_BYTES = 24, /* of scripts without blanks a piece at a time */
    AHEAD_LINES_MAX = 64 /* that are no turns */
};

/* Four months: what tells more is no time that a turn took. */
static const double spoken_max_ms = 1e10;

enum due { DUE_NOTHING, DUE_BEGIN, DUE_WORDS, DUE_ENTRY };

void replay_talk_init(struct replay_talk *play, struct replay_record *record,
                      size_t talk, const struct replay_hooks *hooks)
{
    *play = (struct replay_talk){.record = record,
                                 .id = replay_record_id(record, talk),
                                 .span = replay_record_span(record, talk),
                                 .hooks = *hooks,
                                 .ahead = {.nth = SIZE_MAX}};
    replay_facts_init(&play->facts);
    buf_init(&play->line, REPLAY_LINE_MAX_BYTES);
    buf_init(&play->ahead.line, REPLAY_LINE_MAX_BYTES);
    message_init(&play->ahead.message, MESSAGE_TURN);
}

void replay_talk_done(struct replay_talk *play)
{
    message_done(&play->ahead.message);
    buf_done(&play->ahead.line);
    buf_done(&play->line);
    free(play->failed_call);
    play->failed_call = NULL;
}

static void tell_facts(struct replay_talk *play)
{
    if (play->hooks.on_facts != NULL)
        play->hooks.on_facts(play->hooks.owner, play);
}

/* ---- the turn ahead ---- */

static void drop_ahead(struct replay_talk *play)
{
    struct replay_ahead *ahead = &play->ahead;

    message_done(&ahead->message);
    message_init(&ahead->message, MESSAGE_TURN);
    buf_clear(&ahead->line);
    ahead->nth = SIZE_MAX;
    ahead->begun = false;
    ahead->passed = false;
    ahead->told = 0;
}

static void take_times(struct replay_ahead *ahead, int64_t at_us)
{
    const struct message *message = &ahead->message;

    ahead->begin_us = -1;
    if (message->generation_time_ms < 0 || message->generation_time_ms > spoken_max_ms
        || message->failed)
        return;
    ahead->begin_us = at_us - (int64_t)(message->generation_time_ms * 1e3);
    ahead->first_us = ahead->begin_us;
    if (message->time_to_first_token_ms > 0
        && message->time_to_first_token_ms <= spoken_max_ms)
        ahead->first_us += (int64_t)(message->time_to_first_token_ms * 1e3);
    if (ahead->first_us > at_us)
        ahead->first_us = at_us;
}

static bool is_turn(struct str line, struct str *ret_kind)
{
    static const char *const keys[] = {"kind"};

    replay_pick(line, keys, ret_kind, 1);
    return str_is(*ret_kind, "turn");
}

/* True: it was a turn, of use or not. */
static bool try_ahead(struct replay_talk *play, size_t nth)
{
    struct replay_ahead *ahead = &play->ahead;
    const struct replay_entry *entry = &play->span.at[nth];
    struct message message;
    struct str kind;

    if (!replay_record_read(play->record, entry, &ahead->line, NULL))
        return false; /* told when it is played */
    if (!is_turn(buf_str(&ahead->line), &kind))
        return false;
    if (!message_parse(buf_str(&ahead->line), &message, NULL))
        return true; /* the same */
    message_done(&ahead->message);
    ahead->message = message;
    ahead->nth = nth;
    take_times(ahead, entry->at_us);
    return true;
}

static void look_ahead(struct replay_talk *play)
{
    int lines = 0;

    if (play->ahead.nth != SIZE_MAX)
        return;
    if (play->looked < play->next)
        play->looked = play->next;
    while (play->looked < play->span.count && lines < AHEAD_LINES_MAX) {
        size_t nth = play->looked++;

        if (replay_entry_what(&play->span.at[nth]) != REPLAY_SAID)
            continue;
        lines++;
        if (try_ahead(play, nth))
            return;
    }
}

/* ---- what is due ---- */

static size_t word_end(struct str text, size_t from)
{
    size_t at = from;

    while (at < text.len && at - from < WORD_MAX_BYTES) {
        bool blank = text.at[at] == ' ' || text.at[at] == '\n';

        at++;
        if (blank && at < text.len && text.at[at] != ' ' && text.at[at] != '\n')
            return at;
    }
    /* Not inside a character. */
    while (at < text.len && ((unsigned char)text.at[at] & 0xC0) == 0x80)
        at++;
    return at;
}

static int64_t word_us(const struct replay_talk *play, struct str text, size_t end)
{
    const struct replay_ahead *ahead = &play->ahead;
    int64_t span_us = play->span.at[ahead->nth].at_us - ahead->first_us;

    return ahead->first_us
           + (int64_t)((double)span_us * (double)end / (double)text.len);
}

static enum due what_is_due(struct replay_talk *play, int64_t *ret_us)
{
    const struct replay_ahead *ahead = &play->ahead;
    struct str text;

    look_ahead(play);
    *ret_us =
        play->next < play->span.count ? play->span.at[play->next].at_us : INT64_MAX;
    if (ahead->nth != SIZE_MAX && ahead->begin_us >= 0 && !ahead->begun
        && !ahead->passed && ahead->begin_us < *ret_us) {
        *ret_us = ahead->begin_us;
        return DUE_BEGIN;
    }
    text = str_of(ahead->message.text);
    if (ahead->begun && play->hooks.on_live != NULL && ahead->told < text.len) {
        int64_t at_us = word_us(play, text, word_end(text, ahead->told));

        if (at_us < *ret_us) {
            *ret_us = at_us;
            return DUE_WORDS;
        }
    }
    return *ret_us == INT64_MAX ? DUE_NOTHING : DUE_ENTRY;
}

int64_t replay_talk_due(struct replay_talk *play)
{
    int64_t at_us;

    (void)what_is_due(play, &at_us);
    return at_us;
}

/* ---- speaking ---- */

static void tell_live(struct replay_talk *play, struct talk_live live)
{
    if (play->hooks.on_live != NULL)
        play->hooks.on_live(play->hooks.owner, play, &live);
}

static struct talk_live live_of(const struct replay_talk *play, const char *kind)
{
    const struct message *message = &play->ahead.message;

    return (struct talk_live){.kind = str_of(kind),
                              .call = str_of(message->message_id),
                              .turn = message->sequence_number,
                              .seat = message->seat,
                              .author = str_of(message->author),
                              .at_us = play->ahead.begin_us};
}

static void begin(struct replay_talk *play, int64_t now_us)
{
    struct replay_ahead *ahead = &play->ahead;

    if (play->span.at[ahead->nth].at_us <= now_us) {
        ahead->passed = true;
        return;
    }
    ahead->begun = true;
    play->attempts++;
    play->calling = true;
    tell_live(play, live_of(play, "begin"));
    tell_facts(play);
}

static void say_words(struct replay_talk *play, int64_t now_us)
{
    struct str text = str_of(play->ahead.message.text);
    struct talk_live live = live_of(play, "delta");
    size_t end = play->ahead.told;

    while (end < text.len && word_us(play, text, word_end(text, end)) <= now_us)
        end = word_end(text, end);
    live.text = str_make(text.at + play->ahead.told, end - play->ahead.told);
    play->ahead.told = end;
    if (live.text.len > 0)
        tell_live(play, live);
}

/* ---- lines ---- */

static void complain(struct replay_talk *play, const struct replay_entry *entry,
                     const struct err *err)
{
    replay_record_complain(play->record, entry, err->msg);
}

static void play_turn(struct replay_talk *play, int64_t at_us)
{
    const struct message *message = &play->ahead.message;

    if (play->ahead.begun) {
        struct talk_live live = live_of(play, "end");

        live.outcome = str_of("done");
        tell_live(play, live);
    }
    play->failures += (message->issue > 1 ? message->issue - 1 : 0) + message->failed;
    play->attempts = 0;
    play->calling = false;
    replay_facts_turn(&play->facts, message, at_us);
    if (play->hooks.on_said != NULL)
        play->hooks.on_said(play->hooks.owner, play, str_of("turn"),
                            buf_str(&play->ahead.line), message);
    drop_ahead(play);
    look_ahead(play);
    replay_facts_awaited(&play->facts,
                         play->ahead.nth == SIZE_MAX ? -1 : play->ahead.message.seat);
    tell_facts(play);
}

static void play_said(struct replay_talk *play, const struct replay_entry *entry)
{
    struct err err = {0};
    struct str kind;

    if (play->next == play->ahead.nth) {
        play_turn(play, entry->at_us);
        return;
    }
    if (!replay_record_read(play->record, entry, &play->line, &err)) {
        complain(play, entry, &err);
        return;
    }
    if (is_turn(buf_str(&play->line), &kind)) {
        struct message message;

        /* Looking ahead passed over it. */
        if (message_parse(buf_str(&play->line), &message, &err))
            message_done(&message);
        complain(play, entry, &err);
        return;
    }
    if (replay_facts_begin(&play->facts, entry->at_us,
                           replay_record_limits(play->record)))
        tell_facts(play);
    if (play->hooks.on_said != NULL)
        play->hooks.on_said(play->hooks.owner, play, kind, buf_str(&play->line), NULL);
}

static void play_event(struct replay_talk *play, const struct replay_entry *entry)
{
    struct replay_event event;
    struct err err = {0};

    if (!replay_record_read(play->record, entry, &play->line, &err)
        || !replay_event_parse(buf_str(&play->line), &event, &err)) {
        complain(play, entry, &err);
        return;
    }
    event.conversation = play->id;
    if (replay_facts_event(&play->facts, &event, replay_record_limits(play->record))) {
        look_ahead(play);
        if (play->ahead.nth != SIZE_MAX && play->facts.seat < 0)
            play->facts.seat = play->ahead.message.seat;
        tell_facts(play);
    }
    if (play->hooks.on_event != NULL)
        play->hooks.on_event(play->hooks.owner, &event);
    replay_event_done(&event);
}

static void call_begun(struct replay_talk *play, const struct replay_call *call)
{
    const struct message *ahead = &play->ahead.message;
    bool known = play->ahead.nth != SIZE_MAX && ahead->seat == call->seat;
    struct talk_live live = {.kind = str_of("begin"),
                             .call = call->call,
                             .turn = call->turn,
                             .seat = call->seat,
                             .author = str_of(known ? ahead->author : NULL),
                             .at_us = call->started_us};

    free(play->failed_call);
    play->failed_call = x_memdup(call->call.at, call->call.len);
    play->attempts++;
    play->calling = true;
    tell_live(play, live);
    tell_facts(play);
}

static void call_over(struct replay_talk *play, const struct replay_call *call)
{
    struct talk_live live = {.kind = str_of("withdrawn"),
                             .call = call->call,
                             .turn = call->turn,
                             .seat = call->seat,
                             .outcome = call->outcome,
                             .at_us = call->ended_us};

    if (play->hooks.on_call != NULL)
        play->hooks.on_call(play->hooks.owner, call);
    if (play->failed_call == NULL || !str_is(call->call, play->failed_call))
        return;
    free(play->failed_call);
    play->failed_call = NULL;
    play->calling = false;
    tell_live(play, live);
    live.kind = str_of("end");
    tell_live(play, live);
    tell_facts(play);
}

static void play_call(struct replay_talk *play, const struct replay_entry *entry)
{
    bool begun = replay_entry_what(entry) == REPLAY_BEGUN;
    struct replay_call call;
    struct err err = {0};

    /* Most calls end well, and then their turn has told all that is shown of them. */
    if (!begun && play->hooks.on_call == NULL && play->failed_call == NULL)
        return;
    if (!replay_record_read(play->record, entry, &play->line, &err)
        || !replay_call_parse(buf_str(&play->line), &call, &err)) {
        complain(play, entry, &err);
        return;
    }
    call.conversation = play->id;
    if (!begun)
        call_over(play, &call);
    else if (call.turn > 0 && call.seat > 0)
        call_begun(play, &call);
    replay_call_done(&call);
}

static void play_entry(struct replay_talk *play)
{
    const struct replay_entry *entry = &play->span.at[play->next];

    switch (replay_entry_what(entry)) {
    case REPLAY_SAID:
        play_said(play, entry);
        break;
    case REPLAY_EVENT:
        play_event(play, entry);
        break;
    case REPLAY_OVER:
    case REPLAY_BEGUN:
        play_call(play, entry);
        break;
    case REPLAY_WHAT_COUNT:
        break;
    }
    play->next++;
}

bool replay_talk_step(struct replay_talk *play, int64_t now_us)
{
    int64_t at_us;
    enum due due = what_is_due(play, &at_us);

    if (due == DUE_NOTHING || at_us > now_us)
        return false;
    play->at_us = due == DUE_WORDS ? now_us : at_us;
    if (due == DUE_BEGIN)
        begin(play, now_us);
    else if (due == DUE_WORDS)
        say_words(play, now_us);
    else
        play_entry(play);
    return true;
}

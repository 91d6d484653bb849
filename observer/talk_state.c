/* talk_state.c - see talk_state.h.
 *
 * Flow: facts (preparing) -> story, personas -> begin, delta..., end -> turn -> ...
 *       -> facts (ended). A turn may also come without its live part, and a begin may
 *       come again for the same turn with another call.
 */
#include "talk_state.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/message.h"

enum { WAIT_SHOW_EACH_US = 60000000, WAIT_OLD_US = 25000000 };

void talk_state_init(struct talk_state *talk, const char *id,
                     void (*on_sight)(void *owner, const struct sight *sight),
                     void *owner)
{
    *talk = (struct talk_state){.on_sight = on_sight, .owner = owner, .live_turn = -1};
    fmt_into(talk->id, sizeof talk->id, "%s", id);
}

void talk_state_done(struct talk_state *talk)
{
    for (size_t i = 0; i < talk->name_count; i++)
        free(talk->names[i]);
    free(talk->names);
    free(talk->live_call);
    talk->names = NULL;
    talk->name_count = 0;
    talk->live_call = NULL;
}

static struct sight sight_of(const struct talk_state *talk, enum sight_kind kind)
{
    return (struct sight){
        .kind = kind, .conversation = talk->id, .turn = -1, .seat = -1};
}

static void show(const struct talk_state *talk, const struct sight *sight)
{
    talk->on_sight(talk->owner, sight);
}

static void forget_live(struct talk_state *talk)
{
    free(talk->live_call);
    talk->live_call = NULL;
    talk->live_turn = -1;
}

/* ---- the transcript ---- */

static void learn_name(struct talk_state *talk, int64_t seat, const char *name)
{
    size_t index = (size_t)(seat - 1);

    if (seat < 1 || seat > SEATS_MAX || name == NULL)
        return;
    if (index >= talk->name_count) {
        talk->names = x_realloc(talk->names, (index + 1) * sizeof *talk->names);
        while (talk->name_count <= index)
            talk->names[talk->name_count++] = NULL;
    }
    free(talk->names[index]);
    talk->names[index] = x_strdup(name);
}

static void show_document(struct talk_state *talk, const struct message *message,
                          struct str document)
{
    static const enum sight_kind kinds[MESSAGE_KIND_COUNT] = {
        [MESSAGE_STORY] = SIGHT_STORY,     [MESSAGE_PERSONA] = SIGHT_PERSONA,
        [MESSAGE_TURN] = SIGHT_TURN,       [MESSAGE_EVENT] = SIGHT_EVENT,
        [MESSAGE_WHISPER] = SIGHT_WHISPER,
    };
    struct sight sight = sight_of(talk, kinds[message->kind]);

    sight.turn = message->sequence_number;
    sight.seat = message->seat;
    sight.author = str_of(message->author);
    sight.message = message;
    sight.document = document;
    show(talk, &sight);
}

static void take_turn(struct talk_state *talk, const struct message *message,
                      struct str document)
{
    int64_t turn = message->sequence_number;

    if (turn <= talk->last_turn)
        talk_state_rewound(talk, turn - 1);
    talk->last_turn = turn;
    show_document(talk, message, document);
    forget_live(talk);
}

static bool is_known(struct str kind)
{
    for (int i = 0; i < MESSAGE_KIND_COUNT; i++)
        if (str_is(kind, message_kind_name((enum message_kind)i)))
            return true;
    return false;
}

void talk_state_transcript(struct talk_state *talk, struct str kind,
                           struct str document)
{
    struct err err = {0};
    struct message message;

    if (!is_known(kind))
        return;
    if (!message_parse(document, &message, &err)) {
        struct sight sight = sight_of(talk, SIGHT_UNREADABLE);

        sight.text = str_of(err.msg);
        show(talk, &sight);
        return;
    }
    if (message.kind == MESSAGE_TURN) {
        take_turn(talk, &message, document);
    } else {
        if (message.kind == MESSAGE_PERSONA)
            learn_name(talk, message.seat, message.persona.name);
        show_document(talk, &message, document);
    }
    message_done(&message);
}

void talk_state_rewound(struct talk_state *talk, int64_t last_turn)
{
    struct sight sight = sight_of(talk, SIGHT_REWOUND);

    forget_live(talk);
    talk->last_turn = last_turn;
    sight.turn = last_turn;
    show(talk, &sight);
}

/* ---- the turn being spoken ---- */

static void show_live(struct talk_state *talk, enum sight_kind kind, struct str text)
{
    struct sight sight = sight_of(talk, kind);

    sight.turn = talk->live_turn;
    sight.seat = talk->live_seat;
    sight.call = str_of(talk->live_call);
    sight.text = text;
    show(talk, &sight);
}

static void begin_live(struct talk_state *talk, const struct talk_live *live)
{
    struct sight sight = sight_of(talk, SIGHT_BEGIN);
    char name[TALK_NAME_SIZE];

    if (talk->live_call != NULL) {
        if (str_is(live->call, talk->live_call))
            return;
        show_live(talk, SIGHT_WITHDRAWN, str_of("asked again"));
        forget_live(talk);
    }
    talk->live_turn = live->turn;
    talk->live_seat = live->seat;
    talk->live_call = x_memdup(live->call.at, live->call.len);
    talk_state_speaker(talk, live->seat, name);
    sight.turn = live->turn;
    sight.seat = live->seat;
    sight.call = live->call;
    sight.author = str_of(name);
    if ((size_t)live->seat > talk->name_count && live->author.len > 0)
        sight.author = live->author;
    show(talk, &sight);
}

/* Told every ten seconds, shown once a minute; the status shows it all the time. */
static void wait_live(struct talk_state *talk, const struct talk_live *live)
{
    struct sight sight = sight_of(talk, SIGHT_WAITING);
    char name[TALK_NAME_SIZE];
    size_t len = live->servers.len;
    bool same;

    if (len >= sizeof talk->wait_servers)
        len = sizeof talk->wait_servers - 1;
    memcpy(talk->wait_servers, len == 0 ? "" : live->servers.at, len);
    talk->wait_servers[len] = '\0';
    same = talk->wait_seat == live->seat;
    talk->wait_at_us = live->at_us;
    talk->wait_seat = live->seat;
    if (talk->wait_turn == live->turn && same
        && live->at_us - talk->wait_shown_us < WAIT_SHOW_EACH_US)
        return;
    talk->wait_turn = live->turn;
    talk->wait_shown_us = live->at_us;
    fmt_into(name, sizeof name, "The story");
    if (live->seat > 0)
        talk_state_speaker(talk, live->seat, name);
    sight.turn = live->turn;
    sight.seat = live->seat;
    sight.author = str_of(name);
    sight.servers = live->servers;
    sight.text = live->reason;
    show(talk, &sight);
}

void talk_state_live(struct talk_state *talk, const struct talk_live *live)
{
    if (str_is(live->kind, "waiting")) {
        if (live->turn == talk->last_turn + 1 && live->seat >= 0)
            wait_live(talk, live);
        return;
    }
    if (str_is(live->kind, "begin")) {
        if (live->turn == talk->last_turn + 1 && live->call.len > 0 && live->seat > 0)
            begin_live(talk, live);
        return;
    }
    if (talk->live_call == NULL || !str_is(live->call, talk->live_call))
        return;
    if (str_is(live->kind, "delta")) {
        show_live(talk, SIGHT_DELTA, live->text);
    } else if (str_is(live->kind, "withdrawn")) {
        show_live(talk, SIGHT_WITHDRAWN, str_of("asked again"));
        forget_live(talk);
    } else if (str_is(live->kind, "end")) {
        show_live(talk, SIGHT_END, live->outcome);
        if (!str_is(live->outcome, "done"))
            forget_live(talk);
    }
}

void talk_state_mute(struct talk_state *talk)
{
    forget_live(talk);
}

/* ---- the hash ---- */

void talk_state_facts(struct talk_state *talk, const struct talk_facts *facts)
{
    bool same = strcmp(facts->state, talk->facts.state) == 0
                && strcmp(facts->reason, talk->facts.reason) == 0;
    struct sight sight = sight_of(talk, SIGHT_STATE);

    talk->facts = *facts;
    if (same)
        return;
    sight.facts = &talk->facts;
    show(talk, &sight);
}

bool talk_state_ended(const struct talk_state *talk)
{
    return strcmp(talk->facts.state, "ended") == 0;
}

/* ---- for people ---- */

void talk_state_speaker(const struct talk_state *talk, int64_t seat, char *ret)
{
    if (seat >= 1 && (size_t)seat <= talk->name_count && talk->names[seat - 1] != NULL)
        (void)snprintf(ret, TALK_NAME_SIZE, "%s", talk->names[seat - 1]);
    else
        (void)snprintf(ret, TALK_NAME_SIZE, "seat %lld", (long long)seat);
}

bool talk_state_clock(int64_t ms, struct buf *into)
{
    int64_t seconds = ms < 0 ? 0 : ms / 1000;
    int hours = (int)(seconds / 3600);

    if (hours > 0 && !buf_printf(into, "%d:", hours))
        return false;
    return buf_printf(into, hours > 0 ? "%02d:%02d" : "%d:%02d",
                      (int)(seconds / 60 % 60), (int)(seconds % 60));
}

static void add_waited(int64_t since_us, int64_t now_us, struct buf *into)
{
    int64_t tenths = (now_us - since_us) / 100000;

    if (since_us >= 0 && tenths >= 0)
        (void)buf_printf(into, " %lld.%lld s", (long long)(tenths / 10),
                         (long long)(tenths % 10));
}

static bool waits(const struct talk_state *talk, int64_t now_us)
{
    bool preparing = strcmp(talk->facts.state, "preparing") == 0;

    return talk->wait_turn > 0 && talk->wait_turn == talk->facts.next
           && preparing == (talk->wait_seat == 0)
           && now_us - talk->wait_at_us < WAIT_OLD_US;
}

static void add_servers(const struct talk_state *talk, struct buf *into)
{
    (void)buf_add_text(into, " waits for a model server (down: ");
    (void)utf8_harmless(str_of(talk->wait_servers), false, into);
    (void)buf_add_text(into, ")...");
}

static void add_doing(const struct talk_state *talk, int64_t now_us, struct buf *into)
{
    const struct talk_facts *facts = &talk->facts;
    char name[TALK_NAME_SIZE];

    if (strcmp(facts->state, "preparing") == 0) {
        (void)buf_add_text(into, "the story");
        if (waits(talk, now_us))
            add_servers(talk, into);
        else
            (void)buf_add_text(into, " is being written...");
        add_waited(facts->created_at_us, now_us, into);
        return;
    }
    if (strcmp(facts->phase, "idle") == 0) {
        (void)buf_add_text(into, facts->state);
        return;
    }
    talk_state_speaker(talk, facts->seat, name);
    (void)utf8_harmless(str_of(name), false, into);
    if (waits(talk, now_us)) {
        add_servers(talk, into);
    } else {
        (void)buf_add_text(into, " is thinking...");
    }
    add_waited(facts->asked_at_us, now_us, into);
}

void talk_state_status(const struct talk_state *talk, int64_t now_us, struct buf *into)
{
    const struct talk_facts *facts = &talk->facts;
    int64_t left_ms = facts->left_ms;

    if (facts->state[0] == '\0' || talk_state_ended(talk))
        return;
    add_doing(talk, now_us, into);
    if (facts->started_at_us >= 0) {
        (void)buf_printf(into, "   turn %lld", (long long)facts->next);
        if (facts->max_turns >= 0)
            (void)buf_printf(into, " of %lld", (long long)facts->max_turns);
    }
    if (facts->deadline_us >= 0)
        left_ms = (facts->deadline_us - now_us) / 1000;
    if (left_ms >= 0) {
        (void)buf_add_text(into, "   ");
        (void)talk_state_clock(left_ms, into);
        (void)buf_add_text(into, " left");
    }
}

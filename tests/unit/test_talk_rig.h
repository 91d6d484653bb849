/* test_talk_rig.h - a talk that is fed as a source feeds it: messages as JSON through
 * talk_state, facts, live words.
 */
#ifndef PARLEY_TEST_TALK_RIG_H
#define PARLEY_TEST_TALK_RIG_H

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "observer/model/talk_take.h"
#include "observer/talk_state.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define RIG_ID "k3v9q2m4x7ab"

struct rig {
    struct talk *talk;
    struct talk_state state;
    uint64_t entry; /* of the entry that came last: {entry, 0} */
    bool page;      /* sights go into a page */
    bool full;      /* the page took no more */
    int asked;      /* pages that were asked for, */
    bool older;     /* the last one: this way, */
    uint64_t from;  /* from here */
    int64_t seat;   /* whose request was asked for */
    int changes;
};

static void rig_on_sight(void *owner, const struct sight *sight)
{
    struct rig *rig = owner;
    struct talk_from from = {{rig->entry, 0}, (int64_t)rig->entry * 1000};

    if (rig->page)
        rig->full = !talk_page_add(rig->talk, sight, &from);
    else
        talk_take(rig->talk, sight, &from);
}

static void rig_on_page(void *owner, bool older, const struct tail_id *from)
{
    struct rig *rig = owner;

    rig->asked++;
    rig->older = older;
    rig->from = from->ms;
}

static void rig_on_asked(void *owner, int64_t seat)
{
    struct rig *rig = owner;

    rig->seat = seat;
}

static void rig_on_changed(void *owner)
{
    struct rig *rig = owner;

    rig->changes++;
}

static struct talk_reader rig_reader;

static void rig_open(struct rig *rig)
{
    *rig = (struct rig){0};
    rig->talk = talk_new(RIG_ID, rig_on_changed, rig);
    talk_state_init(&rig->state, RIG_ID, rig_on_sight, rig);
    rig_reader = (struct talk_reader){rig_on_page, rig_on_asked, rig};
    talk_set_reader(rig->talk, &rig_reader);
}

static void rig_close(struct rig *rig)
{
    talk_state_done(&rig->state);
    talk_free(rig->talk);
}

static void rig_message(struct message *message, enum message_kind kind, int seat)
{
    static const char *const names[] = {"", "Ada Quill", "Bo", "Cy"};

    message_init(message, kind);
    message->message_id = x_strdup(RIG_ID ":1");
    message->conversation_id = x_strdup(RIG_ID);
    message->queue_timestamp_us = 1769855400000000;
    message->seat = seat;
    if (seat > 0 && seat < (int)(sizeof(names) / sizeof(names[0])))
        message->author = x_strdup(names[seat]);
}

/* Through the transcript, as the entry after the last one; takes what it holds. */
static void rig_give(struct rig *rig, struct message *message)
{
    struct buf json;

    buf_init(&json, MESSAGE_MAX_BYTES);
    assert_true(message_format(message, &json));
    rig->entry++;
    talk_state_transcript(&rig->state, str_of(message_kind_name(message->kind)),
                          buf_str(&json));
    buf_done(&json);
    message_done(message);
}

/* A turn of seat 1 (odd) or 2 (even), 10 tokens in 100 ms, first token after `turn`. */
static void rig_turn(struct rig *rig, int turn, const char *text)
{
    struct message message;

    rig_message(&message, MESSAGE_TURN, turn % 2 == 1 ? 1 : 2);
    message.sequence_number = turn;
    message.text = x_strdup(text);
    message.tokens_generated = 10;
    message.prompt_tokens = 100 + turn;
    message.time_to_first_token_ms = turn;
    message.model = x_strdup("tiny");
    message.endpoint = x_strdup("local");
    rig_give(rig, &message);
}

static void rig_live(struct rig *rig, const char *kind, int turn, const char *text)
{
    const struct talk_live live = {.kind = str_of(kind),
                                   .call = str_of("c1"),
                                   .turn = turn,
                                   .seat = turn % 2 == 1 ? 1 : 2,
                                   .author = str_of("Ada Quill"),
                                   .text = str_of(text),
                                   .outcome = str_of(text),
                                   .servers = str_of(text),
                                   .reason = str_of("refused")};

    talk_state_live(&rig->state, &live);
}

static void rig_facts(struct rig *rig, const char *state, const char *reason)
{
    struct talk_facts facts = {.next = 1, .seat = 1, .turns = 0, .max_turns = -1};

    fmt_into(facts.state, sizeof facts.state, "%s", state);
    fmt_into(facts.reason, sizeof facts.reason, "%s", reason);
    talk_state_facts(&rig->state, &facts);
    talk_take_facts(rig->talk, &facts);
}

#endif

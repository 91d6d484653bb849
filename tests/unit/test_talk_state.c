/* test_talk_state.c - what an observer shows of entries that come twice, late, from
 * another call or not at all. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/alloc.h"
#include "base/utf8.h"
#include "observer/talk_state.h"
#include "proto/message.h"

static const char id[] = "k3v9q2m4x7ab";

/* Sights as one text: "begin 1 Ada;delta Hello;...". */
struct record {
    struct talk_state talk;
    struct buf seen;
};

static void on_sight(void *owner, const struct sight *sight)
{
    struct record *record = owner;
    struct buf *seen = &record->seen;

    assert_string_equal(sight->conversation, id);
    (void)buf_add_text(seen, sight_kind_name(sight->kind));
    if (sight->turn >= 0)
        (void)buf_printf(seen, " %d", (int)sight->turn);
    if (sight->author.len > 0)
        (void)buf_printf(seen, " %.*s", (int)sight->author.len, sight->author.at);
    if (sight->text.len > 0 && sight->kind != SIGHT_UNREADABLE)
        (void)buf_printf(seen, " %.*s", (int)sight->text.len, sight->text.at);
    if (sight->servers.len > 0)
        (void)buf_printf(seen, " %.*s", (int)sight->servers.len, sight->servers.at);
    if (sight->facts != NULL)
        (void)buf_printf(seen, " %s", sight->facts->state);
    (void)buf_add_char(seen, ';');
}

static int set_up(void **state)
{
    static struct record record;

    buf_init(&record.seen, 1 << 20);
    talk_state_init(&record.talk, id, on_sight, &record);
    *state = &record;
    return 0;
}

static int tear_down(void **state)
{
    struct record *record = *state;

    talk_state_done(&record->talk);
    buf_done(&record->seen);
    return 0;
}

static void see(struct record *record, const char *wanted)
{
    assert_string_equal(buf_text(&record->seen), wanted);
    buf_clear(&record->seen);
}

static void transcript(struct record *record, const struct message *message)
{
    struct buf json;

    buf_init(&json, MESSAGE_MAX_BYTES);
    assert_true(message_format(message, &json));
    talk_state_transcript(&record->talk, str_of(message_kind_name(message->kind)),
                          buf_str(&json));
    buf_done(&json);
}

static void say(struct record *record, int turn, const char *text)
{
    struct message message;

    message_init(&message, MESSAGE_TURN);
    message.message_id = x_strdup("k3v9q2m4x7ab:1");
    message.role = x_strdup("assistant");
    message.author = x_strdup("Ada");
    message.conversation_id = x_strdup(id);
    message.sequence_number = turn;
    message.seat = 1;
    message.text = x_strdup(text);
    transcript(record, &message);
    message_done(&message);
}

static void introduce(struct record *record, int seat, const char *name)
{
    struct message message;

    message_init(&message, MESSAGE_PERSONA);
    message.message_id = x_strdup("k3v9q2m4x7ab:persona:1");
    message.role = x_strdup("system");
    message.author = x_strdup(name);
    message.conversation_id = x_strdup(id);
    message.seat = seat;
    message.persona.name = x_strdup(name);
    message.persona.role = x_strdup("keeper");
    message.persona.goal = x_strdup("light");
    message.persona.style = x_strdup("dry");
    transcript(record, &message);
    message_done(&message);
}

static void live(struct record *record, const char *kind, const char *call, int turn,
                 const char *text)
{
    talk_state_live(&record->talk, &(struct talk_live){.kind = str_of(kind),
                                                       .call = str_of(call),
                                                       .turn = turn,
                                                       .seat = 1,
                                                       .author = str_of("Ada"),
                                                       .text = str_of(text),
                                                       .outcome = str_of(text)});
}

static void a_turn_is_shown_as_it_is_spoken_then_committed(void **state)
{
    struct record *record = *state;

    live(record, "begin", "c1", 1, "");
    live(record, "delta", "c1", 1, "Hello");
    live(record, "end", "c1", 1, "done");
    say(record, 1, "Hello");
    see(record, "begin 1 Ada;delta 1 Hello;end 1 done;turn 1 Ada;");
}

static void another_call_for_the_turn_takes_the_first_one_back(void **state)
{
    struct record *record = *state;

    live(record, "begin", "c1", 1, "");
    live(record, "delta", "c1", 1, "Hel");
    live(record, "begin", "c2", 1, "");
    live(record, "delta", "c1", 1, "late words of the first call");
    live(record, "end", "c1", 1, "done");
    live(record, "delta", "c2", 1, "Good day");
    see(record, "begin 1 Ada;delta 1 Hel;withdrawn 1 asked again;begin 1 Ada;delta 1 "
                "Good day;");
}

static void a_begin_read_twice_is_shown_once(void **state)
{
    struct record *record = *state;

    live(record, "begin", "c1", 1, "");
    live(record, "begin", "c1", 1, "");
    see(record, "begin 1 Ada;");
}

static void what_was_withdrawn_is_told_once_and_its_rest_not_shown(void **state)
{
    struct record *record = *state;

    live(record, "begin", "c1", 1, "");
    live(record, "withdrawn", "c1", 1, "");
    live(record, "withdrawn", "c1", 1, "");
    live(record, "delta", "c1", 1, "late");
    live(record, "begin", "c2", 1, "");
    see(record, "begin 1 Ada;withdrawn 1 asked again;begin 1 Ada;");
}

static void only_the_turn_that_comes_next_is_heard(void **state)
{
    struct record *record = *state;

    say(record, 1, "Hello");
    see(record, "turn 1 Ada;");
    live(record, "begin", "c1", 1, "");
    live(record, "delta", "c1", 1, "of a turn that is committed");
    live(record, "begin", "c3", 3, "");
    live(record, "delta", "c0", 2, "nobody began this");
    live(record, "begin", "", 2, "");
    live(record, "surprise", "c1", 2, "");
    see(record, "");
    live(record, "begin", "c2", 2, "");
    see(record, "begin 2 Ada;");
}

static void a_failed_call_is_over(void **state)
{
    struct record *record = *state;

    live(record, "begin", "c1", 1, "");
    live(record, "end", "c1", 1, "failed");
    live(record, "delta", "c1", 1, "late");
    see(record, "begin 1 Ada;end 1 failed;");
}

static void a_persona_s_name_goes_before_the_live_entry_s(void **state)
{
    struct record *record = *state;
    char name[TALK_NAME_SIZE];

    introduce(record, 1, "Ada Quill");
    live(record, "begin", "c1", 1, "");
    see(record, "persona Ada Quill;begin 1 Ada Quill;");
    talk_state_speaker(&record->talk, 2, name);
    assert_string_equal(name, "seat 2");
}

static void history_that_went_back_is_told_and_followed(void **state)
{
    struct record *record = *state;

    say(record, 1, "one");
    say(record, 2, "two");
    say(record, 3, "three");
    see(record, "turn 1 Ada;turn 2 Ada;turn 3 Ada;");
    say(record, 2, "another two");
    see(record, "rewound 1;turn 2 Ada;");
    talk_state_rewound(&record->talk, 1);
    live(record, "begin", "c9", 2, "");
    see(record, "rewound 1;begin 2 Ada;");
}

static void foreign_kinds_are_passed_over_and_broken_messages_told(void **state)
{
    struct record *record = *state;

    talk_state_transcript(&record->talk, str_of("rumour"), str_of("{}"));
    see(record, "");
    talk_state_transcript(&record->talk, str_of("turn"), str_of("{\"kind\":"));
    talk_state_transcript(&record->talk, str_of("turn"), str_of(""));
    see(record, "unreadable;unreadable;");
}

static void a_state_is_told_when_it_changes(void **state)
{
    struct record *record = *state;
    struct talk_facts facts = {.state = "running", .next = 1};

    talk_state_facts(&record->talk, &facts);
    facts.next = 2;
    talk_state_facts(&record->talk, &facts);
    memcpy(facts.state, "ended", sizeof "ended");
    talk_state_facts(&record->talk, &facts);
    see(record, "state running;state ended;");
    assert_true(talk_state_ended(&record->talk));
}

static void status(struct record *record, const struct talk_facts *facts,
                   const char *wanted)
{
    struct buf text;

    buf_init(&text, 4096);
    talk_state_facts(&record->talk, facts);
    talk_state_status(&record->talk, 10000000, &text);
    assert_string_equal(buf_text(&text), wanted);
    buf_done(&text);
}

static void the_status_says_who_thinks_and_what_is_left(void **state)
{
    struct record *record = *state;
    struct talk_facts facts = {.state = "running",
                               .phase = "asked",
                               .next = 5,
                               .seat = 1,
                               .max_turns = 12,
                               .asked_at_us = 6800000,
                               .started_at_us = 1,
                               .deadline_us = 171900000,
                               .left_ms = -1,
                               .created_at_us = 7000000};

    introduce(record, 1, "Ada\033 Quill");
    status(record, &facts,
           "Ada<U+001B> Quill is thinking... 3.2 s   turn 5 of 12   2:41 left");
    facts.max_turns = -1;
    facts.deadline_us = -1;
    status(record, &facts, "Ada<U+001B> Quill is thinking... 3.2 s   turn 5");
    facts.left_ms = 3723000;
    memcpy(facts.phase, "idle", sizeof "idle");
    memcpy(facts.state, "paused", sizeof "paused");
    status(record, &facts, "paused   turn 5   1:02:03 left");
    facts.started_at_us = -1;
    facts.left_ms = -1;
    memcpy(facts.state, "preparing", sizeof "preparing");
    status(record, &facts, "the story is being written... 3.0 s");
    memcpy(facts.state, "ended", sizeof "ended");
    status(record, &facts, "");
}

static void waiting(struct record *record, int turn, int64_t at_us)
{
    talk_state_live(&record->talk,
                    &(struct talk_live){.kind = str_of("waiting"),
                                        .turn = turn,
                                        .seat = 1,
                                        .servers = str_of("local\033, b"),
                                        .reason = str_of("refused"),
                                        .at_us = at_us});
}

static void story_waits(struct record *record, int64_t at_us)
{
    talk_state_live(&record->talk,
                    &(struct talk_live){.kind = str_of("waiting"),
                                        .turn = 1,
                                        .servers = str_of("local\033, b"),
                                        .reason = str_of("refused"),
                                        .at_us = at_us});
}

static void a_story_that_waits_for_servers_is_shown_and_then_its_first_turn(
    void **state)
{
    struct record *record = *state;

    story_waits(record, 0);
    story_waits(record, 10000000);
    see(record, "waiting 1 The story refused local\033, b;");
    introduce(record, 1, "Ada");
    waiting(record, 1, 20000000);
    see(record, "persona Ada;waiting 1 Ada refused local\033, b;");
}

static void a_wait_for_servers_is_shown_once_a_minute(void **state)
{
    struct record *record = *state;

    introduce(record, 1, "Ada");
    see(record, "persona Ada;");
    for (int s = 0; s <= 120; s += 10)
        waiting(record, 1, s * INT64_C(1000000));
    see(record, "waiting 1 Ada refused local\033, b;waiting 1 Ada refused local\033, b;"
                "waiting 1 Ada refused local\033, b;");
    waiting(record, 2, 130000000); /* not the turn that comes next */
    see(record, "");
    say(record, 1, "There.");
    waiting(record, 1, 131000000);
    see(record, "turn 1 Ada;");
    waiting(record, 2, 131000000);
    see(record, "waiting 2 Ada refused local\033, b;");
}

static void the_status_says_who_waits_for_which_servers_while_it_is_so(void **state)
{
    struct record *record = *state;
    struct talk_facts facts = {.state = "running",
                               .phase = "asked",
                               .next = 1,
                               .seat = 1,
                               .max_turns = -1,
                               .asked_at_us = 6800000,
                               .started_at_us = -1,
                               .deadline_us = -1,
                               .left_ms = -1};

    waiting(record, 1, 9000000);
    status(record, &facts,
           "seat 1 waits for a model server (down: local<U+001B>, b)... 3.2 s");
    fmt_into(facts.state, sizeof facts.state,
             "preparing"); /* nobody speaks yet: that was not the story's */
    facts.created_at_us = 8000000;
    status(record, &facts, "the story is being written... 2.0 s");
    story_waits(record, 9000000);
    status(record, &facts,
           "the story waits for a model server (down: local<U+001B>, b)... 2.0 s");
    fmt_into(facts.state, sizeof facts.state, "running");
    status(record, &facts, "seat 1 is thinking... 3.2 s");
    waiting(record, 1, -16000000); /* long ago: no longer told */
    status(record, &facts, "seat 1 is thinking... 3.2 s");
    waiting(record, 1, 9000000);
    facts.next = 2; /* that was another turn */
    status(record, &facts, "seat 1 is thinking... 3.2 s");
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        CASE(a_turn_is_shown_as_it_is_spoken_then_committed),
        CASE(another_call_for_the_turn_takes_the_first_one_back),
        CASE(a_begin_read_twice_is_shown_once),
        CASE(what_was_withdrawn_is_told_once_and_its_rest_not_shown),
        CASE(only_the_turn_that_comes_next_is_heard),
        CASE(a_failed_call_is_over),
        CASE(a_persona_s_name_goes_before_the_live_entry_s),
        CASE(history_that_went_back_is_told_and_followed),
        CASE(foreign_kinds_are_passed_over_and_broken_messages_told),
        CASE(a_state_is_told_when_it_changes),
        CASE(the_status_says_who_thinks_and_what_is_left),
        CASE(a_story_that_waits_for_servers_is_shown_and_then_its_first_turn),
        CASE(a_wait_for_servers_is_shown_once_a_minute),
        CASE(the_status_says_who_waits_for_which_servers_while_it_is_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_plain.c - sights drawn as text and as JSON lines, and that nothing harmful gets
 * through to a terminal. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/utf8.h"
#include "observer/plain.h"
#include "observer/view_json.h"
#include "proto/message.h"
#include "proto/schema.h"

static const char id[] = "k3v9q2m4x7ab";
static const struct plain_look terminal = {.width = 40};
static const struct plain_look colours = {.width = 40, .colour = true, .motion = true};
static const struct plain_look pipe_look = {.width = 0};

struct screen {
    struct plain *plain;
    struct buf out;
};

static struct screen screen_of(const struct plain_look *look)
{
    struct screen screen = {.plain = plain_new(look)};

    buf_init(&screen.out, 1 << 20);
    return screen;
}

static void screen_done(struct screen *screen)
{
    plain_free(screen->plain);
    buf_done(&screen->out);
}

static void expect(struct screen *screen, const char *wanted)
{
    assert_string_equal(buf_text(&screen->out), wanted);
    buf_clear(&screen->out);
}

static struct sight sight_at(enum sight_kind kind)
{
    return (struct sight){.kind = kind,
                          .conversation = id,
                          .turn = 1,
                          .seat = 1,
                          .author = str_of("Ada Quill"),
                          .call = str_of("c1")};
}

static void show(struct screen *screen, enum sight_kind kind, const char *text)
{
    struct sight sight = sight_at(kind);

    sight.text = str_of(text);
    plain_show(screen->plain, &sight, &screen->out);
}

static void commit(struct screen *screen, const char *text)
{
    struct sight sight = sight_at(SIGHT_TURN);
    struct message message;
    char *copy = strdup(text);

    message_init(&message, MESSAGE_TURN);
    message.text = copy;
    sight.message = &message;
    plain_show(screen->plain, &sight, &screen->out);
    free(copy);
}

static void state_is(struct screen *screen, const char *state, const char *reason)
{
    struct sight sight = sight_at(SIGHT_STATE);
    struct talk_facts facts = {
        .turns = 12, .tokens = 512, .started_at_us = 1000000, .ended_at_us = 186000000};

    fmt_into(facts.state, sizeof facts.state, "%s", state);
    fmt_into(facts.reason, sizeof facts.reason, "%s", reason);
    sight.facts = &facts;
    plain_show(screen->plain, &sight, &screen->out);
}

static void words_flow_with_a_hanging_indent(void **state)
{
    struct screen screen = screen_of(&terminal);

    (void)state;
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "The lamp is lit and the fog ");
    expect(&screen, "Ada Quill  The lamp is lit and the fog");
    show(&screen, SIGHT_DELTA, "comes in");
    show(&screen, SIGHT_END, "done");
    expect(&screen, "\n           comes");
    commit(&screen, "The lamp is lit and the fog comes in");
    expect(&screen, " in\n");
    screen_done(&screen);
}

static void what_the_live_view_lacked_is_added(void **state)
{
    struct screen screen = screen_of(&terminal);

    (void)state;
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, " \n Good  mor");
    commit(&screen, "Good morning, Bo.");
    expect(&screen, "Ada Quill  Good morning, Bo.\n");
    screen_done(&screen);
}

static void a_committed_text_that_differs_is_shown_as_the_correction(void **state)
{
    struct screen screen = screen_of(&terminal);

    (void)state;
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "Ada: Good day. User: ");
    commit(&screen, "Good day.");
    expect(&screen, "Ada Quill  Ada: Good day. User:\n"
                    "   (corrected: this is what was said)\n"
                    "\n"
                    "Ada Quill  Good day.\n");
    screen_done(&screen);
}

static void a_fallback_reply_is_marked_for_no_model_said_it(void **state)
{
    struct screen screen = screen_of(&pipe_look);
    struct sight sight = sight_at(SIGHT_TURN);
    struct message message;
    char text[] = "Give me a moment.";

    (void)state;
    message_init(&message, MESSAGE_TURN);
    message.text = text;
    message.fallback = true;
    sight.message = &message;
    plain_show(screen.plain, &sight, &screen.out);
    expect(&screen, "Ada Quill: (no model answered) Give me a moment.\n");
    screen_done(&screen);
}

static void what_is_shown_is_compared_by_words(void **state)
{
    static const struct {
        const char *said;
        const char *whole;
        bool same;
    } rows[] = {
        {"", "a b", true},     {"a b", "a b", true},    {"a  b", "a\nb", true},
        {"a b ", "a b", true}, {"a", "ab", true},       {"a ", "ab", false},
        {"ab", "a b", false},  {"a b c", "a b", false}, {"b", "a", false},
        {"a ", "a b", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct screen screen = screen_of(&terminal);

        show(&screen, SIGHT_BEGIN, "");
        show(&screen, SIGHT_DELTA, rows[i].said);
        commit(&screen, rows[i].whole);
        if ((strstr(buf_text(&screen.out), "(corrected") == NULL) != rows[i].same)
            fail_msg("\"%s\" and \"%s\": %s", rows[i].said, rows[i].whole,
                     buf_text(&screen.out));
        screen_done(&screen);
    }
}

static void what_was_withdrawn_is_told_and_begun_anew(void **state)
{
    struct screen screen = screen_of(&terminal);

    (void)state;
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "Well ");
    show(&screen, SIGHT_WITHDRAWN, "asked again");
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "No ");
    expect(&screen, "Ada Quill  Well\n"
                    "   (withdrawn: asked again)\n"
                    "\n"
                    "Ada Quill  No");
    show(&screen, SIGHT_END, "cancelled");
    expect(&screen, "\n   (cut short: not kept)\n");
    screen_done(&screen);
}

static void a_pipe_gets_whole_turns_a_line_each(void **state)
{
    struct screen screen = screen_of(&pipe_look);

    (void)state;
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "Good ");
    show(&screen, SIGHT_END, "done");
    expect(&screen, "");
    commit(&screen, "Good\nmorning,\n\nBo.");
    commit(&screen, "Again");
    expect(&screen, "Ada Quill: Good morning, Bo.\nAda Quill: Again\n");
    plain_status(screen.plain, str_of("thinking"), &screen.out);
    plain_close(screen.plain, &screen.out);
    expect(&screen, "");
    screen_done(&screen);
}

static void several_conversations_are_told_apart(void **state)
{
    struct screen screen = screen_of(&terminal);

    (void)state;
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "Half a ");
    plain_show_many(screen.plain);
    commit(&screen, "Half a sentence that is longer than the line of forty columns");
    expect(&screen, "Ada Quill  Half a\n"
                    "k3v9q2  Ada Quill: Half a sentence that is longer than the line "
                    "of forty columns\n");
    screen_done(&screen);
}

static void the_status_line_goes_before_anything_is_written(void **state)
{
    struct screen screen = screen_of(&colours);

    (void)state;
    plain_status(screen.plain, str_of("  Ada is thinking"), &screen.out);
    expect(&screen, "\r\033[K\033[2m  Ada is thinking\033[0m");
    commit(&screen, "Yes.");
    expect(&screen, "\r\033[K\033[36mAda Quill\033[0m  Yes.\n");
    show(&screen, SIGHT_BEGIN, "");
    buf_clear(&screen.out);
    plain_status(screen.plain, str_of("not while somebody speaks"), &screen.out);
    expect(&screen, "");
    plain_close(screen.plain, &screen.out);
    expect(&screen, "\n\033[0m");
    screen_done(&screen);
}

static void states_are_told_in_words_and_never_amid_a_turn(void **state)
{
    struct screen screen = screen_of(&terminal);

    (void)state;
    state_is(&screen, "running", "");
    expect(&screen, "");
    show(&screen, SIGHT_BEGIN, "");
    show(&screen, SIGHT_DELTA, "Go");
    state_is(&screen, "closing", "duration");
    commit(&screen, "Good");
    expect(&screen, "Ada Quill  Good\n"
                    "(closing: what is being said may be finished)\n");
    state_is(&screen, "ended", "duration");
    expect(&screen, "\n(ended: time is up; 12 turns, 512 tokens in 3:05)\n");
    state_is(&screen, "paused", "");
    state_is(&screen, "running", "");
    expect(&screen, "\n(paused)\n\n(it goes on)\n");
    state_is(&screen, "ended", "b\033[2Jad");
    expect(&screen, "\n(ended: b<U+001B>[2Jad; 12 turns, 512 tokens in 3:05)\n");
    screen_done(&screen);
}

static void colours_are_used_where_they_are_wanted(void **state)
{
    (void)state;
    assert_true(plain_wants_colour("auto", true, NULL, "xterm"));
    assert_true(plain_wants_colour("auto", true, "", "xterm"));
    assert_false(plain_wants_colour("auto", true, "1", "xterm"));
    assert_false(plain_wants_colour("auto", true, NULL, "dumb"));
    assert_false(plain_wants_colour("auto", true, NULL, NULL));
    assert_false(plain_wants_colour("auto", false, NULL, "xterm"));
    assert_true(plain_wants_colour("always", false, "1", "dumb"));
    assert_false(plain_wants_colour("never", true, NULL, "xterm"));
}

/* ---- hostile text ---- */

static const char *const hostile[] = {
    "\033]52;c;cm0gLXJmIC8=\007",                  /* sets the clipboard */
    "\033]8;;http://bad\033\\click\033]8;;\033\\", /* a false link */
    "\033[2J\033[H\033[31m",                       /* clears the screen */
    "\033P$q\"p\033\\", /* a report that comes back as keys */
    "\xC2\x9B"
    "31m\xC2\x9D"
    "0;title\x07", /* C1 as UTF-8 */
    "\x9B"
    "31m\x9D", /* and raw */
    "a\bb\x7F\x05\x0E\x0F\r\v\f",
    "\xE2\x80\xAE"
    "txt.exe\xE2\x81\xA6x\xE2\x81\xA9",          /* bidi */
    "\xE2\x80\x8B\xF3\xA0\x81\x81\xEF\xBB\xBF",  /* zero width, tags */
    "\xC3(\xE2\x82\xF0\x9F\x98\xFF\xED\xA0\x80", /* broken UTF-8 */
};
enum { HOSTILE = sizeof hostile / sizeof *hostile };

/* No control byte but \n, and text that utf8_harmless would leave alone. */
static void assert_harmless(const struct buf *out, const char *what)
{
    struct buf again;

    for (size_t i = 0; i < out->len; i++) {
        unsigned char c = (unsigned char)out->at[i];

        if ((c < 0x20 && c != '\n') || c == 0x7F)
            fail_msg("%s: byte %02X went through", what, c);
    }
    buf_init(&again, 8 * out->len + 8);
    assert_true(utf8_harmless(buf_str(out), true, &again));
    if (!str_eq(buf_str(&again), buf_str(out)))
        fail_msg("%s: not harmless: %s", what, buf_text(&again));
    buf_done(&again);
}

/* As a worker hands it on: mended, whole characters a piece, cut at each byte. */
static void speak_in_two(struct screen *screen, struct str text, size_t cut)
{
    struct utf8_stream stream = {0};
    struct str pieces[] = {str_make(text.at, cut),
                           str_make(text.at + cut, text.len - cut)};
    struct sight sight = sight_at(SIGHT_DELTA);

    for (size_t i = 0; i < 2; i++) {
        struct buf piece;

        buf_init(&piece, 4096);
        assert_true(utf8_feed(&stream, pieces[i], &piece));
        sight.text = buf_str(&piece);
        plain_show(screen->plain, &sight, &screen->out);
        buf_done(&piece);
    }
}

static void sequences_cut_at_any_byte_stay_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOSTILE; i++) {
        struct str text = str_of(hostile[i]);

        for (size_t cut = 0; cut <= text.len; cut++) {
            struct screen screen = screen_of(&terminal);

            show(&screen, SIGHT_BEGIN, "");
            speak_in_two(&screen, text, cut);
            plain_close(screen.plain, &screen.out);
            assert_harmless(&screen.out, hostile[i]);
            screen_done(&screen);
        }
    }
}

static void every_text_from_outside_is_made_harmless(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * HOSTILE; i++) {
        const char *text = hostile[i / 2];
        struct screen screen = screen_of(i % 2 == 0 ? &terminal : &pipe_look);
        struct sight sight = sight_at(SIGHT_PERSONA);
        struct message message;
        char *copy = strdup(text);

        message_init(&message, MESSAGE_PERSONA);
        message.persona = (struct persona){.name = copy,
                                           .role = copy,
                                           .traits = &copy,
                                           .trait_count = 1,
                                           .goal = copy,
                                           .style = copy};
        sight.message = &message;
        sight.author = str_of(text);
        plain_show(screen.plain, &sight, &screen.out);
        message.story = (struct story){.setting = copy, .initial_situation = copy};
        sight.kind = SIGHT_STORY;
        plain_show(screen.plain, &sight, &screen.out);
        message.text = copy;
        sight.kind = SIGHT_TURN;
        plain_show(screen.plain, &sight, &screen.out);
        sight.kind = SIGHT_UNREADABLE;
        sight.text = str_of(text);
        plain_show(screen.plain, &sight, &screen.out);
        plain_close(screen.plain, &screen.out);
        assert_harmless(&screen.out, text);
        free(copy);
        screen_done(&screen);
    }
}

/* ---- JSON lines ---- */

static void a_wait_for_servers_is_told_in_one_paragraph(void **state)
{
    struct screen screen = screen_of(&pipe_look);
    struct sight sight = sight_at(SIGHT_WAITING);
    struct buf out;

    (void)state;
    sight.call = str_of("");
    sight.servers = str_of("local, \033cloud");
    sight.text = str_of("no route");
    plain_show(screen.plain, &sight, &screen.out);
    expect(&screen, "(Ada Quill waits for a model server; down: local, <U+001B>cloud; "
                    "last: no route)\n");
    screen_done(&screen);
    buf_init(&out, 4096);
    sight.servers = str_of("local");
    assert_true(view_json_show(&sight, &out));
    assert_string_equal(
        buf_text(&out),
        "{\"event\":\"waiting\",\"conversation\":\"k3v9q2m4x7ab\",\"turn\":1,\"seat\":"
        "1,"
        "\"author\":\"Ada Quill\",\"servers\":\"local\",\"reason\":\"no route\"}\n");
    buf_done(&out);
}

static void a_json_line_is_harmless_and_keeps_the_text(void **state)
{
    (void)state;
    for (size_t i = 0; i < HOSTILE; i++) {
        struct sight sight = sight_at(SIGHT_DELTA);
        struct buf out, mended;
        json_t *line = NULL;
        struct err err = {0};

        buf_init(&out, 1 << 16);
        buf_init(&mended, 1 << 16);
        sight.text = str_of(hostile[i]);
        assert_true(view_json_show(&sight, &out));
        assert_harmless(&out, hostile[i]);
        if (!json_read(buf_str(&out), &line, &err))
            fail_msg("%s: %s", buf_text(&out), err.msg);
        assert_true(utf8_mend(str_of(hostile[i]), &mended));
        assert_string_equal(json_string_value(json_object_get(line, "text")),
                            buf_text(&mended));
        assert_string_equal(json_string_value(json_object_get(line, "event")), "delta");
        json_decref(line);
        buf_done(&mended);
        buf_done(&out);
    }
}

static void a_turn_s_document_is_kept_as_it_is_on_one_line(void **state)
{
    struct sight sight = sight_at(SIGHT_TURN);
    struct buf out;

    (void)state;
    buf_init(&out, 1 << 16);
    sight.document = str_of("{\"a\":\r\n 96.10,\"b\":\"\xE2\x80\xAE\xC3\xA9\"}");
    assert_true(view_json_show(&sight, &out));
    assert_string_equal(buf_text(&out),
                        "{\"event\":\"turn\",\"conversation\":\"k3v9q2m4x7ab\","
                        "\"turn\":1,\"seat\":1,\"call\":\"c1\","
                        "\"message\":{\"a\":   96.10,\"b\":\"\\u202e\xC3\xA9\"}}\n");
    buf_done(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_flow_with_a_hanging_indent),
        cmocka_unit_test(what_the_live_view_lacked_is_added),
        cmocka_unit_test(a_committed_text_that_differs_is_shown_as_the_correction),
        cmocka_unit_test(a_fallback_reply_is_marked_for_no_model_said_it),
        cmocka_unit_test(what_is_shown_is_compared_by_words),
        cmocka_unit_test(what_was_withdrawn_is_told_and_begun_anew),
        cmocka_unit_test(a_pipe_gets_whole_turns_a_line_each),
        cmocka_unit_test(several_conversations_are_told_apart),
        cmocka_unit_test(the_status_line_goes_before_anything_is_written),
        cmocka_unit_test(states_are_told_in_words_and_never_amid_a_turn),
        cmocka_unit_test(colours_are_used_where_they_are_wanted),
        cmocka_unit_test(sequences_cut_at_any_byte_stay_harmless),
        cmocka_unit_test(every_text_from_outside_is_made_harmless),
        cmocka_unit_test(a_wait_for_servers_is_told_in_one_paragraph),
        cmocka_unit_test(a_json_line_is_harmless_and_keeps_the_text),
        cmocka_unit_test(a_turn_s_document_is_kept_as_it_is_on_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_structured.c - what a reply comes to, plain or structured: the words shown on
 * the way, and the turn in the end.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "worker/utterance.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { WIDE = 4000 };

static struct cast cast;
static struct utterance utterance;
static struct buf seen; /* the words that were shown, "|" where they begin anew */

static int set_up(void **state)
{
    (void)state;
    cast.seat_count = 2;
    cast.seats = x_calloc(2, sizeof *cast.seats);
    for (size_t i = 0; i < 2; i++) {
        seat_init(&cast.seats[i]);
        cast.seats[i].persona.name = x_strdup(i == 0 ? "Ada" : "Bo");
    }
    utterance_init(&utterance);
    buf_init(&seen, 1 << 16);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    buf_done(&seen);
    utterance_done(&utterance);
    cast_done(&cast);
    return 0;
}

static void take_fresh(void)
{
    bool anew;
    struct str words = utterance_fresh(&utterance, &anew);

    if (anew)
        buf_add_char(&seen, '|');
    buf_add_str(&seen, words);
}

/* The reply byte by byte; what is behind `fed` comes with the end only. */
static void speak(const char *whole, size_t fed, bool structured, bool at_limit)
{
    buf_clear(&seen);
    utterance_begin(&utterance, &cast, 1, WIDE, structured);
    for (size_t i = 0; i < fed; i++) {
        if (!utterance_feed(&utterance, str_make(whole + i, 1)))
            break;
        take_fresh();
    }
    utterance_end(&utterance, str_of(whole), at_limit);
    utterance_end(&utterance, str_of(whole), at_limit);
    take_fresh();
}

static void expect(const char *text, const char *shown)
{
    if (!str_is(utterance_text(&utterance), text))
        fail_msg("'%.*s', not '%s'", (int)utterance_text(&utterance).len,
                 utterance_text(&utterance).at, text);
    if (strcmp(buf_text(&seen), shown) != 0)
        fail_msg("shown: '%s', not '%s'", buf_text(&seen), shown);
}

static void a_plain_reply_is_shown_as_it_is_cleaned(void **state)
{
    static const char whole[] = "Ada: Good evening. \nBo: Evening!";

    (void)state;
    for (size_t fed = 0; fed < sizeof whole; fed++) {
        speak(whole, fed, false, false);
        expect("Good evening.", "Good evening.");
    }
}

static void what_proves_to_be_thinking_is_taken_back(void **state)
{
    (void)state;
    speak("hm, well</think>\nGood.", 22, false, false);
    expect("Good.", "hm, well|Good.");
    speak("hm, well</think>\nGood.", 0, false, false); /* nothing of it was shown */
    expect("Good.", "Good.");
}

static void a_reply_that_is_cut_back_was_shown_whole(void **state)
{
    (void)state;
    speak("One two three. Four fi", 22, false, true);
    expect("One two three.", "One two three. Four fi");
}

static const char good[] = "{\"message\":\"Ada: Good \\u20ac\\n\",\"sentiment\":-0.25,"
                           "\"references\":[\"the lamp\",\"Bo\"]}";

static void a_structured_reply_is_shown_while_it_comes_and_checked_whole(void **state)
{
    struct err err = {0};

    (void)state;
    for (size_t fed = 0; fed < sizeof good; fed += 7) {
        speak(good, fed, true, false);
        expect("Good \xE2\x82\xAC", "Good \xE2\x82\xAC");
        assert_true(utterance_check(&utterance, &err));
        assert_true(utterance.sentiment == -0.25);
        assert_int_equal(utterance.reference_count, 2);
        assert_string_equal(utterance.references[0], "the lamp");
        assert_string_equal(utterance.references[1], "Bo");
    }
    assert_int_equal(utterance.clean.changes,
                     1U << CLEAN_NAME_PREFIX | 1U << CLEAN_TRIMMED);
}

static void a_fence_around_it_does_no_harm(void **state)
{
    static const char fenced[] = "```json\n{\"message\":\"Hm.\",\"sentiment\":null,"
                                 "\"references\":[]}\n```\n";
    struct err err = {0};

    (void)state;
    speak(fenced, sizeof fenced - 1, true, false);
    expect("Hm.", "Hm.");
    assert_true(utterance_check(&utterance, &err));
    assert_true(isnan(utterance.sentiment));
    assert_int_equal(utterance.reference_count, 0);
}

/* What models put around the document. */
static const struct around {
    const char *before;
    const char *behind;
    const char *thoughts;
} arounds[] = {
    {"<think>So? {\"message\":\"no\"} \n</think>\n\n", "",
     "So? {\"message\":\"no\"} \n"},
    {"[THINK]hm[/THINK]```json\n", "\n```", "hm"},
    {"begun before {\"message\":\"no\", 3 < 4</think>", " \n",
     "begun before {\"message\":\"no\", 3 < 4"},
    {"Say {x}?</think><think>{or}</think>", "", "Say {x}?{or}"},
    {"Here it is:\n```\n", "\n```\n\n", ""},
    {"<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|"
     "message|>",
     "", "<|message|>hm<|end|><|start|>assistant"},
};
static const char inner[] = "{\"message\":\"Hm, 1 < 2.\",\"sentiment\":null,"
                            "\"references\":[\"<think>{\"]}";

static void expect_inner(const char *whole, const struct around *around)
{
    struct err err = {0};

    if (!str_is(utterance_text(&utterance), "Hm, 1 < 2."))
        fail_msg("%s: '%.*s'", whole, (int)utterance_text(&utterance).len,
                 utterance_text(&utterance).at);
    if (!utterance_check(&utterance, &err))
        fail_msg("%s: %s", whole, err.msg);
    assert_string_equal(utterance.references[0], "<think>{");
    if (!str_is(utterance_document(&utterance), inner))
        fail_msg("%s: %.*s", whole, (int)utterance_document(&utterance).len,
                 utterance_document(&utterance).at);
    if (!str_is(utterance_thoughts(&utterance), around->thoughts))
        fail_msg("%s: thought %.*s", whole, (int)utterance_thoughts(&utterance).len,
                 utterance_thoughts(&utterance).at);
}

/* In two pieces at every place. */
static void what_stands_around_a_document_does_no_harm(void **state)
{
    (void)state;
    utterance_keep_thoughts(&utterance);
    for (size_t i = 0; i < sizeof arounds / sizeof *arounds; i++) {
        char *whole = x_printf("%s%s%s", arounds[i].before, inner, arounds[i].behind);
        size_t len = strlen(whole);

        for (size_t cut = 0; cut <= len; cut++) {
            utterance_begin(&utterance, &cast, 1, WIDE, true);
            assert_true(utterance_feed(&utterance, str_make(whole, cut)));
            assert_true(utterance_feed(&utterance, str_make(whole + cut, len - cut)));
            utterance_end(&utterance, str_of(whole), false);
            expect_inner(whole, &arounds[i]);
        }
        free(whole);
    }
}

static void the_words_behind_thinking_are_shown_as_they_come(void **state)
{
    static const char whole[] =
        "<think>{\"message\":\"no\"}</think>{\"message\":\"Good";
    static const char begun[] = "{\"message\":\"no\"} or</think>{\"message\":\"Good";

    (void)state;
    speak(whole, sizeof whole - 1, true, false);
    expect("Good", "Good");
    speak(begun, sizeof begun - 1, true, false);
    expect("Good", "no|Good");
}

static void what_is_wrong_with_it_is_said(void **state)
{
    static const struct {
        const char *whole;
        const char *complaint;
    } rows[] = {
        {"Good evening.", "line 1"},
        {"", "line 1"},
        {"{\"message\":\"cut o", "line 1"},
        {"{\"message\":\"x\",\"references\":[]}", "sentiment"},
        {"{\"message\":\"x\",\"sentiment\":2,\"references\":[]}", "/sentiment"},
        {"{\"message\":\"x\",\"sentiment\":0,\"references\":[1]}", "/references/0"},
        {"{\"message\":7,\"sentiment\":0,\"references\":[]}", "/message"},
        {"{\"message\":\" \",\"sentiment\":0,\"references\":[]}", "/message"},
        {"{\"message\":\"x\",\"sentiment\":0,\"references\":[]} Well?", "line 1"},
        {"{\"message\":\"x\",\"sentiment\":0,\"references\":[]}{}", "line 1"},
        {"Both {a} and {\"message\":\"x\",\"sentiment\":0,\"references\":[]}",
         "line 1"},
        {"<think>for ever {\"message\":\"x\"", "line 1"},
        {"{\"message\":\"Bo: x\",\"sentiment\":0,\"references\":[]}", "/message"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err err = {0};

        speak(rows[i].whole, strlen(rows[i].whole), true, false);
        if (utterance_check(&utterance, &err))
            fail_msg("%s is taken", rows[i].whole);
        if (strstr(err.msg, rows[i].complaint) == NULL)
            fail_msg("%s: %s", rows[i].whole, err.msg);
    }
}

static void a_document_that_met_the_limit_is_asked_for_in_fewer_words(void **state)
{
    static const char whole[] = "{\"message\":\"On and on it w";
    struct err err = {0};

    (void)state;
    speak(whole, sizeof whole - 1, true, true);
    assert_false(utterance_check(&utterance, &err));
    assert_non_null(strstr(err.msg, "fewer words"));
}

static void the_next_reply_knows_nothing_of_the_last(void **state)
{
    struct err err = {0};

    (void)state;
    speak(good, strlen(good), true, false);
    assert_true(utterance_check(&utterance, &err));
    speak("plain", 5, false, false);
    expect("plain", "plain");
    assert_int_equal(utterance.reference_count, 0);
    assert_true(isnan(utterance.sentiment));
    assert_int_equal(utterance.clean.changes, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_plain_reply_is_shown_as_it_is_cleaned),
        TEST(what_proves_to_be_thinking_is_taken_back),
        TEST(a_reply_that_is_cut_back_was_shown_whole),
        TEST(a_structured_reply_is_shown_while_it_comes_and_checked_whole),
        TEST(a_fence_around_it_does_no_harm),
        TEST(what_stands_around_a_document_does_no_harm),
        TEST(the_words_behind_thinking_are_shown_as_they_come),
        TEST(what_is_wrong_with_it_is_said),
        TEST(a_document_that_met_the_limit_is_asked_for_in_fewer_words),
        TEST(the_next_reply_knows_nothing_of_the_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

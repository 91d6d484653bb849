/* test_speech.c - what is said of a talk, on sentences whose answers are counted by
 * hand.
 */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "analyzer/speech.h"
#include "analyzer/word_scan.h"
#include "base/str.h"
#include "proto/message.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* What is tested only reads, so the texts may be constants behind one cast. */
static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static void say(struct speech *speech, const char *conversation, int64_t seat,
                const char *words)
{
    static const char *const names[] = {"Ada", "Bo", "Cyd"};
    struct message turn;

    message_init(&turn, MESSAGE_TURN);
    turn.conversation_id = text(conversation);
    turn.seat = seat;
    turn.author = text(names[seat - 1]);
    turn.text = text(words);
    speech_take(speech, &turn);
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-9;
}

static void expect_words(const char *words, int count, int sentences)
{
    struct word_scan scan = {.left = str_of(words)};
    uint32_t hash;
    int found = 0;

    while (word_scan_next(&scan, &hash))
        found++;
    if (found != count || scan.sentences != sentences)
        print_error("%s: %d words, %d sentences\n", words, found, (int)scan.sentences);
    assert_int_equal(found, count);
    assert_int_equal(scan.sentences, sentences);
}

static void words_and_sentences_are_counted_as_people_do(void **state)
{
    (void)state;
    expect_words("", 0, 0);
    expect_words(" ... !?", 0, 0);
    expect_words("Well, it's 3.5 metres.", 5, 1); /* 3 and 5 are two */
    expect_words("Stop! Who goes there? Me", 5, 3);
    expect_words("He said \"no.\" Then left.", 5, 2);
    expect_words("Écoute-moi… d\xE2\x80\x99"
                 "accord.",
                 3, 2);
    expect_words("\xE6\xB5\xB7\xE3\x81\x8C\xE8\xA6\x8B\xE3\x81\x88\xE3\x82\x8B"
                 "\xE3\x80\x82",
                 5, 1); /* five letters and a full stop */
    expect_words("broken \xff\xfe bytes", 2, 1);
}

static void capitals_do_not_make_another_word(void **state)
{
    struct word_scan a = {.left = str_of("ÄRGER Café МОСТ")};
    struct word_scan b = {.left = str_of("ärger CAFÉ мост")};
    uint32_t x = 0;
    uint32_t y = 0;

    (void)state;
    for (int i = 0; i < 3; i++) {
        assert_true(word_scan_next(&a, &x) && word_scan_next(&b, &y));
        assert_int_equal(x, y);
    }
}

static void shares_and_balance_follow_the_words(void **state)
{
    struct speech *speech = speech_new(SPEECH_ALL);
    const struct speech_row *rows;
    struct speech_summary summary;

    (void)state;
    say(speech, "c1", 1, "one two three");
    say(speech, "c1", 2, "four");
    say(speech, "c1", 1, "five six seven. Eight nine.");
    summary = speech_summary(speech);
    assert_int_equal(summary.conversations, 1);
    assert_int_equal(summary.turns, 3);
    assert_int_equal(summary.words, 9);
    assert_int_equal(summary.sentences, 4);
    assert_int_equal(speech_rows(speech, &rows), 2);
    assert_string_equal(rows[0].name, "Ada");
    assert_true(near(rows[0].turn_share, 2.0 / 3));
    assert_true(near(rows[0].word_share, 8.0 / 9));
    assert_true(near(rows[1].word_share, 1.0 / 9));
    assert_true(near(summary.balance,
                     -(8.0 / 9 * log(8.0 / 9) + 1.0 / 9 * log(1.0 / 9)) / log(2)));
    assert_true(spread_mean(speech_words(speech)) == 3);
    assert_true(spread_max(speech_sentences(speech)) == 2);
    assert_true(isnan(summary.diversity)); /* nobody said 50 words */
    speech_free(speech);
}

/* 49 different words and one of them again: each window of 50 from then on. */
static void diversity_is_the_share_of_different_words_in_50(void **state)
{
    struct speech *speech = speech_new(SPEECH_ALL);
    char words[512] = "";

    (void)state;
    for (int i = 0; i < 49; i++) {
        char word[8];

        fmt_into(word, sizeof word, "w%d ", i);
        strncat(words, word, sizeof words - strlen(words) - 1);
    }
    say(speech, "c1", 1, words);
    assert_true(isnan(speech_summary(speech).diversity));
    say(speech, "c1", 1, "w48");
    assert_true(near(speech_summary(speech).diversity, 49.0 / 50));
    say(speech, "c1", 1, "w48"); /* w0 leaves: 48 are different */
    assert_true(near(speech_summary(speech).diversity, (49.0 + 48.0) / 2 / 50));
    speech_free(speech);
}

static void repetition_is_the_share_of_word_groups_said_before(void **state)
{
    struct speech *speech = speech_new(SPEECH_ALL);
    const struct speech_row *rows;

    (void)state;
    say(speech, "c1", 1, "the rain falls on the pier"); /* 3 groups, all new */
    assert_true(speech_summary(speech).repetition == 0);
    /* 4 groups: "the rain falls on", "rain falls on the" were said, two are new. */
    say(speech, "c1", 2, "The rain falls on the old pier");
    assert_true(near(speech_summary(speech).repetition, 2.0 / 7));
    (void)speech_rows(speech, &rows);
    assert_true(rows[0].repetition == 0 && near(rows[1].repetition, 0.5));
    /* In another conversation nobody has heard it. */
    say(speech, "c2", 1, "the rain falls on the pier");
    assert_true(near(speech_summary(speech).repetition, 2.0 / 10));
    speech_free(speech);
}

static void what_was_said_long_ago_is_no_repetition(void **state)
{
    struct speech *speech = speech_new(SPEECH_ALL);

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        say(speech, "c1", 1, "the rain falls on");
        for (int i = 0; i < SPEECH_MEMORY_TURNS; i++)
            say(speech, "c1", 2, "so");
    }
    assert_true(speech_summary(speech).repetition == 0);
    say(speech, "c1", 1, "The rain falls on"); /* 33 turns after: gone */
    say(speech, "c1", 1, "the rain falls on"); /* one turn after */
    assert_true(near(speech_summary(speech).repetition, 1.0 / 4));
    speech_free(speech);
}

static void a_line_that_begins_with_anothers_name_bleeds(void **state)
{
    static const struct {
        const char *words;
        int bled;
    } cases[] = {
        {"Bo: I know.", 1},        {"**Bo:** I know.", 1}, {"Well.\n[bo]: I know.", 1},
        {"Ada: I know.", 0},       {"Bo, I know.", 0},     {"I met Bo: he knew.", 0},
        {"Bob: nobody is Bob", 0}, {"Bo: a\nBo: b", 1},
    };
    struct speech *speech;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        speech = speech_new(SPEECH_ALL);
        say(speech, "c1", 2, "Hello.");
        say(speech, "c1", 1, cases[i].words);
        if (speech_summary(speech).bled_turns != cases[i].bled)
            print_error("%s\n", cases[i].words);
        assert_int_equal(speech_summary(speech).bled_turns, cases[i].bled);
        speech_free(speech);
    }
}

static void of_many_conversations_the_same_sample_is_taken(void **state)
{
    struct speech_summary found[2];

    (void)state;
    for (int pass = 0; pass < 2; pass++) {
        struct speech *speech = speech_new(SPEECH_SAMPLE);

        for (int i = 0; i < 4000; i++) {
            char id[16];

            fmt_into(id, sizeof id, "c%d", pass == 0 ? i : 3999 - i);
            say(speech, id, 1, "a b c");
        }
        found[pass] = speech_summary(speech);
        speech_free(speech);
    }
    assert_true(found[0].every >= 16);
    assert_in_range(found[0].conversations, 20, SPEECH_CONVERSATIONS_MAX);
    assert_int_equal(found[0].words, 3 * found[0].conversations);
    assert_int_equal(found[0].every, found[1].every);
    assert_int_equal(found[0].conversations, found[1].conversations);
}

static void turns_that_no_model_said_are_not_looked_at(void **state)
{
    struct speech *speech = speech_new(SPEECH_ALL);
    struct message turn;

    (void)state;
    message_init(&turn, MESSAGE_TURN);
    turn.conversation_id = text("c1");
    turn.seat = 1;
    turn.text = text("I have nothing to say.");
    turn.fallback = true;
    speech_take(speech, &turn);
    turn.fallback = false;
    turn.failed = true;
    speech_take(speech, &turn);
    assert_int_equal(speech_summary(speech).turns, 0);
    speech_free(speech);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_sentences_are_counted_as_people_do),
        cmocka_unit_test(capitals_do_not_make_another_word),
        cmocka_unit_test(shares_and_balance_follow_the_words),
        cmocka_unit_test(diversity_is_the_share_of_different_words_in_50),
        cmocka_unit_test(repetition_is_the_share_of_word_groups_said_before),
        cmocka_unit_test(what_was_said_long_ago_is_no_repetition),
        cmocka_unit_test(a_line_that_begins_with_anothers_name_bleeds),
        cmocka_unit_test(of_many_conversations_the_same_sample_is_taken),
        cmocka_unit_test(turns_that_no_model_said_are_not_looked_at),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

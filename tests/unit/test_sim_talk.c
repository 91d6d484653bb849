/* test_sim_talk.c - the simulator's conversation: readable, without repetition, and the
 * same words for the same seed.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "simulator/grammar.h"
#include "simulator/talk.h"
#include "simulator/talk_data.h"
#include "simulator/tokens.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { TURNS = 200, WINDOW = 120, MIN = 20, MAX = 60 };

static const char *const names[2] = {"Ada Quill", "Bo Marlow"};
static const char *const personas[2] = {
    "You are Ada Quill, lighthouse keeper. You take part in a conversation.\n\n"
    "Topic: the last lighthouse\nYour traits: stubborn, curious\n"
    "Your goal: Keep the lamp burning.\nYour style: short sentences, metaphors\n",
    "You are Bo Marlow, retired clockmaker. You take part in a conversation.\n\n"
    "Topic: the last lighthouse\nYour traits: gentle, pedantic\n"
    "Your goal: Buy the clockwork of the lamp.\nYour style: asks questions\n",
};

struct dialogue {
    char *said[TURNS];   /* owned, as the next */
    char *marked[TURNS]; /* with the speaker's name before it */
};

static char *ask(const struct sim_prompt *prompt, uint64_t seed, size_t min, size_t max)
{
    struct talk_ask ask = {prompt, seed, min, max};
    struct buf text;

    buf_init(&text, 1 << 20);
    talk_reply(&ask, &text);
    return buf_take(&text);
}

static void say(struct dialogue *dialogue, int turn, uint64_t seed)
{
    struct sim_prompt prompt = {0};

    sim_prompt_add(&prompt, "system", str_of(personas[turn % 2]));
    for (int i = turn > WINDOW ? turn - WINDOW : 0; i < turn; i++)
        if (i % 2 == turn % 2)
            sim_prompt_add(&prompt, "assistant", str_of(dialogue->said[i]));
        else
            sim_prompt_add(&prompt, "user", str_of(dialogue->marked[i]));
    dialogue->said[turn] = ask(&prompt, seed, MIN, MAX);
    dialogue->marked[turn] = x_printf("%s: %s", names[turn % 2], dialogue->said[turn]);
    sim_prompt_done(&prompt);
}

static void talk(struct dialogue *dialogue, uint64_t seed)
{
    for (int turn = 0; turn < TURNS; turn++)
        say(dialogue, turn, seed);
}

static void dialogue_done(struct dialogue *dialogue)
{
    for (int turn = 0; turn < TURNS; turn++) {
        free(dialogue->said[turn]);
        free(dialogue->marked[turn]);
    }
}

static void assert_readable(const char *text)
{
    static const char *const never[] = {"  ", " .", " ,", " ?", "{",     "}",
                                        "..", "\n", ",.", ".,", " a a ", "the the "};
    size_t len = strlen(text);
    bool ends = strchr(".?!", text[len - 1]) != NULL;

    assert_true(utf8_valid(str_of(text)));
    for (size_t i = 0; i < sizeof never / sizeof *never; i++)
        if (strstr(text, never[i]))
            fail_msg("'%s' in: %s", never[i], text);
    if (!ends || (text[0] >= 'a' && text[0] <= 'z') || text[0] == ' ')
        fail_msg("no sentence: %s", text);
}

/* A line shows at most once in any ten turns. */
static void assert_line_rare(const struct dialogue *dialogue, const char *line)
{
    struct str mark = grammar_mark(line);
    int before = -100;

    for (int turn = 0; turn < TURNS && mark.len >= 12; turn++) {
        if (!text_has(str_of(dialogue->said[turn]), mark))
            continue;
        if (turn - before <= 10)
            fail_msg("turns %d and %d both: %s", before, turn, line);
        before = turn;
    }
}

static void no_reply_and_no_turn_of_phrase_comes_back_too_soon(void **state)
{
    (void)state;
    for (uint64_t seed = 0; seed < 5; seed++) {
        struct dialogue dialogue;

        talk(&dialogue, seed);
        for (int a = 0; a < TURNS; a++)
            for (int b = a + 1; b < TURNS && b <= a + WINDOW; b++)
                assert_string_not_equal(dialogue.said[a], dialogue.said[b]);
        for (int id = 0; id < POOL_COUNT; id++)
            for (size_t i = 0; i < pool_get((enum pool_id)id)->count; i++)
                assert_line_rare(&dialogue, pool_get((enum pool_id)id)->lines[i]);
        dialogue_done(&dialogue);
    }
}

static void two_hundred_turns_are_readable_and_of_the_length_asked_for(void **state)
{
    struct dialogue dialogue;

    (void)state;
    talk(&dialogue, 77);
    for (int turn = 0; turn < TURNS; turn++) {
        size_t tokens = tokens_count(str_of(dialogue.said[turn]));

        assert_readable(dialogue.said[turn]);
        assert_in_range(tokens, MIN, MAX);
    }
    dialogue_done(&dialogue);
}

static void a_reply_takes_up_words_and_topic_often(void **state)
{
    struct dialogue dialogue;
    int topics = 0;
    int quotes = 0;

    (void)state;
    talk(&dialogue, 3);
    for (int turn = 1; turn < TURNS; turn++) {
        topics += strstr(dialogue.said[turn], "lighthouse") != NULL;
        quotes += strstr(dialogue.said[turn], "\xE2\x80\x9C") != NULL;
    }
    assert_in_range(topics, TURNS / 10, TURNS);
    assert_in_range(quotes, TURNS / 5, TURNS);
    dialogue_done(&dialogue);
}

static void the_same_seed_and_prompt_give_the_same_words(void **state)
{
    struct dialogue one;
    struct dialogue two;
    struct dialogue other;
    int differ = 0;

    (void)state;
    talk(&one, 42);
    talk(&two, 42);
    talk(&other, 43);
    for (int turn = 0; turn < TURNS; turn++) {
        assert_string_equal(one.said[turn], two.said[turn]);
        differ += strcmp(one.said[turn], other.said[turn]) != 0;
    }
    assert_in_range(differ, TURNS - 2, TURNS);
    dialogue_done(&one);
    dialogue_done(&two);
    dialogue_done(&other);
}

static void any_length_is_kept_exactly(void **state)
{
    static const size_t limits[][2] = {{1, 1},   {2, 2},     {3, 5},     {10, 10},
                                       {60, 60}, {200, 200}, {500, 501}, {3000, 3000}};

    (void)state;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
        for (uint64_t seed = 0; seed < 40; seed++) {
            struct sim_prompt prompt = {0};
            char *text = NULL;

            sim_prompt_add(&prompt, "system", str_of(personas[0]));
            sim_prompt_add(&prompt, "user", str_of("Bo: Is the lamp still lit?"));
            text = ask(&prompt, seed, limits[i][0], limits[i][1]);
            assert_in_range(tokens_count(str_of(text)), limits[i][0], limits[i][1]);
            free(text);
            sim_prompt_done(&prompt);
        }
}

static void odd_prompts_are_answered_all_the_same(void **state)
{
    static const char *const odd[] = {
        "",
        " ",
        "?",
        "!!!",
        "\n\n",
        ":",
        "A:",
        "()",
        "\xE2\x80\x9C",
        "{me}{topic}",
        "\xF0\x9F\xA6\x80\xF0\x9F\xA6\x80",
        "a an a an the",
        "Ich m\xC3\xB6"
        "chte \xC3\xBC"
        "ber L\xC3\xB6"
        "ffel reden.",
        "\"quoted\" 'and' `ticked` text \\ with \\n slashes",
    };

    (void)state;
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        for (int as_system = 0; as_system < 2; as_system++) {
            struct sim_prompt prompt = {0};
            char *text = NULL;

            sim_prompt_add(&prompt, as_system ? "system" : "user", str_of(odd[i]));
            text = ask(&prompt, 1, MIN, MAX);
            assert_in_range(tokens_count(str_of(text)), MIN, MAX);
            assert_true(utf8_valid(str_of(text)));
            free(text);
            sim_prompt_done(&prompt);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reply_and_no_turn_of_phrase_comes_back_too_soon),
        cmocka_unit_test(two_hundred_turns_are_readable_and_of_the_length_asked_for),
        cmocka_unit_test(a_reply_takes_up_words_and_topic_often),
        cmocka_unit_test(the_same_seed_and_prompt_give_the_same_words),
        cmocka_unit_test(any_length_is_kept_exactly),
        cmocka_unit_test(odd_prompts_are_answered_all_the_same),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sim_scene.c - what the simulator reads out of prompts. */
#include <string.h>

#include "simulator/grammar.h"
#include "simulator/scene.h"
#include "simulator/talk_data.h"
#include "simulator/words.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

static const char persona[] =
    "You are Ada Quill, lighthouse keeper. You take part in a conversation and you "
    "speak only as Ada Quill.\n\nTopic: The last lighthouse\nSetting: A rock.\n\n"
    "Who takes part:\n- Ada Quill, lighthouse keeper\n- Bo Marlow, clockmaker\n\n"
    "Your traits: Stubborn, curiosity, dry-witted, of few words\n"
    "Your goal: To keep the lamp burning. And to be left alone.\n"
    "Your style: short sentences, metaphors\n";

static struct scene read(const char *system, const char *last)
{
    struct sim_prompt prompt = {0};
    static struct scene scene;

    if (system)
        sim_prompt_add(&prompt, "system", str_of(system));
    if (last)
        sim_prompt_add(&prompt, "user", str_of(last));
    scene_read(&scene, &prompt);
    sim_prompt_done(&prompt);
    return scene;
}

static void a_persona_is_read_from_the_system_text(void **state)
{
    struct scene scene = read(persona, NULL);

    (void)state;
    assert_string_equal(scene.me, "Ada Quill");
    assert_string_equal(scene.role, "lighthouse keeper");
    assert_string_equal(scene.topic, "the last lighthouse");
    assert_string_equal(scene.goal, "keep the lamp burning");
    assert_int_equal(scene.trait_count, 2); /* neither the noun nor the phrase */
    assert_string_equal(scene.traits[0], "stubborn");
    assert_string_equal(scene.traits[1], "dry-witted");
    assert_true(scene_has(&scene, "haiku|metaphor"));
    assert_false(scene_has(&scene, "haiku"));
    assert_int_equal(scene.said, 0);
}

static void an_absent_persona_leaves_everything_empty(void **state)
{
    struct scene scene = read(NULL, "Why is the sky blue?");

    (void)state;
    assert_string_equal(scene.me, "");
    assert_string_equal(scene.role, "");
    assert_string_equal(scene.topic, "");
    assert_int_equal(scene.said, 1);
    assert_int_equal(scene.question, QUESTION_WHY);
}

static void other_forms_of_a_persona_are_understood(void **state)
{
    struct scene scene = read("You are a grumpy pirate who hates gold.", NULL);

    (void)state;
    assert_string_equal(scene.me, "");
    assert_string_equal(scene.role, "grumpy pirate");
    scene = read("You are J. R. Hartley, an author of books, and you are talking with "
                 "Mrs. Peel about trout.",
                 NULL);
    assert_string_equal(scene.me, "J. R. Hartley");
    assert_string_equal(scene.role, "author of books");
    scene = read("Name: Zed\nRole: a \"robot\"\nGoal: Rule", NULL);
    assert_string_equal(scene.me, "Zed");
    assert_string_equal(scene.goal, "rule");
    scene = read("You are", NULL);
    assert_string_equal(scene.role, "");
}

static void a_question_as_topic_is_quoted(void **state)
{
    struct scene scene = read("Topic: Should robots dream?", NULL);

    (void)state;
    assert_string_equal(scene.topic, "\xE2\x80\x9Cshould robots dream\xE2\x80\x9D");
    assert_int_equal(scene.word_count, 2);
    assert_string_equal(scene.words[1], "dream");
}

static void the_speaker_is_taken_off_and_stage_directions_are_nobody(void **state)
{
    struct scene scene = read(persona, "Bo Marlow: The old clock has stopped again.");

    (void)state;
    assert_string_equal(scene.you, "Bo");
    assert_true(str_is(scene.last, "The old clock has stopped again."));
    assert_int_equal(scene.said, 1);
    scene = read(persona, "(The scene begins. Ada Quill speaks first.)");
    assert_int_equal(scene.said, 0);
    scene = read(persona, "Please begin the conversation.");
    assert_int_equal(scene.said, 0);
}

static bool has_echo(const struct scene *scene, const char *phrase)
{
    for (size_t i = 0; i < scene->echo_count; i++)
        if (strcmp(scene->echoes[i], phrase) == 0)
            return true;
    return false;
}

static void phrases_are_whole_and_the_others_own(void **state)
{
    struct scene scene = read(
        persona, "The brass clock stopped at noon. I gave it a painted bell, and you "
                 "said \xE2\x80\x9Cnever again dear\xE2\x80\x9D, a pinch of salt.");

    (void)state;
    assert_true(has_echo(&scene, "brass clock stopped"));
    assert_false(has_echo(&scene, "brass clock")); /* more belongs to it */
    assert_true(has_echo(&scene, "painted bell"));
    for (size_t i = 0; i < scene.echo_count; i++)
        assert_null(strstr(scene.echoes[i], "dear"));
    assert_int_equal(scene.seen_count, 1);
    assert_string_equal(scene.seen[0], "painted bell");
}

static void questions_are_told_apart(void **state)
{
    static const struct {
        const char *text;
        enum question kind;
    } cases[] = {
        {"I see.", QUESTION_NONE},
        {"Why? I know why.", QUESTION_NONE},
        {"It is late. Why did you come?", QUESTION_WHY},
        {"How do you sleep?", QUESTION_HOW},
        {"How many boats are there?", QUESTION_WHAT},
        {"Tell me, what is it?", QUESTION_WHAT},
        {"Who told you that, my aunt?", QUESTION_WHO},
        {"Is there anyone who would agree?", QUESTION_YES_NO},
        {"Where were you when it rained?", QUESTION_WHEN},
        {"You agree?", QUESTION_YES_NO},
        {"?", QUESTION_YES_NO},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_int_equal(read(NULL, cases[i].text).question, cases[i].kind);
}

static void every_trade_of_the_lists_finds_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < domain_count; i++)
        for (size_t k = 0; k < DOMAIN_ROLES; k++)
            assert_ptr_equal(domain_of(str_of(domains[i].roles[k])), &domains[i]);
    assert_ptr_equal(domain_of(str_of("")), &domains[domain_count - 1]);
}

static void articles_go_by_the_sound(void **state)
{
    (void)state;
    assert_string_equal(word_article(str_of("umbrella")), "an");
    assert_string_equal(word_article(str_of("unicorn")), "a");
    assert_string_equal(word_article(str_of("honest auctioneer")), "an");
    assert_string_equal(word_article(str_of("harbour")), "a");
    assert_string_equal(word_article(str_of("")), "a");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_persona_is_read_from_the_system_text),
        cmocka_unit_test(an_absent_persona_leaves_everything_empty),
        cmocka_unit_test(other_forms_of_a_persona_are_understood),
        cmocka_unit_test(a_question_as_topic_is_quoted),
        cmocka_unit_test(the_speaker_is_taken_off_and_stage_directions_are_nobody),
        cmocka_unit_test(phrases_are_whole_and_the_others_own),
        cmocka_unit_test(questions_are_told_apart),
        cmocka_unit_test(every_trade_of_the_lists_finds_itself),
        cmocka_unit_test(articles_go_by_the_sound),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_sim_tokens.c - the simulator's tokens: the documented rule, and prompts. */
#include <string.h>

#include "simulator/sim_prompt.h"
#include "simulator/tokens.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

/* The tokens with a '|' behind each. */
static void expect(const char *text, const char *want)
{
    struct str rest = str_of(text);
    struct buf got;
    size_t count = 0;

    buf_init(&got, 1000);
    while (rest.len > 0) {
        struct str token = tokens_first(rest);

        assert_true(token.len > 0);
        assert_ptr_equal(token.at, rest.at);
        buf_add_str(&got, token);
        buf_add_char(&got, '|');
        rest = str_make(rest.at + token.len, rest.len - token.len);
        count++;
    }
    assert_string_equal(buf_text(&got), want);
    assert_int_equal(tokens_count(str_of(text)), count);
    buf_done(&got);
}

static void the_rule_of_the_header_holds(void **state)
{
    (void)state;
    expect("", "");
    expect("The lamplighter, 1842", "The| lampli|ghter|,| 184|2|");
    expect("a  b", "a| | b|");
    expect("end ", "end| |");
    expect("don't", "don|'|t|");
    expect("\n\n{\"a\": 10}", "\n|\n|{|\"|a|\"|:| 10|}|");
    expect("caf\xC3\xA9s", "caf\xC3\xA9s|");
    expect(" \xE2\x80\x9Cyes\xE2\x80\x9D", " \xE2\x80\x9C|yes|\xE2\x80\x9D|");
    expect("\xE6\xBC\xA2\xE5\xAD\x97", "\xE6\xBC\xA2|\xE5\xAD\x97|");
}

static void an_ill_formed_byte_is_a_token(void **state)
{
    (void)state;
    expect("\xFF\xFEx", "\xFF|\xFE|x|");
    expect("x\xE2\x80", "x|\xE2|\x80|");
}

static void what_is_taken_has_so_many_tokens(void **state)
{
    struct str text = str_of("One lamp, two ships and 12345 gulls.");

    (void)state;
    for (size_t i = 0; i <= tokens_count(text); i++)
        assert_int_equal(tokens_count(tokens_take(text, i)), i);
    assert_int_equal(tokens_take(text, 1000).len, text.len);
}

static void the_common_start_of_prompts_is_counted_in_whole_tokens(void **state)
{
    (void)state;
    assert_int_equal(sim_prompt_common_tokens(str_of("a b c"), str_of("a b d")), 2);
    assert_int_equal(sim_prompt_common_tokens(str_of("a lamp"), str_of("a lamps")), 1);
    assert_int_equal(sim_prompt_common_tokens(str_of("a b"), str_of("a b c")), 2);
    assert_int_equal(sim_prompt_common_tokens(str_of(""), str_of("a")), 0);
}

static void the_oldest_messages_are_dropped_but_not_system_and_last(void **state)
{
    struct sim_prompt prompt = {0};
    struct buf text;

    (void)state;
    sim_prompt_add(&prompt, "system", str_of("stay"));
    sim_prompt_add(&prompt, "user", str_of("one two three"));
    sim_prompt_add(&prompt, "assistant", str_of("four five six"));
    sim_prompt_add(&prompt, "user", str_of("seven"));
    sim_prompt_fit(&prompt, 1000);
    assert_int_equal(prompt.count, 4);
    buf_init(&text, 1000);
    sim_prompt_render(&prompt, &text);
    /* One too few: the oldest goes. */
    sim_prompt_fit(&prompt, tokens_count(buf_str(&text)) - 1);
    assert_int_equal(prompt.count, 3);
    assert_true(str_is(prompt.messages[1].text, "four five six"));
    sim_prompt_fit(&prompt, 1);
    assert_int_equal(prompt.count, 2);
    assert_true(str_is(prompt.messages[0].text, "stay"));
    assert_true(str_is(prompt.messages[1].text, "seven"));
    buf_done(&text);
    sim_prompt_done(&prompt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rule_of_the_header_holds),
        cmocka_unit_test(an_ill_formed_byte_is_a_token),
        cmocka_unit_test(what_is_taken_has_so_many_tokens),
        cmocka_unit_test(the_common_start_of_prompts_is_counted_in_whole_tokens),
        cmocka_unit_test(the_oldest_messages_are_dropped_but_not_system_and_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_prompt_staged.c - stage directions and whispers in what a persona is told: where
 * they stand, for whom, and without moving what stands before them.
 */
#include <stdlib.h>
#include <string.h>

#include "test_page.h"
#include "worker/prompt.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

enum { WIDE = 100000 };

static struct prompt_templates templates;
static struct memory *memory;
static struct memory_page *page;

static int set_up(void **state)
{
    struct err err = {0};

    (void)state;
    memory = memory_new(1 << 24);
    page = memory_pin(memory, "one");
    page_set_cast(memory, page, 2, 1);
    return prompt_templates_load(NULL, &templates, &err) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    memory_free(memory);
    prompt_templates_done(&templates);
    return 0;
}

/* The prompt as "role:text|role:text|", without the system text. */
static char *told(int64_t seat, const char *window, size_t room_bytes)
{
    const struct prompt_wish wish = {
        .page = page, .seat = seat, .window = window, .room_bytes = room_bytes};
    struct prompt prompt = {0};
    struct err err = {0};
    struct buf text;

    if (!prompt_system(&templates, memory, page, seat, false, &err)
        || !prompt_build(&templates, &wish, &prompt, &err))
        fail_msg("%s", err.msg);
    buf_init(&text, 1 << 20);
    for (size_t i = 1; i < prompt.count; i++)
        buf_printf(&text, "%s:%.*s|", prompt.messages[i].role,
                   (int)prompt.messages[i].text.len, prompt.messages[i].text.at);
    prompt_done(&prompt);
    return buf_take(&text);
}

static void expect(int64_t seat, const char *wanted)
{
    char *text = told(seat, "", WIDE);

    assert_string_equal(text, wanted);
    free(text);
}

static void an_event_is_told_to_all_where_it_stands(void **state)
{
    (void)state;
    page_add(memory, page, 1, 1, "A1");
    page_stage(memory, page, "1-5", 0, "rain");
    page_add(memory, page, 2, 2, "B2");
    expect(1, "user:(The scene begins. Ada speaks first.)|assistant:A1|"
              "user:(Stage direction: rain)|user:Bo: B2|");
    expect(2, "user:Ada: A1|user:(Stage direction: rain)|assistant:B2|"
              "user:(There was no answer. Bo goes on.)|");
}

static void a_whisper_is_told_to_its_seat_only(void **state)
{
    (void)state;
    page_add(memory, page, 1, 1, "A1");
    page_stage(memory, page, "1-5", 2, "psst");
    expect(2, "user:Ada: A1|user:(Whispered to you alone, the others do not hear it: "
              "psst)|");
    /* For the other seat its own words are still the last. */
    expect(1, "user:(The scene begins. Ada speaks first.)|assistant:A1|"
              "user:(There was no answer. Ada goes on.)|");
}

static void the_one_who_opens_is_asked_to_though_something_happened_before(void **state)
{
    (void)state;
    page_stage(memory, page, "0-5", 0, "rain");
    expect(1,
           "user:(The scene begins. Ada speaks first.)|user:(Stage direction: rain)|");
    page_add(memory, page, 1, 1, "A1");
    page_add(memory, page, 2, 2, "B2");
    expect(1, "user:(The scene begins. Ada speaks first.)|user:(Stage direction: rain)|"
              "assistant:A1|user:Bo: B2|");
}

static void a_later_prompt_begins_with_the_earlier_one_whatever_was_put_in(void **state)
{
    char *before = NULL;
    char id[ENTRY_SIZE];

    (void)state;
    for (int64_t turn = 1; turn <= 21; turn += 2) {
        char *now;

        page_add(memory, page, turn, 2, "from Bo");
        fmt_into(id, sizeof id, "%lld-5", (long long)turn);
        page_stage(memory, page, id, turn % 3, "something");
        now = told(1, "", WIDE);
        if (before != NULL && strncmp(now, before, strlen(before)) != 0)
            fail_msg("%s does not begin with %s", now, before);
        free(before);
        before = now;
        page_add(memory, page, turn + 1, 1, "from Ada");
    }
    free(before);
}

/* The room is for what the seat is told: others' whispers take none of it. */
static void what_is_put_in_counts_for_the_room(void **state)
{
    size_t widths[3];

    (void)state;
    for (int64_t to = 0; to <= 2; to++) {
        char *text;

        memory_forget_all(memory); /* stays, emptied: it is pinned */
        page_set_cast(memory, page, 2, 1);
        page_add(memory, page, 1, 2, "first");
        for (int i = 0; i < 40; i++)
            page_stage(memory, page, "1-5", to, "something quite long happens here");
        page_add(memory, page, 2, 2, "last");
        text = told(1, "", 2000);
        widths[to] = strlen(text);
        assert_true(widths[to] <= 2000);
        assert_non_null(strstr(text, "user:Bo: last|"));
        assert_int_equal(strstr(text, "Bo: first") != NULL, to == 2);
        free(text);
    }
    assert_true(widths[0] > widths[2]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_event_is_told_to_all_where_it_stands),
        TEST(a_whisper_is_told_to_its_seat_only),
        TEST(the_one_who_opens_is_asked_to_though_something_happened_before),
        TEST(a_later_prompt_begins_with_the_earlier_one_whatever_was_put_in),
        TEST(what_is_put_in_counts_for_the_room),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

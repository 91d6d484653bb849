/* test_keymap.c - the table of keys: complete, without a key that means two things. */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdbool.h>
#include <cmocka.h>
/* clang-format on */

#include "observer/screen/keymap.h"

static const unsigned screens[] = {IN_WALL, IN_TALK, IN_FLEET, IN_HELP};
enum { SCREENS = sizeof screens / sizeof *screens, KEYS = 4 };

static void every_action_has_a_key(void **state)
{
    size_t count;
    const struct keymap_row *rows = keymap_rows(&count);
    bool found[ACTION_COUNT] = {true}; /* ACTION_NONE needs none */

    (void)state;
    for (size_t i = 0; i < count; i++) {
        found[rows[i].action] = true;
        assert_int_not_equal(rows[i].keys[0], KEY_NONE);
        assert_int_not_equal(rows[i].where & IN_SCREENS, 0);
    }
    for (int action = 0; action < ACTION_COUNT; action++)
        if (!found[action])
            fail_msg("action %d has no key", action);
}

/* Rows of live commands and of a replay never hold at once. */
static bool meet(const struct keymap_row *a, const struct keymap_row *b)
{
    unsigned both = a->where | b->where;

    return (a->where & b->where & IN_SCREENS) != 0
           && (both & (WITH_COMMANDS | WITH_REPLAY)) != (WITH_COMMANDS | WITH_REPLAY);
}

static void no_key_means_two_things_on_a_screen(void **state)
{
    size_t count;
    const struct keymap_row *rows = keymap_rows(&count);
    char name[KEYMAP_NAME_SIZE];

    (void)state;
    for (size_t i = 0; i < count * KEYS; i++)
        for (size_t j = i + 1; j < count * KEYS; j++) {
            int key = rows[i / KEYS].keys[i % KEYS];

            if (key != KEY_NONE && key == rows[j / KEYS].keys[j % KEYS]
                && meet(&rows[i / KEYS], &rows[j / KEYS]))
                fail_msg("%s means actions %d and %d", keymap_name(key, name),
                         rows[i / KEYS].action, rows[j / KEYS].action);
        }
}

static void what_stands_in_the_table_is_found(void **state)
{
    size_t count;
    const struct keymap_row *rows = keymap_rows(&count);

    (void)state;
    for (size_t i = 0; i < count * KEYS; i++) {
        const struct keymap_row *row = &rows[i / KEYS];
        int key = row->keys[i % KEYS];

        for (size_t s = 0; key != KEY_NONE && s < SCREENS; s++)
            if ((row->where & screens[s]) != 0)
                assert_int_equal(
                    keymap_find(key, screens[s] | (row->where & ~(unsigned)IN_SCREENS)),
                    row->action);
    }
    assert_int_equal(keymap_find(KEY_NONE, IN_SCREENS), ACTION_NONE);
    assert_int_equal(keymap_find('~', IN_SCREENS), ACTION_NONE);
}

static void commands_are_there_only_where_they_can_be_given(void **state)
{
    (void)state;
    assert_int_equal(keymap_find('x', IN_WALL), ACTION_NONE);
    assert_int_equal(keymap_find('x', IN_WALL | WITH_COMMANDS), ACTION_STOP);
    assert_int_equal(keymap_find('p', IN_WALL | WITH_COMMANDS), ACTION_PAUSE);
    assert_int_equal(keymap_find('p', IN_WALL | WITH_REPLAY), ACTION_HALT);
    assert_int_equal(keymap_find('p', IN_WALL), ACTION_NONE);
}

static void keys_have_names_people_know(void **state)
{
    char name[KEYMAP_NAME_SIZE];

    (void)state;
    assert_string_equal(keymap_name('q', name), "q");
    assert_string_equal(keymap_name(' ', name), "Space");
    assert_string_equal(keymap_name('L' & 0x1F, name), "Ctrl-L");
    assert_string_equal(keymap_name(KEY_PAGE_DOWN, name), "PgDn");
    assert_string_equal(keymap_name(KEY_RETURN, name), "Enter");
}

static void steps(enum action action, int64_t page, int64_t wanted)
{
    int64_t by = 0;

    assert_true(keymap_steps(action, page, &by));
    assert_int_equal(by, wanted);
}

static void test_a_list_moves_by_rows_pages_and_halves_and_always_by_one_at_least(
    void **state)
{
    int64_t by = 7;

    (void)state;
    steps(ACTION_UP, 9, -1);
    steps(ACTION_DOWN, 9, 1);
    steps(ACTION_PAGE_UP, 9, -9);
    steps(ACTION_PAGE_DOWN, 9, 9);
    steps(ACTION_HALF_UP, 9, -5);
    steps(ACTION_HALF_DOWN, 9, 5);
    steps(ACTION_PAGE_DOWN, 0, 1);
    steps(ACTION_HALF_UP, 0, -1);
    assert_false(keymap_steps(ACTION_TOP, 9, &by));
    assert_int_equal(by, 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(
            test_a_list_moves_by_rows_pages_and_halves_and_always_by_one_at_least),
        cmocka_unit_test(every_action_has_a_key),
        cmocka_unit_test(no_key_means_two_things_on_a_screen),
        cmocka_unit_test(what_stands_in_the_table_is_found),
        cmocka_unit_test(commands_are_there_only_where_they_can_be_given),
        cmocka_unit_test(keys_have_names_people_know),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

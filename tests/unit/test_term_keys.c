/* test_term_keys.c - bytes of a terminal taken apart into keys, however they are cut.
 */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "observer/screen/keymap.h"
#include "observer/screen/term_keys.h"

struct seen {
    int keys[64];
    size_t count;
    char pasted[64]; /* ASCII of it */
    size_t pasted_count;
    int clicks, wheel_up, wheel_down;
    unsigned row, col;
};

static void on_key(void *owner, int key)
{
    struct seen *seen = owner;

    assert_in_range(seen->count, 0, 63);
    seen->keys[seen->count++] = key;
}

static void on_paste(void *owner, int key)
{
    struct seen *seen = owner;

    assert_in_range(seen->pasted_count, 0, 62);
    seen->pasted[seen->pasted_count++] = (char)key;
}

static void on_mouse(void *owner, enum term_mouse what, unsigned row, unsigned col)
{
    struct seen *seen = owner;

    seen->clicks += what == TERM_CLICK;
    seen->wheel_up += what == TERM_WHEEL_UP;
    seen->wheel_down += what == TERM_WHEEL_DOWN;
    seen->row = row;
    seen->col = col;
}

static void init(struct term_keys *keys, struct seen *seen)
{
    *seen = (struct seen){0};
    term_keys_init(keys);
    keys->on_key = on_key;
    keys->on_paste = on_paste;
    keys->on_mouse = on_mouse;
    keys->owner = seen;
}

/* The keys, whatever pieces the bytes come in. */
static void check(const char *bytes, const int *wanted)
{
    size_t len = strlen(bytes);

    for (size_t piece = 1; piece <= len; piece++) {
        struct term_keys keys;
        struct seen seen;
        size_t count = 0;

        init(&keys, &seen);
        term_keys_name(&keys, "\033[25~", KEY_DELETE);
        for (size_t at = 0; at < len; at += piece)
            term_keys_feed(&keys,
                           str_make(bytes + at, len - at < piece ? len - at : piece));
        term_keys_flush(&keys);
        for (; wanted[count] != 0; count++)
            assert_int_equal(seen.keys[count], wanted[count]);
        assert_int_equal(seen.count, count);
        assert_false(term_keys_waiting(&keys));
    }
}

#define WANTED(...) ((const int[]){__VA_ARGS__, 0})

static void characters_are_their_code_points(void **state)
{
    (void)state;
    check("q", WANTED('q'));
    check("\xC3\xA9\xE4\xBD\xA0\xF0\x9F\x98\x80", WANTED(0xE9, 0x4F60, 0x1F600));
    check("\r\n\t\177\b",
          WANTED(KEY_RETURN, KEY_RETURN, KEY_TAB, KEY_RUBOUT, KEY_RUBOUT));
    check("\x03", WANTED(3));
}

static void broken_bytes_are_no_keys(void **state)
{
    (void)state;
    check("a\xFF\xC3z\x80", WANTED('a', 'z'));
}

static void sequences_are_keys(void **state)
{
    (void)state;
    check("\033[A\033OB\033[C\033OD",
          WANTED(KEY_CURSOR_UP, KEY_CURSOR_DOWN, KEY_CURSOR_RIGHT, KEY_CURSOR_LEFT));
    check("\033[5~\033[6~\033[H\033[4~\033[3~\033[Z",
          WANTED(KEY_PAGE_UP, KEY_PAGE_DOWN, KEY_TO_HOME, KEY_TO_END, KEY_DELETE,
                 KEY_BACK_TAB));
    check("\033OPx\033[[A", WANTED(KEY_F1_HELP, 'x', KEY_F1_HELP));
    check("\033[25~", WANTED(KEY_DELETE)); /* named by terminfo */
}

static void an_escape_alone_is_a_key_when_nothing_follows(void **state)
{
    struct term_keys keys;
    struct seen seen;

    (void)state;
    init(&keys, &seen);
    term_keys_feed(&keys, str_of("\033"));
    assert_int_equal(seen.count, 0);
    assert_true(term_keys_waiting(&keys));
    term_keys_flush(&keys);
    assert_int_equal(seen.keys[0], KEY_ESCAPE);
    check("\033q", WANTED(KEY_ESCAPE, 'q'));
    check("\033\033", WANTED(KEY_ESCAPE, KEY_ESCAPE));
    check("\033[", WANTED(KEY_ESCAPE, '['));
}

static void what_nobody_knows_is_swallowed_whole(void **state)
{
    (void)state;
    check("\033[99~q", WANTED('q'));
    check("\033[1;5Aq", WANTED('q'));
    check("\033[?1;2cq", WANTED('q')); /* an answer of a terminal */
    check("\033["
          "11111111112222222222333333333344444444445555555555666666666677777777778~q",
          WANTED('q'));
}

static void what_is_pasted_is_told_apart_from_what_is_typed(void **state)
{
    static const char bytes[] = "a\033[200~x\ry\033[A\033q\033OPz\033[201~b";
    size_t len = sizeof bytes - 1;

    (void)state;
    for (size_t piece = 1; piece <= len; piece++) {
        struct term_keys keys;
        struct seen seen;

        init(&keys, &seen);
        for (size_t at = 0; at < len; at += piece)
            term_keys_feed(&keys,
                           str_make(bytes + at, len - at < piece ? len - at : piece));
        assert_int_equal(seen.count, 2);
        assert_int_equal(seen.keys[0], 'a');
        assert_int_equal(seen.keys[1], 'b');
        assert_string_equal(seen.pasted, "x\ryqz");
        assert_false(term_keys_waiting(&keys));
    }
}

static void a_paste_whose_end_is_lost_is_over_when_nothing_comes(void **state)
{
    struct term_keys keys;
    struct seen seen;

    (void)state;
    init(&keys, &seen);
    term_keys_feed(&keys, str_of("\033[200~x"));
    assert_true(term_keys_waiting(&keys));
    term_keys_flush(&keys);
    assert_false(term_keys_waiting(&keys));
    term_keys_feed(&keys, str_of("q"));
    assert_int_equal(seen.keys[0], 'q');
    assert_string_equal(seen.pasted, "x");
}

static void the_mouse_tells_cells_from_0(void **state)
{
    struct term_keys keys;
    struct seen seen;

    (void)state;
    init(&keys, &seen);
    term_keys_feed(&keys, str_of("\033[<0;12;5M\033[<0;12;5m"));
    assert_int_equal(seen.clicks, 1);
    assert_int_equal(seen.row, 4);
    assert_int_equal(seen.col, 11);
    term_keys_feed(&keys, str_of("\033[<64;1;1M\033[<65;1;1M\033[<65;1;1M"));
    assert_int_equal(seen.wheel_up, 1);
    assert_int_equal(seen.wheel_down, 2);
    term_keys_feed(&keys, str_of("\033[<0;0;5M\033[<0;1M\033[<0;1;M"));
    assert_int_equal(seen.clicks, 1);
    assert_int_equal(seen.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_their_code_points),
        cmocka_unit_test(broken_bytes_are_no_keys),
        cmocka_unit_test(sequences_are_keys),
        cmocka_unit_test(an_escape_alone_is_a_key_when_nothing_follows),
        cmocka_unit_test(what_nobody_knows_is_swallowed_whole),
        cmocka_unit_test(what_is_pasted_is_told_apart_from_what_is_typed),
        cmocka_unit_test(a_paste_whose_end_is_lost_is_over_when_nothing_comes),
        cmocka_unit_test(the_mouse_tells_cells_from_0),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

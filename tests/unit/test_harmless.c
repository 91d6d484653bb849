/* test_harmless.c - nothing that comes from outside moves the cursor, hides or turns
 * round text on a terminal or in a log line (utf8_harmless, log_safe).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"

/* cmocka.h needs the three before it. clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
/* clang-format on */

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define BAD         "\xEF\xBF\xBD" /* U+FFFD */

static char *harmless(struct str text, bool keep_newlines)
{
    struct buf into;

    buf_init(&into, 1 << 16);
    assert_true(utf8_harmless(text, keep_newlines, &into));
    return buf_take(&into);
}

static void expect_shown(uint32_t point, bool shown)
{
    char room[4];
    char wanted[16];
    struct str bytes = str_make(room, utf8_encode(point, room));
    char *got = harmless(bytes, false);

    (void)snprintf(wanted, sizeof wanted, "<U+%04X>", (unsigned)point);
    if (shown ? strcmp(got, wanted) != 0 : !str_eq(str_of(got), bytes))
        fail_msg("U+%04X came out as '%s'", (unsigned)point, got);
    free(got);
}

static void characters_that_act_or_hide_are_shown_by_number(void **state)
{
    static const struct {
        uint32_t low, high;
    } harmful[] = {
        {0x00, 0x1F},       /* C0, with ESC */
        {0x7F, 0x9F},       /* DEL and C1, with CSI */
        {0xAD, 0xAD},       /* soft hyphen */
        {0x61C, 0x61C},     /* Arabic letter mark */
        {0x180E, 0x180E},   /* Mongolian vowel separator */
        {0x200B, 0x200C},   /* zero-width space, non-joiner */
        {0x200E, 0x200F},   /* left-to-right, right-to-left mark */
        {0x2028, 0x202E},   /* line and paragraph separator, bidi embeddings */
        {0x2060, 0x206F},   /* word joiner, invisible operators, bidi isolates */
        {0xFEFF, 0xFEFF},   /* byte order mark */
        {0xFFF9, 0xFFFB},   /* interlinear annotation */
        {0xE0000, 0xE01EF}, /* tags, and the supplement of variation selectors */
    };

    (void)state;
    for (size_t i = 0; i < COUNT(harmful); i++)
        for (uint32_t point = harmful[i].low; point <= harmful[i].high; point++)
            expect_shown(point, true);
}

static void text_of_all_scripts_and_emoji_stay(void **state)
{
    static const struct {
        uint32_t low, high;
    } plain[] = {
        {0x20, 0x7E},     {0xA0, 0xAC},     {0xAE, 0x61B},    {0x61D, 0x180D},
        {0x180F, 0x200A}, {0x200D, 0x200D}, {0x2010, 0x2027}, {0x202F, 0x205F},
        {0x2070, 0xD7FF}, {0xE000, 0xFEFE}, {0xFFFC, 0xFFFD}, {0x10000, 0x1FFFF},
    };
    static const char family[] = "\xF0\x9F\x91\xA9\xE2\x80\x8D\xF0\x9F\x94\xAC"
                                 "\xE2\x9D\xA4\xEF\xB8\x8F"; /* joiner, selector */
    char *got = harmless(str_of(family), false);

    (void)state;
    for (size_t i = 0; i < COUNT(plain); i++)
        for (uint32_t point = plain[i].low; point <= plain[i].high; point++)
            expect_shown(point, false);
    assert_string_equal(got, family);
    free(got);
}

static void newlines_and_tabs_stay_only_where_wanted(void **state)
{
    char *kept = harmless(str_of("a\n\tb\r\x1B[2J"), true);
    char *shown = harmless(str_of("a\n\tb\r\x1B[2J"), false);

    (void)state;
    assert_string_equal(kept, "a\n\tb<U+000D><U+001B>[2J");
    assert_string_equal(shown, "a<U+000A><U+0009>b<U+000D><U+001B>[2J");
    free(kept);
    free(shown);
}

static void ill_formed_bytes_are_mended_first(void **state)
{
    static const struct {
        struct str bytes;
        const char *shown;
    } cases[] = {
        {{"\xC3", 1}, BAD},
        {{"\xED\xA0\x80", 3}, BAD BAD BAD},  /* a lone surrogate */
        {{"\xC0\x9B[2J", 5}, BAD BAD "[2J"}, /* ESC in an overlong form */
        {{"\xE0\x80\x9B", 3}, BAD BAD BAD},  /* the same, longer */
        {{"\x9B"
          "2J",
          3},
         BAD "2J"}, /* CSI as one byte */
        {{"\xC2\x9B"
          "2J",
          4},
         "<U+009B>2J"}, /* and as a character */
        {{"\xF0\x9F\x98\x1B", 4}, BAD "<U+001B>"},
        {{"a\0b", 3}, "a<U+0000>b"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *got = harmless(cases[i].bytes, true);

        assert_string_equal(got, cases[i].shown);
        free(got);
    }
}

static void what_is_harmless_stays_as_it_is(void **state)
{
    for (unsigned n = 0; n < 65536; n++) {
        char bytes[2] = {(char)(n >> 8), (char)(n & 0xFF)};
        char *once = harmless(str_make(bytes, 2), false);
        char *twice = harmless(str_of(once), false);

        (void)state;
        if (strcmp(once, twice) != 0 || strpbrk(once, "\x1B\n\r\t\x7F") != NULL)
            fail_msg("bytes %04X gave '%s'", n, once);
        free(once);
        free(twice);
    }
}

static void a_log_value_is_cut_between_characters(void **state)
{
    static const char face[4] = {'\xF0', '\x9F', '\x98', '\x80'};
    char text[400];

    (void)state;
    assert_string_equal(log_safe(str_of("a\nb")), "a<U+000A>b");
    assert_string_equal(log_safe(str_of("")), "");
    memset(text, 'a', sizeof text);
    assert_int_equal(strlen(log_safe(str_make(text, 160))), 160);
    assert_int_equal(strlen(log_safe(str_make(text, 161))), 163);
    assert_string_equal(log_safe(str_make(text, 161)) + 160, "...");
    for (size_t at = 155; at < 160; at++) { /* a character of four bytes at the cut */
        const char *cut;

        memset(text, 'a', sizeof text);
        memcpy(text + at, face, sizeof face);
        cut = log_safe(str_make(text, 300));
        assert_null(strstr(cut, BAD));
        assert_string_equal(cut + strlen(cut) - 3, "...");
    }
}

static void hostile_log_values_stay_short(void **state)
{
    static const char bytes[] = {'\x1B', '\x80', '\xFF', '\0'};
    char text[4096];

    (void)state;
    for (size_t i = 0; i < COUNT(bytes); i++) {
        const char *shown;

        memset(text, bytes[i], sizeof text);
        shown = log_safe(str_make(text, sizeof text));
        assert_in_range(strlen(shown), 4, 399); /* something is shown, and "..." */
        assert_string_equal(shown + strlen(shown) - 3, "...");
        assert_true(utf8_valid(str_of(shown)));
        assert_null(strpbrk(shown, "\x1B\n"));
    }
}

static void eight_values_may_stand_in_one_line(void **state)
{
    const char *values[8];

    (void)state;
    for (int i = 0; i < 8; i++) {
        char digit[2] = {(char)('0' + i), '\0'};

        values[i] = log_safe(str_of(digit));
    }
    for (int i = 0; i < 8; i++) {
        assert_int_equal(values[i][0], '0' + i);
        assert_int_equal(values[i][1], '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_that_act_or_hide_are_shown_by_number),
        cmocka_unit_test(text_of_all_scripts_and_emoji_stay),
        cmocka_unit_test(newlines_and_tabs_stay_only_where_wanted),
        cmocka_unit_test(ill_formed_bytes_are_mended_first),
        cmocka_unit_test(what_is_harmless_stays_as_it_is),
        cmocka_unit_test(a_log_value_is_cut_between_characters),
        cmocka_unit_test(hostile_log_values_stay_short),
        cmocka_unit_test(eight_values_may_stand_in_one_line),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

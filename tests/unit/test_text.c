/* test_text.c - text from outside: harmless, in clusters, measured; held against
 * Unicode's own files (Debian's unicode-data). */
/* cmocka.h needs those before it; clang-format would sort them. */
/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
/* clang-format on */

#include "base/utf8.h"
#include "base/width.h"
#include "observer/screen/text.h"

enum { LINE_BYTES = 4096, CLEAN_MAX_BYTES = 1 << 16 };

static void clean(const char *text, enum text_lines lines, const char *wanted)
{
    struct buf out;
    struct buf again;

    buf_init(&out, CLEAN_MAX_BYTES);
    buf_init(&again, CLEAN_MAX_BYTES);
    assert_true(text_clean(str_of(text), lines, &out));
    assert_string_equal(buf_text(&out), wanted);
    assert_true(text_clean(buf_str(&out), lines, &again));
    assert_string_equal(buf_text(&again), wanted);
    buf_done(&out);
    buf_done(&again);
}

static void nothing_that_moves_a_cursor_is_left(void **state)
{
    (void)state;
    clean("a\nb\tc", TEXT_ONE_LINE, "a b c");
    clean("a\r\nb\tc", TEXT_LINES, "a\nb    c");
    clean("a\rb", TEXT_LINES, "a<U+000D>b");
    clean("\033[2J\033]52;c;eA==\007", TEXT_LINES,
          "<U+001B>[2J<U+001B>]52;c;eA==<U+0007>");
    clean("\xC2\x9B"
          "2J\x9B"
          "2J",
          TEXT_ONE_LINE,
          "<U+009B>2J\xEF\xBF\xBD"
          "2J");
    clean("\xE2\x80\xAEtxt.exe", TEXT_ONE_LINE, "<U+202E>txt.exe");
}

static void a_full_buffer_is_told(void **state)
{
    struct buf out;

    (void)state;
    buf_init(&out, 4);
    assert_false(text_clean(str_of("12345"), TEXT_ONE_LINE, &out));
    buf_done(&out);
}

static void what_has_nothing_to_stand_on_takes_a_column(void **state)
{
    unsigned columns = 0;

    (void)state;
    assert_int_equal(text_next(str_of("\xCC\x81"), &columns), 2);
    assert_int_equal(columns, 1);
    assert_true(text_is_bare(str_of("\xCC\x81")));
    assert_false(text_is_bare(str_of("a\xCC\x81")));
    assert_int_equal(text_columns(str_of("\xCC\x81")), 1);
    assert_int_equal(text_next(str_of(""), &columns), 0);
}

static void a_view_scrolled_into_a_wide_character_leaves_a_blank(void **state)
{
    static const char text[] = "a\xE4\xBD\xA0z"; /* a, a Chinese character, z */
    unsigned left = 9;

    (void)state;
    assert_int_equal(text_skip(str_of(text), 0, &left), 0);
    assert_int_equal(left, 0);
    assert_int_equal(text_skip(str_of(text), 1, &left), 1);
    assert_int_equal(left, 0);
    assert_int_equal(text_skip(str_of(text), 2, &left), 4);
    assert_int_equal(left, 1);
    assert_int_equal(text_skip(str_of(text), 3, &left), 4);
    assert_int_equal(left, 0);
    assert_int_equal(text_skip(str_of(text), 99, &left), 5);
    assert_int_equal(text_fit(str_of(text), 2), 1);
    assert_int_equal(text_fit(str_of(text), 3), 4);
}

/* ---- against Unicode's files ---- */

static FILE *open_unicode(const char *name)
{
    char path[256];
    FILE *file;

    fmt_into(path, sizeof path, "/usr/share/unicode/%s", name);
    file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s is not there: make deps", path);
    return file;
}

static bool is_hangul_wide(uint32_t point)
{
    return point == 0x1100 || point == 0xAC00 || point == 0xAC01;
}

/* One line of the test: its text, and where clusters begin in it. False for a line
 * whose clusters are others with us, on purpose: controls (made harmless before), marks
 * and prefixes that take a column of their own in terminals, and parts of old Hangul
 * syllables as terminals take them: vowels and tails have no width and join whatever
 * is before, wide ones stand alone; so does a skin tone without a skin. */
static bool read_breaks(char *line, struct buf *text, size_t *begins, size_t *ret_count)
{
    char *rest = NULL;
    uint32_t last = 0;
    size_t count = 0;

    for (char *word = strtok_r(line, " \t", &rest); word != NULL && word[0] != '#';
         word = strtok_r(NULL, " \t", &rest)) {
        uint32_t point = (uint32_t)strtoul(word, NULL, 16);
        char bytes[4];

        if (strcmp(word, "\xC3\xB7") == 0)
            begins[count++] = text->len;
        if ((unsigned char)word[0] >= 0x80)
            continue;
        if (point < ' ' || (point >= 0xD800 && point < 0xE000) || point == 0x600
            || (point >= 0x903 && point <= 0x94F) || (point == 0x1160 && last != 0x1100)
            || point == 0x11A8 || (last == 0x1100 && is_hangul_wide(point))
            || (last == 0x61 && point == 0x1F3FF))
            return false;
        assert_true(buf_add(text, bytes, utf8_encode(point, bytes)));
        last = point;
    }
    *ret_count = count;
    return true;
}

static void check_clusters(struct str text, const size_t *begins, size_t count,
                           const char *line)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) { /* the last one begins at the end */
        unsigned columns;

        if (at != begins[i])
            fail_msg("%s", line);
        at += text_next(str_make(text.at + at, text.len - at), &columns);
        assert_in_range(columns, i + 1 < count, 2);
    }
}

static void clusters_are_those_of_unicode(void **state)
{
    FILE *file = open_unicode("auxiliary/GraphemeBreakTest.txt");
    char line[LINE_BYTES];
    char words[LINE_BYTES];
    int checked = 0;

    (void)state;
    while (fgets(line, sizeof line, file) != NULL) {
        struct buf text;
        size_t begins[64];
        size_t count = 0;

        buf_init(&text, LINE_BYTES);
        memcpy(words, line, sizeof words);
        if (line[0] != '#' && read_breaks(words, &text, begins, &count)) {
            check_clusters(buf_str(&text), begins, count, line);
            checked++;
        }
        buf_done(&text);
    }
    (void)fclose(file);
    assert_in_range(checked, 200, 10000);
}

/* "1F300..1F320;W". */
static bool read_width(char *line, uint32_t *ret_low, uint32_t *ret_high,
                       bool *ret_wide)
{
    char *end;

    /* Of points that are nobody's (Cn) our table closes gaps. */
    if (line[0] == '#' || line[0] == '\n' || strstr(line, "# Cn") != NULL)
        return false;
    *ret_low = *ret_high = (uint32_t)strtoul(line, &end, 16);
    if (end[0] == '.')
        *ret_high = (uint32_t)strtoul(end + 2, &end, 16);
    while (*end == ' ' || *end == ';')
        end++;
    *ret_wide = end[0] == 'W' || end[0] == 'F';
    return true;
}

static void wide_is_what_unicode_calls_wide(void **state)
{
    FILE *file = open_unicode("EastAsianWidth.txt");
    char line[LINE_BYTES];
    uint32_t low, high;
    int checked = 0;
    bool wide;

    (void)state;
    while (fgets(line, sizeof line, file) != NULL) {
        if (!read_width(line, &low, &high, &wide))
            continue;
        for (uint32_t point = low; point <= high; point++) {
            unsigned columns = width_point(point);

            if (columns != 0 && (columns == 2) != wide)
                fail_msg("U+%04X: %u columns", (unsigned)point, columns);
            checked++;
        }
    }
    (void)fclose(file);
    assert_in_range(checked, 200000, 1114112);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_that_moves_a_cursor_is_left),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(what_has_nothing_to_stand_on_takes_a_column),
        cmocka_unit_test(a_view_scrolled_into_a_wide_character_leaves_a_blank),
        cmocka_unit_test(clusters_are_those_of_unicode),
        cmocka_unit_test(wide_is_what_unicode_calls_wide),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

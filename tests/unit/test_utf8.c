/* test_utf8.c - bytes from outside become well-formed text, whatever the chunks; and
 * text that may go to a terminal.
 */
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

/* Bytes and what they are mended to. */
static const struct {
    struct str bytes;
    const char *mended;
} cases[] = {
    {{"", 0}, ""},
    {{"plain", 5}, "plain"},
    {{"\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80", 9},
     "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {{"\x7F\xC2\x80\xDF\xBF", 5}, "\x7F\xC2\x80\xDF\xBF"},
    {{"\xE0\xA0\x80\xEF\xBF\xBF", 6}, "\xE0\xA0\x80\xEF\xBF\xBF"},
    {{"\xED\x9F\xBF\xEE\x80\x80", 6}, "\xED\x9F\xBF\xEE\x80\x80"},
    {{"\xF0\x90\x80\x80\xF4\x8F\xBF\xBF", 8}, "\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"},
    /* Continuation bytes alone, and bytes that never occur. */
    {{"\x80", 1}, BAD},
    {{"a\xBF\xBF"
      "b",
      4},
     "a" BAD BAD "b"},
    {{"\xC0\xC1\xF5\xFE\xFF", 5}, BAD BAD BAD BAD BAD},
    /* Overlong forms of '/', of NUL, of U+07FF and U+FFFF. */
    {{"\xC0\xAF", 2}, BAD BAD},
    {{"\xC0\x80", 2}, BAD BAD},
    {{"\xE0\x80\xAF", 3}, BAD BAD BAD},
    {{"\xE0\x9F\xBF", 3}, BAD BAD BAD},
    {{"\xF0\x80\x80\xAF", 4}, BAD BAD BAD BAD},
    {{"\xF0\x8F\xBF\xBF", 4}, BAD BAD BAD BAD},
    /* Surrogates, alone and as a pair; beyond U+10FFFF. */
    {{"\xED\xA0\x80", 3}, BAD BAD BAD},
    {{"\xED\xBF\xBF", 3}, BAD BAD BAD},
    {{"\xED\xA0\xBD\xED\xB8\x80", 6}, BAD BAD BAD BAD BAD BAD},
    {{"\xF4\x90\x80\x80", 4}, BAD BAD BAD BAD},
    {{"\xF8\x88\x80\x80\x80", 5}, BAD BAD BAD BAD BAD},
    /* Maximal subparts: one replacement a truncated character (Unicode 15, 3.9). */
    {{"\xC3", 1}, BAD},
    {{"\xC3"
      "a",
      2},
     BAD "a"},
    {{"\xE2\x82", 2}, BAD},
    {{"\xE2\x82"
      "a",
      3},
     BAD "a"},
    {{"\xF0\x9F\x98", 3}, BAD},
    {{"\xF0\x9F\x98\xC3\xA4", 5}, BAD "\xC3\xA4"},
    {{"\xF0\x9F\xE2\x82\xAC", 5}, BAD "\xE2\x82\xAC"},
    {{"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 9}, BAD BAD BAD BAD "A"},
    {{"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 9}, BAD BAD BAD BAD BAD "A" BAD BAD "B"},
    {{"a\0b\xC3", 4}, NULL}, /* holds a NUL: looked at below */
};

static char *mend(struct str bytes)
{
    struct buf text;

    buf_init(&text, 1 << 16);
    assert_true(utf8_mend(bytes, &text));
    return buf_take(&text);
}

static void each_ill_formed_piece_becomes_one_replacement(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        char *got;

        if (cases[i].mended == NULL)
            continue;
        got = mend(cases[i].bytes);
        if (strcmp(got, cases[i].mended) != 0)
            fail_msg("case %zu", i);
        assert_int_equal(utf8_valid(cases[i].bytes),
                         str_is(cases[i].bytes, cases[i].mended));
        assert_true(utf8_valid(str_of(got)));
        free(got);
    }
}

static void a_nul_is_a_character_like_others(void **state)
{
    struct buf text;

    (void)state;
    buf_init(&text, 100);
    assert_true(utf8_valid(str_make("a\0b", 3)));
    assert_true(utf8_mend(str_make("a\0b\xC3", 4), &text));
    assert_int_equal(text.len, 6);
    assert_memory_equal(text.at, "a\0b" BAD, 6);
    buf_done(&text);
}

/* The bytes in two chunks cut at `first`, then in chunks of one. */
static void feed_in_pieces(struct str bytes, size_t first, struct buf *into)
{
    struct utf8_stream stream = {0};

    assert_true(utf8_feed(&stream, str_make(bytes.at, first), into));
    if (first < bytes.len)
        assert_true(
            utf8_feed(&stream, str_make(bytes.at + first, bytes.len - first), into));
    assert_true(utf8_end(&stream, into));
    assert_int_equal(stream.held_count, 0);
}

static void feed_one_by_one(struct str bytes, struct buf *into)
{
    struct utf8_stream stream = {0};

    for (size_t i = 0; i < bytes.len; i++) {
        assert_true(utf8_feed(&stream, str_make(bytes.at + i, 1), into));
        assert_true(utf8_feed(&stream, str_of(""), into));
        assert_true(stream.held_count <= 3);
    }
    assert_true(utf8_end(&stream, into));
}

static void chunk_borders_change_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct buf whole;
        struct buf pieces;

        buf_init(&whole, 1000);
        buf_init(&pieces, 1000);
        assert_true(utf8_mend(cases[i].bytes, &whole));
        for (size_t cut = 0; cut <= cases[i].bytes.len; cut++) {
            buf_clear(&pieces);
            feed_in_pieces(cases[i].bytes, cut, &pieces);
            assert_true(str_eq(buf_str(&pieces), buf_str(&whole)));
        }
        buf_clear(&pieces);
        feed_one_by_one(cases[i].bytes, &pieces);
        assert_true(str_eq(buf_str(&pieces), buf_str(&whole)));
        buf_done(&pieces);
        buf_done(&whole);
    }
}

/* All 65,536 pairs of bytes behind each kind of start: no input is left unmended. */
static void any_bytes_are_mended_to_well_formed_text_in_any_chunks(void **state)
{
    static const char *const starts[] = {"", "\xC3", "\xE2\x82", "\xF0\x9F\x98"};
    struct buf whole;
    struct buf pieces;

    (void)state;
    buf_init(&whole, 100);
    buf_init(&pieces, 100);
    for (unsigned n = 0; n < 4 * 65536; n++) {
        char bytes[8];
        size_t len = strlen(starts[n >> 16]);

        memcpy(bytes, starts[n >> 16], len);
        bytes[len] = (char)(n >> 8 & 0xFF);
        bytes[len + 1] = (char)(n & 0xFF);
        buf_clear(&whole);
        buf_clear(&pieces);
        if (!utf8_mend(str_make(bytes, len + 2), &whole)
            || !utf8_valid(buf_str(&whole)))
            fail_msg("start %u, bytes %04X", n >> 16, n & 0xFFFF);
        feed_one_by_one(str_make(bytes, len + 2), &pieces);
        if (!str_eq(buf_str(&whole), buf_str(&pieces)))
            fail_msg("start %u, bytes %04X in pieces", n >> 16, n & 0xFFFF);
    }
    buf_done(&whole);
    buf_done(&pieces);
}

/* Writes a code point; surrogates too, as bytes that are ill-formed. */
static struct str encode(uint32_t point, char room[4])
{
    if (point < 0x80) {
        room[0] = (char)point;
        return str_make(room, 1);
    }
    if (point < 0x800) {
        room[0] = (char)(0xC0 | point >> 6);
        room[1] = (char)(0x80 | (point & 0x3F));
        return str_make(room, 2);
    }
    if (point < 0x10000) {
        room[0] = (char)(0xE0 | point >> 12);
        room[1] = (char)(0x80 | (point >> 6 & 0x3F));
        room[2] = (char)(0x80 | (point & 0x3F));
        return str_make(room, 3);
    }
    room[0] = (char)(0xF0 | point >> 18);
    room[1] = (char)(0x80 | (point >> 12 & 0x3F));
    room[2] = (char)(0x80 | (point >> 6 & 0x3F));
    room[3] = (char)(0x80 | (point & 0x3F));
    return str_make(room, 4);
}

static bool same_bytes(struct str bytes, uint32_t point)
{
    char room[4];

    return utf8_encode(point, room) == bytes.len
           && memcmp(room, bytes.at, bytes.len) == 0;
}

static void every_code_point_is_decoded_and_encoded_and_surrogates_are_not(void **state)
{
    (void)state;
    for (uint32_t point = 0; point <= 0x10FFFF; point++) {
        char room[4];
        struct str bytes = encode(point, room);
        bool surrogate = point >= 0xD800 && point <= 0xDFFF;
        uint32_t got = 1;

        if (utf8_valid(bytes) == surrogate)
            fail_msg("U+%04X", (unsigned)point);
        if (utf8_decode(bytes, &got) != (surrogate ? 0 : bytes.len)
            || (!surrogate && got != point))
            fail_msg("U+%04X gave U+%04X", (unsigned)point, (unsigned)got);
        if (!surrogate && !same_bytes(bytes, point))
            fail_msg("U+%04X was encoded otherwise", (unsigned)point);
        if (bytes.len > 1 && utf8_decode(str_make(bytes.at, bytes.len - 1), &got) != 0)
            fail_msg("U+%04X was decoded from its start", (unsigned)point);
    }
    assert_int_equal(utf8_decode(str_of(""), NULL), 0);
}

static void a_full_buffer_stops_the_mending(void **state)
{
    struct buf text;
    struct utf8_stream stream = {0};

    (void)state;
    buf_init(&text, 4);
    assert_false(utf8_mend(str_of("abcde"), &text));
    buf_clear(&text);
    assert_false(utf8_mend(str_of("ab\xFF"), &text));
    buf_clear(&text);
    assert_false(utf8_harmless(str_of("\x1B"), true, &text));
    buf_clear(&text);
    assert_true(utf8_feed(&stream, str_of("abc\xE2"), &text));
    assert_true(utf8_feed(&stream, str_of("\x82"), &text));
    assert_false(utf8_feed(&stream, str_of("\xAC"), &text));
    stream.held_count = 1;
    assert_false(utf8_end(&stream, &text));
    buf_done(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_ill_formed_piece_becomes_one_replacement),
        cmocka_unit_test(a_nul_is_a_character_like_others),
        cmocka_unit_test(chunk_borders_change_nothing),
        cmocka_unit_test(any_bytes_are_mended_to_well_formed_text_in_any_chunks),
        cmocka_unit_test(
            every_code_point_is_decoded_and_encoded_and_surrogates_are_not),
        cmocka_unit_test(a_full_buffer_stops_the_mending),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* term_keys.c - see term_keys.h. */
#include "term_keys.h"

#include <string.h>

#include "base/utf8.h"
#include "keymap.h"

enum { ESC = 0x1B, BS = 0x08, LINE_FEED = 0x0A, COLUMNS_MAX = 100000 };

/* What nearly all terminals send, behind ESC [ or ESC O. */
static const struct {
    const char *rest;
    int key;
} usual[] = {
    {"A", KEY_CURSOR_UP},   {"B", KEY_CURSOR_DOWN}, {"C", KEY_CURSOR_RIGHT},
    {"D", KEY_CURSOR_LEFT}, {"H", KEY_TO_HOME},     {"F", KEY_TO_END},
    {"1~", KEY_TO_HOME},    {"7~", KEY_TO_HOME},    {"4~", KEY_TO_END},
    {"8~", KEY_TO_END},     {"5~", KEY_PAGE_UP},    {"6~", KEY_PAGE_DOWN},
    {"3~", KEY_DELETE},     {"Z", KEY_BACK_TAB},    {"P", KEY_F1_HELP},
    {"11~", KEY_F1_HELP},   {"[A", KEY_F1_HELP},    {"M", KEY_RETURN},
};

void term_keys_init(struct term_keys *keys)
{
    *keys = (struct term_keys){0};
}

void term_keys_name(struct term_keys *keys, const char *bytes, int key)
{
    size_t len = bytes == NULL ? 0 : strlen(bytes);

    if (len < 2 || bytes[0] != ESC || len >= sizeof keys->named[0].bytes
        || keys->named_count == TERM_KEYS_NAMED_MAX)
        return;
    memcpy(keys->named[keys->named_count].bytes, bytes, len + 1);
    keys->named[keys->named_count++].key = key;
}

static void tell(struct term_keys *keys, int key)
{
    if (key != KEY_NONE && keys->on_key != NULL && !keys->pasting)
        keys->on_key(keys->owner, key);
}

static void tell_character(struct term_keys *keys, int key)
{
    if (!keys->pasting)
        tell(keys, key);
    else if (keys->on_paste != NULL)
        keys->on_paste(keys->owner, key);
}

/* ---- sequences ---- */

static void tell_mouse(struct term_keys *keys, enum term_mouse what, int64_t row,
                       int64_t col)
{
    if (keys->on_mouse != NULL && !keys->pasting)
        keys->on_mouse(keys->owner, what, (unsigned)row - 1, (unsigned)col - 1);
}

/* "<0;12;5M": button, column, row; M pressed, m released. */
static void read_mouse(struct term_keys *keys, struct str sequence)
{
    enum { BUTTON_LEFT = 0, WHEEL_UP = 64, WHEEL_DOWN = 65 };
    struct str rest = str_make(sequence.at + 1, sequence.len - 2);
    struct str words[2];
    int64_t button, col, row;

    words[0] = str_cut(rest, ';', &rest);
    words[1] = str_cut(rest, ';', &rest);
    if (sequence.at[sequence.len - 1] != 'M' || !str_to_i64(words[0], 0, 255, &button)
        || !str_to_i64(words[1], 1, COLUMNS_MAX, &col)
        || !str_to_i64(rest, 1, COLUMNS_MAX, &row))
        return;
    if (button == BUTTON_LEFT)
        tell_mouse(keys, TERM_CLICK, row, col);
    else if (button == WHEEL_UP)
        tell_mouse(keys, TERM_WHEEL_UP, row, col);
    else if (button == WHEEL_DOWN)
        tell_mouse(keys, TERM_WHEEL_DOWN, row, col);
}

static int find_named(const struct term_keys *keys, struct str sequence)
{
    for (size_t i = 0; i < keys->named_count; i++)
        if (str_is(sequence, keys->named[i].bytes))
            return keys->named[i].key;
    return KEY_NONE;
}

/* A whole sequence, with its ESC. */
static void read_sequence(struct term_keys *keys, struct str sequence)
{
    struct str rest = str_make(sequence.at + 2, sequence.len - 2);
    int key = find_named(keys, sequence);

    if (str_is(rest, "200~") || str_is(rest, "201~")) {
        keys->pasting = str_is(rest, "200~");
        return;
    }
    if (rest.len > 2 && rest.at[0] == '<' && sequence.at[1] == '[') {
        read_mouse(keys, rest);
        return;
    }
    for (size_t i = 0; key == KEY_NONE && i < sizeof usual / sizeof *usual; i++)
        if (str_is(rest, usual[i].rest))
            key = usual[i].key;
    tell(keys, key);
}

/* The length of the sequence held at `text`, which begins with ESC; 0: it goes on.
 * CSI: parameters 30-3F, intermediates 20-2F, a final 40-7E (ECMA-48 5.4). */
static size_t sequence_len(struct str text)
{
    size_t at = 2;

    if (text.len < 2)
        return 0;
    if (text.at[1] != '[' && text.at[1] != 'O')
        return 1; /* Esc, and a key of its own behind it */
    if (text.at[1] == '[' && text.len > 2 && text.at[2] == '[')
        return text.len > 3 ? 4 : 0; /* the console of Linux: ESC [ [ A */
    while (at < text.len && text.at[at] >= 0x20 && text.at[at] <= 0x3F)
        at++;
    if (at == text.len)
        return 0;
    return text.at[at] >= 0x40 && text.at[at] <= 0x7E ? at + 1 : at;
}

/* ---- characters ---- */

static int key_of(uint32_t point)
{
    if (point == LINE_FEED)
        return KEY_RETURN;
    if (point == BS)
        return KEY_RUBOUT;
    return (int)point;
}

/* Of held bytes that begin with none ESC; 0: the character goes on. */
static size_t read_character(struct term_keys *keys, struct str text)
{
    struct utf8_stream stream = {0};
    struct buf mended;
    uint32_t point;
    size_t used = utf8_decode(text, &point);

    if (used > 0) {
        tell_character(keys, key_of(point));
        return used;
    }
    buf_init(&mended, 16);
    (void)utf8_feed(&stream, text, &mended); /* four bytes fit */
    used = stream.held_count == text.len ? 0 : 1;
    buf_done(&mended);
    return used; /* a broken byte is no key */
}

static size_t read_one(struct term_keys *keys, struct str text)
{
    size_t used;

    if (text.at[0] != ESC)
        return read_character(keys, str_make(text.at, text.len < 4 ? text.len : 4));
    used = sequence_len(text);
    if (used == 1)
        tell(keys, KEY_ESCAPE);
    else if (used > 1)
        read_sequence(keys, str_make(text.at, used));
    return used;
}

static void drop(struct term_keys *keys, size_t count)
{
    keys->held_len -= count;
    memmove(keys->held, keys->held + count, keys->held_len);
}

static void read_held(struct term_keys *keys)
{
    while (keys->held_len > 0) {
        size_t used = read_one(keys, str_make(keys->held, keys->held_len));

        if (used == 0)
            return;
        drop(keys, used);
    }
}

/* One byte of a sequence that is too long to be known. */
static void swallow(struct term_keys *keys, char byte)
{
    if (byte < 0x20 || byte > 0x3F)
        keys->swallowing = false;
}

void term_keys_feed(struct term_keys *keys, struct str bytes)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (keys->swallowing) {
            swallow(keys, bytes.at[i]);
            continue;
        }
        keys->held[keys->held_len++] = bytes.at[i];
        read_held(keys);
        if (keys->held_len == sizeof keys->held) {
            keys->held_len = 0;
            keys->swallowing = true;
        }
    }
}

bool term_keys_waiting(const struct term_keys *keys)
{
    return keys->held_len > 0 || keys->swallowing || keys->pasting;
}

void term_keys_flush(struct term_keys *keys)
{
    bool escape = keys->held_len > 0 && keys->held[0] == ESC;
    bool bare = escape && keys->held_len == 1;
    bool pair = escape && keys->held_len == 2; /* Esc, then [ or O */
    char second = keys->held[1];

    keys->held_len = 0;
    keys->swallowing = false;
    if (bare || pair)
        tell(keys, KEY_ESCAPE);
    if (pair)
        tell_character(keys, second);
    keys->pasting = false; /* its end was lost: keys are keys again */
}

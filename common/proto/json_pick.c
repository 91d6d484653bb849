/* json_pick.c - see json_pick.h.
 *
 * Each take_ function eats what it names from the front or answers false; the first
 * false ends the whole. Servers send their keys in a fixed order, so the search for a
 * key begins behind the last one found.
 */
#include "proto/json_pick.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

enum { DIGITS_MAX = 15, WORD = 8 };

struct pick {
    const char *at;
    const char *end;
    struct json_pick_text *slots;
    int depth;
};

/* ---- text ---- */

/* Nonzero when one of the eight bytes is a quote, a backslash, a control character or
 * not ASCII. x - ones borrows into a byte's high bit only if some byte was below. */
static uint64_t unfit(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t highs = ones << 7;
    uint64_t word;
    uint64_t quotes;
    uint64_t slashes;

    memcpy(&word, at, sizeof word);
    quotes = word ^ (ones * '"');
    slashes = word ^ (ones * '\\');
    return (((word - ones * ' ') & ~word) | ((quotes - ones) & ~quotes)
            | ((slashes - ones) & ~slashes) | word)
           & highs;
}

/* Skips one character or escape; false at the closing quote or where it is broken. */
static bool skip_char(struct pick *pick, bool *escaped)
{
    unsigned char c = (unsigned char)*pick->at;
    uint32_t point;
    size_t used = 1;

    if (c < 0x20 || c == '"')
        return false;
    if (c >= 0x80)
        used = utf8_decode(str_make(pick->at, (size_t)(pick->end - pick->at)), &point);
    if (c == '\\') {
        *escaped = true;
        used = 2; /* the quote it may hide; what it means is looked at later */
    }
    if (used == 0 || used > (size_t)(pick->end - pick->at))
        return false;
    pick->at += used;
    return true;
}

static bool take_char(struct pick *pick, char c)
{
    if (pick->at == pick->end || *pick->at != c)
        return false;
    pick->at++;
    return true;
}

static bool take_text(struct pick *pick, struct json_pick_text *ret_text)
{
    bool escaped = false;
    const char *start;

    if (!take_char(pick, '"'))
        return false;
    start = pick->at;
    for (;;) {
        while (pick->end - pick->at >= WORD && unfit(pick->at) == 0)
            pick->at += WORD;
        if (pick->at == pick->end)
            return false;
        if (!skip_char(pick, &escaped))
            break;
    }
    ret_text->raw = str_make(start, (size_t)(pick->at - start));
    ret_text->escaped = escaped;
    return take_char(pick, '"');
}

/* ---- other values ---- */

static bool take_word(struct pick *pick, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(pick->end - pick->at) < len || memcmp(pick->at, word, len) != 0)
        return false;
    pick->at += len;
    return true;
}

static bool take_whole_number(struct pick *pick)
{
    const char *start;

    (void)take_char(pick, '-'); /* may be there */
    start = pick->at;
    while (pick->at < pick->end && *pick->at >= '0' && *pick->at <= '9')
        pick->at++;
    return pick->at > start && pick->at - start <= DIGITS_MAX
           && (*start != '0' || pick->at - start == 1);
}

static void skip_blanks(struct pick *pick)
{
    while (pick->at < pick->end
           && (*pick->at == ' ' || *pick->at == '\t' || *pick->at == '\n'
               || *pick->at == '\r'))
        pick->at++;
}

/* An escape that json_read would refuse must be refused here too, also in a text that
 * nobody reads. */
static bool take_ignored(struct pick *pick)
{
    struct json_pick_text text;

    if (pick->at < pick->end && *pick->at == '"')
        return take_text(pick, &text) && !text.escaped;
    return take_word(pick, "null") || take_word(pick, "true")
           || take_word(pick, "false") || take_whole_number(pick);
}

/* ---- objects ---- */

static bool take_object(struct pick *pick, const struct json_pick_form *form);

static bool take_only_item(struct pick *pick, const struct json_pick_form *form)
{
    if (!take_char(pick, '['))
        return false;
    skip_blanks(pick);
    if (!take_object(pick, form))
        return false;
    skip_blanks(pick);
    return take_char(pick, ']');
}

static bool take_value(struct pick *pick, const struct json_pick_key *key)
{
    switch (key->kind) {
    case PICK_IGNORE:
        return take_ignored(pick);
    case PICK_TEXT:
        return take_word(pick, "null") || take_text(pick, &pick->slots[key->slot]);
    case PICK_NULL:
        return take_word(pick, "null");
    case PICK_NOT_TRUE:
        return take_word(pick, "false") || take_word(pick, "null");
    case PICK_OBJECT:
        return take_object(pick, key->form);
    case PICK_ONLY_ITEM:
        return take_only_item(pick, key->form);
    }
    return false;
}

static bool take_key(struct pick *pick, const struct json_pick_key *key)
{
    size_t len = strlen(key->name);

    if ((size_t)(pick->end - pick->at) < len + 2
        || memcmp(pick->at + 1, key->name, len) != 0 || pick->at[len + 1] != '"')
        return false;
    pick->at += len + 2;
    return true;
}

/* Finds the key at the front, beginning its search at *index, and leaves it there. */
static bool take_known_key(struct pick *pick, const struct json_pick_form *form,
                           size_t *index)
{
    if (pick->at == pick->end || *pick->at != '"')
        return false;
    for (size_t tried = 0; tried < form->count; tried++) {
        size_t i = (*index + tried) % form->count;

        if (take_key(pick, &form->keys[i])) {
            *index = i;
            return true;
        }
    }
    return false;
}

static bool take_member(struct pick *pick, const struct json_pick_form *form,
                        size_t *index, uint32_t *seen)
{
    skip_blanks(pick);
    if (!take_known_key(pick, form, index) || (*seen & 1U << *index) != 0)
        return false;
    *seen |= 1U << *index;
    skip_blanks(pick);
    if (!take_char(pick, ':'))
        return false;
    skip_blanks(pick);
    if (!take_value(pick, &form->keys[*index]))
        return false;
    skip_blanks(pick);
    return true;
}

static bool take_object(struct pick *pick, const struct json_pick_form *form)
{
    size_t index = 0;
    uint32_t seen = 0;

    assert(form->count > 0 && form->count <= JSON_PICK_KEYS_MAX);
    assert(pick->depth < JSON_PICK_DEPTH_MAX);
    if (!take_char(pick, '{'))
        return false;
    skip_blanks(pick);
    if (take_char(pick, '}'))
        return true;
    pick->depth++;
    do {
        if (!take_member(pick, form, &index, &seen))
            return false;
    } while (take_char(pick, ','));
    pick->depth--;
    return take_char(pick, '}');
}

bool json_pick(struct str json, const struct json_pick_form *form,
               struct json_pick_text *slots)
{
    struct pick pick = {.at = json.at, .end = json.at + json.len, .slots = slots};

    if (json.len == 0)
        return false;
    skip_blanks(&pick);
    if (!take_object(&pick, form))
        return false;
    skip_blanks(&pick);
    return pick.at == pick.end;
}

/* ---- escapes ---- */

static bool read_hex(struct str digits, uint32_t *ret_point)
{
    uint32_t point = 0;

    if (digits.len < 4)
        return false;
    for (size_t i = 0; i < 4; i++) {
        char c = digits.at[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;

        if (digit > 15)
            return false;
        point = point * 16 + digit;
    }
    *ret_point = point;
    return true;
}

/* A point of the basic plane that is no NUL and no half of a pair. */
static bool add_point(uint32_t point, struct buf *into)
{
    char bytes[4];

    if (point == 0 || (point >= 0xD800 && point <= 0xDFFF))
        return false;
    return buf_add(into, bytes, utf8_encode(point, bytes));
}

/* The escape at the front, behind its backslash; *ret_used bytes of it. */
static bool add_escape(struct str text, struct buf *into, size_t *ret_used)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meant[] = "\"\\/\b\f\n\r\t";
    const char *letter;
    uint32_t point = 0;

    if (text.len == 0)
        return false;
    if (text.at[0] == 'u') {
        *ret_used = 5;
        return read_hex(str_make(text.at + 1, text.len - 1), &point)
               && add_point(point, into);
    }
    letter = memchr(letters, text.at[0], sizeof letters - 1);
    if (letter == NULL)
        return false;
    *ret_used = 1;
    return buf_add_char(into, meant[letter - letters]);
}

bool json_pick_unescape(struct str raw, struct buf *into)
{
    while (raw.len > 0) {
        const char *slash = memchr(raw.at, '\\', raw.len);
        size_t run = slash == NULL ? raw.len : (size_t)(slash - raw.at);
        size_t used = 0;

        if (!buf_add(into, raw.at, run))
            return false;
        raw = str_make(raw.at + run, raw.len - run);
        if (slash == NULL)
            return true;
        raw = str_make(raw.at + 1, raw.len - 1);
        if (!add_escape(raw, into, &used))
            return false;
        raw = str_make(raw.at + used, raw.len - used);
    }
    return true;
}

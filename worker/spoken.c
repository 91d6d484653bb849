/* spoken.c - see spoken.h.
 *
 * Flow: a byte at a time: between strings -> in a string -> escapes -> emit
 */
#include "worker/spoken.h"

#include <string.h>

#include "base/utf8.h"

static const char wanted_key[] = "message";
enum { REPLACEMENT = 0xFFFD };

void spoken_init(struct spoken *spoken)
{
    *spoken = (struct spoken){.place = SPOKEN_BETWEEN};
}

/* Bytes of the string being read: words, or part of a key. */
static bool emit(struct spoken *spoken, const char *at, size_t len, struct buf *into)
{
    if (spoken->shown)
        return buf_add(into, at, len);
    if (spoken->depth == 1 && !spoken->is_value)
        for (size_t i = 0; i < len && spoken->key_len < SPOKEN_KEY_SIZE; i++)
            spoken->key[spoken->key_len++] = at[i];
    return true;
}

static bool emit_point(struct spoken *spoken, uint32_t point, struct buf *into)
{
    char utf8[4];

    return emit(spoken, utf8, utf8_encode(point == 0 ? REPLACEMENT : point, utf8),
                into);
}

/* A first half that no second one follows. */
static bool end_half(struct spoken *spoken, struct buf *into)
{
    if (spoken->high == 0)
        return true;
    spoken->high = 0;
    return emit_point(spoken, REPLACEMENT, into);
}

static bool end_hex(struct spoken *spoken, struct buf *into)
{
    uint32_t point = spoken->point;
    uint32_t high = spoken->high;

    spoken->place = SPOKEN_TEXT;
    if (high != 0 && point >= 0xDC00 && point <= 0xDFFF) {
        spoken->high = 0;
        return emit_point(spoken, 0x10000 + ((high - 0xD800) << 10) + (point - 0xDC00),
                          into);
    }
    if (!end_half(spoken, into))
        return false;
    if (point >= 0xD800 && point <= 0xDBFF) {
        spoken->high = point;
        return true;
    }
    return emit_point(spoken, point >= 0xDC00 && point <= 0xDFFF ? REPLACEMENT : point,
                      into);
}

static bool in_hex(struct spoken *spoken, char c, struct buf *into)
{
    uint32_t digit;

    if (c >= '0' && c <= '9')
        digit = (uint32_t)(c - '0');
    else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f')
        digit = (uint32_t)((c | 0x20) - 'a' + 10);
    else
        return end_hex(spoken, into); /* no JSON: the document fails later */
    spoken->point = spoken->point << 4 | digit;
    return ++spoken->digits < 4 || end_hex(spoken, into);
}

static bool in_escape(struct spoken *spoken, char c, struct buf *into)
{
    static const char letters[] = "nrtbf";
    static const char meant[] = "\n\r\t\b\f";
    const char *found = strchr(letters, c);

    spoken->place = SPOKEN_TEXT;
    if (c == 'u') {
        spoken->place = SPOKEN_HEX;
        spoken->point = 0;
        spoken->digits = 0;
        return true;
    }
    if (!end_half(spoken, into))
        return false;
    return emit(spoken, found != NULL && c != '\0' ? &meant[found - letters] : &c, 1,
                into);
}

static bool end_text(struct spoken *spoken, struct buf *into)
{
    bool ok = end_half(spoken, into);

    spoken->place = SPOKEN_BETWEEN;
    spoken->found = spoken->found || spoken->shown;
    spoken->shown = false;
    return ok;
}

/* Plain bytes up to the next quote or backslash at once. *at is moved on. */
static bool in_text(struct spoken *spoken, struct str json, size_t *at,
                    struct buf *into)
{
    size_t start = *at;

    while (*at < json.len && json.at[*at] != '"' && json.at[*at] != '\\')
        (*at)++;
    if (*at > start)
        return end_half(spoken, into)
               && emit(spoken, json.at + start, *at - start, into);
    (*at)++;
    if (json.at[start] == '"')
        return end_text(spoken, into);
    spoken->place = SPOKEN_ESCAPE;
    return true;
}

static void begin_text(struct spoken *spoken)
{
    spoken->place = SPOKEN_TEXT;
    if (spoken->depth != 1)
        return;
    spoken->shown = spoken->is_value && !spoken->found
                    && str_is(str_make(spoken->key, spoken->key_len), wanted_key);
    if (!spoken->is_value)
        spoken->key_len = 0;
}

static void in_between(struct spoken *spoken, char c)
{
    if (spoken->depth == 0 && c != '{')
        return;
    if (c == '{' || c == '[')
        spoken->depth++;
    else if (c == '}' || c == ']')
        spoken->depth--;
    else if (c == '"')
        begin_text(spoken);
    else if (spoken->depth == 1 && (c == ':' || c == ','))
        spoken->is_value = c == ':';
}

bool spoken_feed(struct spoken *spoken, struct str json, struct buf *into)
{
    size_t at = 0;
    bool ok = true;

    while (ok && at < json.len) {
        switch (spoken->place) {
        case SPOKEN_BETWEEN:
            in_between(spoken, json.at[at++]);
            break;
        case SPOKEN_TEXT:
            ok = in_text(spoken, json, &at, into);
            break;
        case SPOKEN_ESCAPE:
            ok = in_escape(spoken, json.at[at++], into);
            break;
        case SPOKEN_HEX:
            ok = in_hex(spoken, json.at[at++], into);
            break;
        }
    }
    return ok;
}

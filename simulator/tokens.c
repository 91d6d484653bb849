/* tokens.c - see tokens.h. Pure.
 *
 * Flow: tokens_first -> kind_of the first character -> as many more as the kind allows
 */
#include "simulator/tokens.h"

#include <stdint.h>

#include "base/utf8.h"

enum kind { KIND_LETTER, KIND_DIGIT, KIND_OTHER, KIND_COUNT };
static const size_t most_of[KIND_COUNT] = {6, 3, 1};

/* Beyond U+2000 stand punctuation, symbols and scripts written without spaces. */
static enum kind kind_of(uint32_t point)
{
    if ((point >= 'a' && point <= 'z') || (point >= 'A' && point <= 'Z')
        || (point >= 0xC0 && point < 0x2000))
        return KIND_LETTER;
    if (point >= '0' && point <= '9')
        return KIND_DIGIT;
    return KIND_OTHER;
}

/* Length of the character at `at`, an ill-formed byte counting as one. */
static size_t character(struct str text, size_t at, enum kind *ret_kind)
{
    uint32_t point = 0;
    unsigned len = utf8_decode(str_make(text.at + at, text.len - at), &point);

    *ret_kind = len == 0 ? KIND_OTHER : kind_of(point);
    return len == 0 ? 1 : len;
}

struct str tokens_first(struct str text)
{
    enum kind kind = KIND_OTHER;
    enum kind next = KIND_OTHER;
    size_t at = 0;

    if (text.len == 0)
        return text;
    if (text.at[0] == ' ' && text.len > 1 && text.at[1] != ' ')
        at = 1;
    at += character(text, at, &kind);
    for (size_t count = 1; count < most_of[kind] && at < text.len; count++) {
        size_t len = character(text, at, &next);

        if (next != kind)
            break;
        at += len;
    }
    return str_make(text.at, at);
}

size_t tokens_count(struct str text)
{
    size_t count = 0;

    while (text.len > 0) {
        size_t len = tokens_first(text).len;

        text = str_make(text.at + len, text.len - len);
        count++;
    }
    return count;
}

struct str tokens_take(struct str text, size_t count)
{
    size_t at = 0;

    while (count-- > 0 && at < text.len)
        at += tokens_first(str_make(text.at + at, text.len - at)).len;
    return str_make(text.at, at);
}

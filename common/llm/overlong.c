/* overlong.c - see overlong.h. */
#include "llm/overlong.h"

#include <ctype.h>
#include <string.h>

#include "llm/complaint.h"

enum {
    NEAR = 24, /* letters between the words and their number: " of only ", " (" */
    WINDOW_MIN = 16,
    WINDOW_MAX = 1 << 30
};

static bool is_window(int64_t tokens)
{
    return tokens >= WINDOW_MIN && tokens <= WINDOW_MAX;
}

/* The first number of `text`, if it begins soon; -1 when there is none. */
static int64_t number_soon(struct str text)
{
    struct str digits;
    int64_t number;
    size_t at = 0;
    size_t len = 0;

    while (at < text.len && at < NEAR && !isdigit((unsigned char)text.at[at]))
        at++;
    while (at + len < text.len && isdigit((unsigned char)text.at[at + len]))
        len++;
    digits = str_make(text.at + at, len);
    return str_to_i64(digits, 0, INT64_MAX, &number) && is_window(number) ? number : -1;
}

/* *ret_rest: what stands behind the words. False when they are not there. */
static bool behind(struct str text, const char *words, struct str *ret_rest)
{
    size_t len = strlen(words);

    for (size_t at = 0; at + len <= text.len; at++) {
        struct str here = str_make(text.at + at, len);

        if (str_has_nocase(here, words)) {
            *ret_rest = str_make(text.at + at + len, text.len - at - len);
            return true;
        }
    }
    return false;
}

/* Each server's words for it; true when one stands there. */
static bool by_words(struct str text, int64_t *ret_window)
{
    static const char *const words[] = {"context length", "context size",
                                        "context window", "context the overflows",
                                        "context overflows"};

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        struct str rest;

        if (behind(text, words[i], &rest)) {
            *ret_window = number_soon(rest);
            return true;
        }
    }
    return false;
}

bool overlong_says(const struct complaint *complaint, int64_t *ret_window)
{
    int64_t window = -1;

    if (!by_words(complaint->text, &window)
        && !str_is(complaint->code, "context_length_exceeded")
        && !str_is(complaint->type, "exceed_context_size_error"))
        return false;
    *ret_window = is_window(complaint->window) ? complaint->window : window;
    return true;
}

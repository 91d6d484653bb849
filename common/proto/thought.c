/* thought.c - see thought.h.
 *
 * Flow: thought_next -> step_said (up to a mark) or step_thought (up to its end)
 */
#include "proto/thought.h"

#include <string.h>

#include "base/utf8.h"

enum { HELD_MAX_BYTES = 16 << 20, WAIT = -1 };

/* All begin with < or [, which plain_length relies on. */
static const struct tag {
    const char *open;
    const char *close;
    bool exact; /* else in any case */
} tags[] = {
    {"<think>", "</think>", false},
    {"<thinking>", "</thinking>", false},
    {"<thought>", "</thought>", false},
    {"<reasoning>", "</reasoning>", false},
    {"<seed:think>", "</seed:think>", false},
    {"[THINK]", "[/THINK]", true},
    {"<|channel|>analysis", "<|channel|>final<|message|>", false},
    {"<|channel>", "<channel|>", false},
};
enum { TAG_COUNT = sizeof tags / sizeof *tags };

void thought_init(struct thought *thought)
{
    *thought = (struct thought){0};
    buf_init(&thought->held, HELD_MAX_BYTES);
    buf_init(&thought->kept, THOUGHTS_MAX_BYTES);
    buf_init(&thought->said, THOUGHTS_MAX_BYTES);
}

void thought_done(struct thought *thought)
{
    buf_done(&thought->held);
    buf_done(&thought->kept);
    buf_done(&thought->said);
}

void thought_begin(struct thought *thought, char last)
{
    thought->last = last;
    thought->passed = thought->inside = false;
    buf_clear(&thought->held);
    buf_clear(&thought->kept);
    buf_clear(&thought->said);
}

bool thought_feed(struct thought *thought, struct str piece)
{
    return buf_add_str(&thought->held, piece);
}

/* ---- what is kept ---- */

/* The last character has been cut: it goes. */
static void drop_broken(struct buf *text)
{
    size_t at = text->len;
    uint32_t point;

    while (at > 0 && text->len - at < 4) {
        at--;
        if (((unsigned char)text->at[at] & 0xC0) != 0x80)
            break;
    }
    if (at < text->len
        && utf8_decode(str_make(text->at + at, text->len - at), &point) == 0)
        text->len = at;
}

/* As much as fits. */
static void keep(const struct thought *thought, struct buf *into, struct str text)
{
    size_t room = into->max - into->len;
    bool over = text.len > room;

    if (!thought->keep)
        return;
    if (over)
        text.len = room;
    (void)buf_add_str(into, text); /* it fits now */
    if (over)
        drop_broken(into);
}

static void think(struct thought *thought, struct str text)
{
    keep(thought, &thought->kept, text);
}

static void say(struct thought *thought, struct str text, struct buf *into)
{
    (void)buf_add_str(into, text); /* its bound is the reader's affair */
    keep(thought, &thought->said, text);
    if (thought->last != '\0' && text.len > 0
        && memchr(text.at, thought->last, text.len) != NULL)
        thought->passed = true;
}

/* ---- marks ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* The mark's length where it stands at the start of `in`; 0: it does not; WAIT: `in` is
 * too short to tell. */
static int fit(struct str in, const char *mark, bool exact)
{
    size_t at = 0;

    for (; mark[at] != '\0'; at++) {
        if (at == in.len)
            return WAIT;
        if (exact ? in.at[at] != mark[at] : lower(in.at[at]) != lower(mark[at]))
            return 0;
    }
    return (int)at;
}

/* As fit, of any tag's opening or closing mark. */
static int fit_any(struct str in, bool close, size_t *ret_tag)
{
    int waits = 0;

    for (size_t i = 0; i < TAG_COUNT; i++) {
        int len = fit(in, close ? tags[i].close : tags[i].open, tags[i].exact);

        if (len > 0) {
            *ret_tag = i;
            return len;
        }
        if (len == WAIT)
            waits = WAIT;
    }
    return waits;
}

static size_t plain_length(struct str in)
{
    size_t len = 0;

    while (len < in.len && in.at[len] != '<' && in.at[len] != '[')
        len++;
    return len;
}

/* ---- one decision: how many bytes it settled, or WAIT ---- */

static int step_thought(struct thought *thought, struct str in, bool all)
{
    const struct tag *tag = &tags[thought->tag];
    size_t at = 0;

    for (; at < in.len; at++) {
        struct str left = str_make(in.at + at, in.len - at);
        int len = fit(left, tag->close, tag->exact);

        if (len > 0) {
            think(thought, str_make(in.at, at));
            thought->inside = false;
            return (int)at + len;
        }
        if (len == WAIT && !all)
            break;
    }
    think(thought, str_make(in.at, at));
    return at > 0 ? (int)at : WAIT;
}

static void start_anew(struct thought *thought)
{
    think(thought, buf_str(&thought->said));
    buf_clear(&thought->said);
    thought->passed = false;
}

static int step_said(struct thought *thought, struct str in, bool all, struct buf *into,
                     enum thought_answer *ret_answer)
{
    size_t plain = plain_length(in);
    size_t tag = 0;
    int open;
    int close;

    if (plain > 0) {
        say(thought, str_make(in.at, plain), into);
        return (int)plain;
    }
    open = thought->passed ? 0 : fit_any(in, false, &tag);
    close = open > 0 ? 0 : fit_any(in, true, &tag);
    if (open > 0) {
        thought->inside = true;
        thought->tag = tag;
        *ret_answer = THOUGHT_BEGAN;
        return open;
    }
    if (close > 0) {
        start_anew(thought);
        *ret_answer = THOUGHT_ANEW;
        return close;
    }
    if ((open == WAIT || close == WAIT) && !all)
        return WAIT;
    say(thought, str_make(in.at, 1), into);
    return 1;
}

enum thought_answer thought_next(struct thought *thought, bool all, struct buf *into)
{
    struct buf *held = &thought->held;
    enum thought_answer answer = THOUGHT_ALL;
    size_t used = 0;

    while (answer == THOUGHT_ALL && used < held->len) {
        struct str in = str_make(held->at + used, held->len - used);
        int len = thought->inside ? step_thought(thought, in, all)
                                  : step_said(thought, in, all, into, &answer);

        if (len == WAIT)
            break;
        used += (size_t)len;
    }
    buf_eat(held, used);
    return answer;
}

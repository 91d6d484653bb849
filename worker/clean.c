/* clean.c - see clean.h.
 *
 * Flow: clean_feed -> thought_next (what is said) -> held -> step (one decision: a
 *       name, blanks, plain text) -> text
 */
#include "worker/clean.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "base/width.h"
#include "worker/sentence.h"

/* The text is bounded by max_bytes, what is held back by the longest name or by the
 * piece that arrived. */
enum { HELD_MAX_BYTES = 16 << 20, VISIBLE_MAX_BYTES = 256, WAIT = -1 };

static const char *const change_names[CLEAN_CHANGE_COUNT] = {
    [CLEAN_NAME_PREFIX] = "name_prefix", [CLEAN_FOREIGN_NAME] = "foreign_name",
    [CLEAN_THINKING] = "thinking",       [CLEAN_CAPPED] = "capped",
    [CLEAN_UNFINISHED] = "unfinished",   [CLEAN_TRIMMED] = "trimmed",
};

const char *clean_change_name(enum clean_change change)
{
    assert((unsigned)change < CLEAN_CHANGE_COUNT);
    return change_names[change];
}

void clean_words(unsigned changes, char ret_words[CLEAN_WORDS_SIZE])
{
    size_t len = 0;

    ret_words[0] = '\0';
    for (unsigned i = 0; i < CLEAN_CHANGE_COUNT; i++) {
        if ((changes & 1U << i) == 0)
            continue;
        fmt_into(ret_words + len, CLEAN_WORDS_SIZE - len, "%s%s", len == 0 ? "" : ",",
                 change_names[i]);
        len = strlen(ret_words);
    }
}

void clean_init(struct clean *clean)
{
    *clean = (struct clean){.state = CLEAN_OVER};
    names_init(&clean->names);
    thought_init(&clean->thought);
    buf_init(&clean->held, HELD_MAX_BYTES);
    buf_init(&clean->text, HELD_MAX_BYTES);
}

void clean_done(struct clean *clean)
{
    names_done(&clean->names);
    thought_done(&clean->thought);
    buf_done(&clean->held);
    buf_done(&clean->text);
}

static void mark(struct clean *clean, enum clean_change change)
{
    clean->changes |= 1U << change;
}

static bool has_change(const struct clean *clean, enum clean_change change)
{
    return (clean->changes & 1U << change) != 0;
}

/* What was said so far had been thought. */
static void start_anew(struct clean *clean)
{
    buf_clear(&clean->held);
    buf_clear(&clean->text);
    clean->changes = 0;
    clean->state = CLEAN_LINE_START;
}

void clean_begin(struct clean *clean, const struct cast *cast, int64_t seat,
                 size_t max_bytes)
{
    assert(max_bytes > 0 && cast->seat_count <= SEATS_MAX);
    names_begin(&clean->names, cast, seat);
    thought_begin(&clean->thought, '\0');
    clean->max_bytes = max_bytes;
    clean->restarts = 0;
    start_anew(clean);
}

void clean_restart(struct clean *clean)
{
    thought_begin(&clean->thought, '\0');
    start_anew(clean);
    clean->restarts++;
}

/* ---- blanks ---- */

/* As a reader sees them: also those that are nothing at all, such as U+200B. */
static bool is_blank(uint32_t point)
{
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85
           || point == 0xA0 || (point >= 0x2000 && point <= 0x200B) || point == 0x2028
           || point == 0x2029 || point == 0x202F || point == 0x205F || point == 0x2060
           || point == 0x3000 || point == 0xFEFF;
}

/* The bytes of the blanks in front. */
static size_t leading(struct str text)
{
    size_t at = 0;
    uint32_t point;
    unsigned len;

    while ((len = utf8_decode(str_make(text.at + at, text.len - at), &point)) > 0
           && is_blank(point))
        at += len;
    return at;
}

/* Where the last character begins. */
static size_t last_point(struct str text)
{
    size_t at = text.len;

    while (at > 0 && text.len - at < 4
           && ((unsigned char)text.at[--at] & 0xC0) == 0x80) {
    }
    return at;
}

static struct str without_trailing(struct str text)
{
    while (text.len > 0) {
        size_t at = last_point(text);
        uint32_t point;

        if (utf8_decode(str_make(text.at + at, text.len - at), &point) == 0
            || !is_blank(point))
            break;
        text.len = at;
    }
    return text;
}

struct str clean_text(const struct clean *clean)
{
    return without_trailing(str_make(buf_text(&clean->text), clean->text.len));
}

/* ---- one decision ---- */

/* The last character has been cut: it goes. */
static void drop_broken(struct buf *text)
{
    size_t at = last_point(buf_str(text));
    uint32_t point;

    if (utf8_decode(str_make(text->at + at, text->len - at), &point) == 0)
        text->len = at;
}

/* As much of the text as the cap leaves room for, in whole characters. */
static void say(struct clean *clean, struct str text)
{
    size_t room = clean->max_bytes - clean->text.len;
    bool over = text.len > room;

    if (over)
        text.len = room;
    (void)buf_add_str(&clean->text, text); /* max_bytes is below its own bound */
    if (!over)
        return;
    drop_broken(&clean->text);
    clean->state = CLEAN_OVER;
    mark(clean, CLEAN_CAPPED);
}

/* Blanks before anything was said go; those at a later line start stay. */
static int step_blanks(struct clean *clean, struct str in, size_t len)
{
    if (clean->text.len > 0)
        say(clean, str_make(in.at, len));
    else if ((clean->changes & (1U << CLEAN_NAME_PREFIX | 1U << CLEAN_THINKING)) == 0)
        mark(clean, CLEAN_TRIMMED); /* else they belong to what went before them */
    return (int)len;
}

/* A name stands here. What may be either's is the own one at the very start, another's
 * further on. */
static int step_name(struct clean *clean, const struct names_found *found)
{
    bool first = clean->text.len == 0;

    if (!found->own || (found->shared && !first)) {
        clean->state = CLEAN_OVER;
        mark(clean, CLEAN_FOREIGN_NAME);
        return 0;
    }
    if (!first) {
        clean->state = CLEAN_INSIDE;
        return 0;
    }
    mark(clean, CLEAN_NAME_PREFIX);
    say(clean, found->note); /* how it is said is said */
    return (int)found->len;
}

static int step_line_start(struct clean *clean, struct str in, bool all)
{
    struct names_found found;
    size_t blanks = leading(in);
    uint32_t point;

    if (blanks > 0)
        return step_blanks(clean, in, blanks);
    if (utf8_decode(in, &point) == 0 && in.len < 4 && !all)
        return WAIT;
    switch (names_at(&clean->names, in, all, &found)) {
    case NAMES_WAIT:
        return WAIT;
    case NAMES_FOUND:
        return step_name(clean, &found);
    case NAMES_NONE:
        break;
    }
    clean->state = CLEAN_INSIDE;
    return 0;
}

static int step_inside(struct clean *clean, struct str in)
{
    const char *newline = memchr(in.at, '\n', in.len);
    size_t len = newline == NULL ? in.len : (size_t)(newline - in.at) + 1;

    if (newline != NULL)
        clean->state = CLEAN_LINE_START;
    say(clean, str_make(in.at, len));
    return (int)len;
}

/* How many bytes are settled; WAIT: more must come first. `all`: no more will come. */
static int step(struct clean *clean, struct str in, bool all)
{
    switch (clean->state) {
    case CLEAN_LINE_START:
        return step_line_start(clean, in, all);
    case CLEAN_INSIDE:
        return step_inside(clean, in);
    case CLEAN_OVER:
        break;
    }
    return WAIT;
}

static void settle(struct clean *clean, bool all)
{
    size_t used = 0;

    while (clean->state != CLEAN_OVER && used < clean->held.len) {
        struct str in = str_make(clean->held.at + used, clean->held.len - used);
        int len = step(clean, in, all);

        if (len == WAIT)
            break;
        used += (size_t)len;
    }
    buf_eat(&clean->held, used);
}

/* All that has arrived. What stands before a block of thinking is settled first: it may
 * end the reply. */
static void drain(struct clean *clean, bool all)
{
    while (clean->state != CLEAN_OVER) {
        enum thought_answer answer = thought_next(&clean->thought, all, &clean->held);

        settle(clean, all && answer == THOUGHT_ALL);
        if (answer == THOUGHT_ALL || clean->state == CLEAN_OVER)
            return;
        if (answer == THOUGHT_ANEW) {
            start_anew(clean);
            clean->restarts++;
        }
        mark(clean, CLEAN_THINKING);
    }
}

bool clean_feed(struct clean *clean, struct str piece)
{
    if (clean->state == CLEAN_OVER)
        return false;
    if (!thought_feed(&clean->thought, piece)) {
        clean->state = CLEAN_OVER; /* beyond any reply a provider lets through */
        mark(clean, CLEAN_CAPPED);
        return false;
    }
    drain(clean, false);
    return clean->state != CLEAN_OVER;
}

/* ---- the end ---- */

/* The last visible character may only seem whole, its marks being over the cap: it
 * goes, unless it is all there is. */
static void drop_last(struct buf *text)
{
    size_t at = 0;
    size_t start;
    size_t last = 0;
    unsigned columns;
    size_t len;

    while (at > 0 && ((unsigned char)text->at[at] & 0xC0) == 0x80)
        at--;
    start = at;
    while ((len = width_next(str_make(text->at + at, text->len - at), &columns)) > 0) {
        last = at;
        at += len;
    }
    if (last > start)
        text->len = last;
}

/* Back to the last whole sentence, if that leaves at least half. */
static void cut_back(struct clean *clean)
{
    struct str text = clean_text(clean);
    size_t end = sentence_end(text);

    if (end == text.len)
        return;
    if (end < text.len - end) {
        if (has_change(clean, CLEAN_CAPPED))
            drop_last(&clean->text);
        mark(clean, CLEAN_UNFINISHED);
        return;
    }
    clean->text.len = end;
    mark(clean, CLEAN_CAPPED);
}

void clean_end(struct clean *clean, bool at_limit)
{
    size_t len;

    drain(clean, true);
    buf_clear(&clean->held);
    if (has_change(clean, CLEAN_CAPPED) || (at_limit && clean->state != CLEAN_OVER))
        cut_back(clean);
    len = clean_text(clean).len;
    if (len < clean->text.len && clean->state != CLEAN_OVER)
        mark(clean, CLEAN_TRIMMED);
    clean->text.len = len;
    clean->state = CLEAN_OVER;
}

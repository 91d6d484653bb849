/* clean.c - see clean.h.
 *
 * Flow: clean_feed -> held -> step (one decision: a name, a tag, plain text) -> text
 */
#include "worker/clean.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "worker/sentence.h"

/* The text is bounded by max_bytes, what is held back by the longest name or by the
 * piece that arrived. */
enum { HELD_MAX_BYTES = 16 << 20, WAIT = -1 };

/* How names are written before words, "%" being the name. The longest that fits counts,
 * so none may fit text that another of another meaning fits. */
static const struct frame {
    const char *before;
    const char *behind;
} frames[] = {
    {"", ":"},   {"", "\xEF\xBC\x9A"}, {"**", ":**"}, {"**", "**:"}, {"*", ":*"},
    {"*", "*:"}, {"__", ":__"},        {"__", "__:"}, {"[", "]"},    {"[", "]:"},
};
static const struct tag {
    const char *open;
    const char *close;
} tags[] = {{"<think>", "</think>"}, {"<thinking>", "</thinking>"}};
enum {
    FRAME_COUNT = sizeof frames / sizeof *frames,
    TAG_COUNT = sizeof tags / sizeof *tags
};

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
    buf_init(&clean->names, HELD_MAX_BYTES);
    buf_init(&clean->held, HELD_MAX_BYTES);
    buf_init(&clean->text, HELD_MAX_BYTES);
    buf_init(&clean->thoughts, THOUGHTS_MAX_BYTES);
}

void clean_done(struct clean *clean)
{
    buf_done(&clean->names);
    buf_done(&clean->held);
    buf_done(&clean->text);
    buf_done(&clean->thoughts);
}

static void mark(struct clean *clean, enum clean_change change)
{
    clean->changes |= 1U << change;
}

/* ---- the names ---- */

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool same_letters(struct str a, struct str b)
{
    for (size_t i = 0; i < a.len && i < b.len; i++)
        if (lower(a.at[i]) != lower(b.at[i]))
            return false;
    return true;
}

static struct str name_text(const struct clean *clean, size_t i)
{
    return str_make(clean->names.at + clean->name[i].at, clean->name[i].len);
}

static struct clean_name *find_name(struct clean *clean, struct str name)
{
    for (size_t i = 0; i < clean->name_count; i++)
        if (clean->name[i].len == name.len && same_letters(name_text(clean, i), name))
            return &clean->name[i];
    return NULL;
}

static void add_name(struct clean *clean, struct str name, bool own)
{
    struct clean_name *to = &clean->name[clean->name_count];

    if (name.len == 0 || find_name(clean, name) != NULL)
        return;
    *to = (struct clean_name){.at = clean->names.len, .len = name.len, .own = own};
    if (buf_add_str(&clean->names, name))
        clean->name_count++;
}

/* The whole name, and the first word of it alone. */
static void add_person(struct clean *clean, const struct persona *persona, bool own)
{
    struct str name = str_trim(str_of(persona->name));
    struct clean_name *known = find_name(clean, name);
    struct str rest;

    if (known != NULL)
        known->shared = known->own;
    add_name(clean, name, own);
    add_name(clean, str_cut(name, ' ', &rest), own);
}

void clean_begin(struct clean *clean, const struct cast *cast, int64_t seat,
                 size_t max_bytes)
{
    size_t own = (size_t)seat - 1;

    assert(max_bytes > 0 && cast->seat_count <= SEATS_MAX);
    clean->state = CLEAN_LINE_START;
    clean->max_bytes = max_bytes;
    clean->changes = clean->restarts = 0;
    clean->name_count = 0;
    buf_clear(&clean->names);
    buf_clear(&clean->held);
    buf_clear(&clean->text);
    buf_clear(&clean->thoughts);
    /* The own names first: who shares one with another is not cut short by it. */
    if (own < cast->seat_count)
        add_person(clean, &cast->seats[own].persona, true);
    for (size_t i = 0; i < cast->seat_count; i++)
        if (i != own)
            add_person(clean, &cast->seats[i].persona, false);
    add_name(clean, str_of("Narrator"), false);
}

/* ---- does it stand here? ---- */

/* How much of `in` the pieces cover; 0: they do not stand there; WAIT: `in` is too
 * short to tell. */
static int fit(struct str in, const struct str *pieces, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        struct str left = str_make(in.at + at, in.len - at);

        if (!same_letters(left, pieces[i]))
            return 0;
        if (left.len < pieces[i].len)
            return WAIT;
        at += pieces[i].len;
    }
    return (int)at;
}

/* The longest name with its frame that stands here; *ret_own tells whose. What may be
 * either's is the own one at the very start, another's further on. */
static int fit_name(const struct clean *clean, struct str in, bool all, bool *ret_own)
{
    int longest = 0;

    for (size_t i = 0; i < clean->name_count; i++)
        for (size_t j = 0; j < FRAME_COUNT; j++) {
            const struct str pieces[] = {str_of(frames[j].before), name_text(clean, i),
                                         str_of(frames[j].behind)};
            int len = fit(in, pieces, 3);

            if (len == WAIT && !all)
                return WAIT;
            if (len > longest) {
                longest = len;
                *ret_own = clean->name[i].own
                           && (!clean->name[i].shared || clean->text.len == 0);
            }
        }
    return longest;
}

static int fit_tag(struct str in, bool close, size_t *ret_tag)
{
    for (size_t i = 0; i < TAG_COUNT; i++) {
        const struct str piece = str_of(close ? tags[i].close : tags[i].open);
        int len = fit(in, &piece, 1);

        if (len != 0) {
            *ret_tag = i;
            return len;
        }
    }
    return 0;
}

/* ---- one decision ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

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

static void keep_thought(struct clean *clean, struct str text)
{
    size_t room = clean->thoughts.max - clean->thoughts.len;
    bool over = text.len > room;

    if (!clean->keep_thoughts)
        return;
    if (over)
        text.len = room;
    (void)buf_add_str(&clean->thoughts, text); /* it fits now */
    if (over)
        drop_broken(&clean->thoughts);
}

/* What was said so far had been thought: its beginning stood before the reply. */
static void start_anew(struct clean *clean)
{
    keep_thought(clean, buf_str(&clean->text));
    buf_clear(&clean->text);
    clean->changes = 0;
    clean->restarts++;
    clean->state = CLEAN_LINE_START;
}

/* At a '<'. Takes the tag that stands there, or the one character. */
static int step_tag(struct clean *clean, struct str in, bool all)
{
    size_t tag = 0;
    int open = fit_tag(in, false, &tag);
    int close = open > 0 ? 0 : fit_tag(in, true, &clean->thought);

    if ((open == WAIT || close == WAIT) && !all)
        return WAIT;
    if (open > 0) {
        clean->thought = tag;
        clean->state = CLEAN_THOUGHT;
    } else if (close > 0) {
        start_anew(clean);
    } else {
        say(clean, str_make(in.at, 1));
        if (clean->state == CLEAN_LINE_START)
            clean->state = CLEAN_INSIDE;
        return 1;
    }
    mark(clean, CLEAN_THINKING);
    return open > 0 ? open : close;
}

static int step_thought(struct clean *clean, struct str in, bool all)
{
    const struct str close = str_of(tags[clean->thought].close);
    size_t at = 0;

    for (; at < in.len; at++) {
        int len = fit(str_make(in.at + at, in.len - at), &close, 1);

        if (len > 0) {
            bool begun =
                clean->text.len > 0 && clean->text.at[clean->text.len - 1] != '\n';

            keep_thought(clean, str_make(in.at, at));
            clean->state = begun ? CLEAN_INSIDE : CLEAN_LINE_START;
            return (int)at + len;
        }
        if (len == WAIT && !all)
            break;
    }
    keep_thought(clean, str_make(in.at, at));
    return at > 0 ? (int)at : WAIT;
}

/* Blanks before anything was said go; those at a later line start stay. */
static int step_blanks(struct clean *clean, struct str in)
{
    size_t len = 0;

    while (len < in.len && is_blank(in.at[len]))
        len++;
    if (clean->text.len > 0)
        say(clean, str_make(in.at, len));
    else if ((clean->changes & (1U << CLEAN_NAME_PREFIX | 1U << CLEAN_THINKING)) == 0)
        mark(clean, CLEAN_TRIMMED); /* else they belong to what went before them */
    return (int)len;
}

static int step_line_start(struct clean *clean, struct str in, bool all)
{
    bool own = false;
    int len;

    if (is_blank(in.at[0]))
        return step_blanks(clean, in);
    if (in.at[0] == '<')
        return step_tag(clean, in, all);
    len = fit_name(clean, in, all, &own);
    if (len == WAIT)
        return WAIT;
    if (len > 0 && !own) {
        clean->state = CLEAN_OVER;
        mark(clean, CLEAN_FOREIGN_NAME);
    } else if (len > 0 && clean->text.len == 0) {
        mark(clean, CLEAN_NAME_PREFIX);
        return len;
    } else {
        clean->state = CLEAN_INSIDE;
    }
    return 0;
}

static int step_inside(struct clean *clean, struct str in, bool all)
{
    size_t len = 0;

    if (in.at[0] == '<')
        return step_tag(clean, in, all);
    while (len < in.len && in.at[len] != '<' && in.at[len] != '\n')
        len++;
    if (len < in.len && in.at[len] == '\n') {
        clean->state = CLEAN_LINE_START;
        len++;
    }
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
        return step_inside(clean, in, all);
    case CLEAN_THOUGHT:
        return step_thought(clean, in, all);
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

bool clean_feed(struct clean *clean, struct str piece)
{
    if (clean->state == CLEAN_OVER)
        return false;
    if (!buf_add_str(&clean->held, piece)) {
        clean->state = CLEAN_OVER; /* beyond any reply a provider lets through */
        mark(clean, CLEAN_CAPPED);
        return false;
    }
    settle(clean, false);
    return clean->state != CLEAN_OVER;
}

struct str clean_text(const struct clean *clean)
{
    size_t len = clean->text.len;

    while (len > 0 && is_blank(clean->text.at[len - 1]))
        len--;
    return str_make(buf_text(&clean->text), len);
}

/* ---- the end ---- */

static bool has_change(const struct clean *clean, enum clean_change change)
{
    return (clean->changes & 1U << change) != 0;
}

/* Back to the last whole sentence, if that leaves at least half. */
static void cut_back(struct clean *clean)
{
    struct str text = clean_text(clean);
    size_t end = sentence_end(text);

    if (end == text.len)
        return;
    if (end < text.len - end) {
        mark(clean, CLEAN_UNFINISHED);
        return;
    }
    clean->text.len = end;
    mark(clean, CLEAN_CAPPED);
}

void clean_end(struct clean *clean, bool at_limit)
{
    size_t len;

    settle(clean, true);
    buf_clear(&clean->held);
    if (has_change(clean, CLEAN_CAPPED) || (at_limit && clean->state != CLEAN_OVER))
        cut_back(clean);
    len = clean_text(clean).len;
    if (len < clean->text.len && clean->state != CLEAN_OVER)
        mark(clean, CLEAN_TRIMMED);
    clean->text.len = len;
    clean->state = CLEAN_OVER;
}

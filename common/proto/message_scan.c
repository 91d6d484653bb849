/* message_scan.c - see message_scan.h.
 *
 * Each take_ function eats what it names from the front or answers false; the first
 * false ends the whole. Nothing is guessed: escapes that json_write.c does not write,
 * numbers longer than a double holds exactly, blanks between the tokens, all are left
 * to message_read.
 */
#include "proto/message_scan.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "proto/message.h"
#include "proto/message_field.h"

enum { DIGITS_MAX = 15, DECIMALS_MAX = 9 };
#define EXACT_MAX INT64_C(900000000000000) /* ten times this is below 2^53 */

/* A text that was found well, to be copied when all is. */
struct span {
    char **to;
    const char *at; /* behind the quote */
    size_t len;
    bool escaped; /* there are escapes in it */
    bool words;   /* texts with commas between: `a","b` becomes `a,b` */
};
enum { SPANS_MAX = 16 }; /* more than a turn has texts */

struct scan {
    const char *at;
    const char *end;
    struct span spans[SPANS_MAX];
    size_t span_count;
    bool no_seats; /* a list of seats would need memory: not wanted */
};

static bool take_bytes(struct scan *scan, const char *bytes, size_t len)
{
    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, bytes, len) != 0)
        return false;
    scan->at += len;
    return true;
}

/* Inline, so that a literal's length is known where it is compared. */
static inline bool take(struct scan *scan, const char *literal)
{
    size_t len = strlen(literal);

    if ((size_t)(scan->end - scan->at) < len || memcmp(scan->at, literal, len) != 0)
        return false;
    scan->at += len;
    return true;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The escape behind a backslash, if json_write.c writes it. */
static bool take_escape(struct scan *scan, char *ret_char)
{
    static const char letters[] = "\"\\nrt";
    static const char meant[] = "\"\\\n\r\t";
    const char *letter;
    int high;
    int low;

    if (take(scan, "u00")) {
        if (scan->end - scan->at < 2)
            return false;
        high = hex_digit(scan->at[0]);
        low = hex_digit(scan->at[1]);
        if (high < 0 || high > 1 || low < 0 || high + low == 0)
            return false;
        *ret_char = (char)(high * 16 + low);
        scan->at += 2;
        return true;
    }
    if (scan->at == scan->end)
        return false;
    letter = memchr(letters, *scan->at, sizeof letters - 1);
    if (letter == NULL)
        return false;
    *ret_char = meant[letter - letters];
    scan->at++;
    return true;
}

/* True when each of the 8 bytes stands for itself: ASCII, no control, no quote and no
 * backslash. A byte that is 0 after the xor, or was below 0x20, borrows from its upper
 * bit; bytes above 0x7F have theirs set. */
static bool are_plain(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = UINT64_C(0x8080808080808080);
    uint64_t bytes;
    uint64_t quotes;
    uint64_t slashes;

    memcpy(&bytes, at, sizeof bytes);
    quotes = bytes ^ (ones * '"');
    slashes = bytes ^ (ones * '\\');
    return (((bytes - ones * 0x20) | (quotes - ones) | (slashes - ones) | bytes) & tops)
           == 0;
}

/* Eats what stands for itself; no more than that. */
static void skip_plain(struct scan *scan)
{
    const char *at = scan->at;

    while (at < scan->end) {
        unsigned char c = (unsigned char)*at;
        uint32_t point;
        unsigned len = 1;

        if (scan->end - at >= 8 && are_plain(at)) {
            at += 8;
            continue;
        }
        if (c < 0x20 || c == '"' || c == '\\')
            break;
        if (c >= 0x80)
            len = utf8_decode(str_make(at, (size_t)(scan->end - at)), &point);
        if (len == 0)
            break;
        at += len;
    }
    scan->at = at;
}

static struct span *new_span(struct scan *scan, char **to)
{
    struct span *span = &scan->spans[scan->span_count++];

    assert(scan->span_count <= SPANS_MAX);
    *span = (struct span){.to = to, .at = scan->at};
    return span;
}

static bool take_text(struct scan *scan, char **ret_text)
{
    struct span *span;
    char meant;

    if (!take(scan, "\""))
        return false;
    span = new_span(scan, ret_text);
    for (;;) {
        skip_plain(scan);
        if (scan->at == scan->end)
            return false;
        if (*scan->at == '"')
            break;
        if (!take(scan, "\\") || !take_escape(scan, &meant))
            return false;
        span->escaped = true;
    }
    span->len = (size_t)(scan->at++ - span->at);
    return true;
}

static bool take_text_or_null(struct scan *scan, char **ret_text)
{
    return take(scan, "null") || take_text(scan, ret_text);
}

/* Digits as JSON wants a whole number: no 0 before others. */
static bool take_whole(struct scan *scan, int64_t *ret_value)
{
    const char *start = scan->at;
    int64_t value = 0;

    while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'
           && scan->at - start <= DIGITS_MAX)
        value = value * 10 + (*scan->at++ - '0');
    if (scan->at == start || scan->at - start > DIGITS_MAX
        || (*start == '0' && scan->at - start > 1))
        return false;
    *ret_value = value;
    return true;
}

static bool take_count(struct scan *scan, int64_t min, int64_t *ret_value)
{
    int64_t value;

    if (take(scan, "null"))
        return true;
    if (!take_whole(scan, &value) || value < min)
        return false;
    *ret_value = value;
    return true;
}

/* All digits as one whole number, divided by a power of ten: both are exact in a
 * double, so the quotient is the nearest double, as strtod would give it. */
static bool take_number(struct scan *scan, double *ret_value)
{
    bool negative = take(scan, "-");
    const char *start;
    int64_t value;
    double unit = 1;

    if (!take_whole(scan, &value))
        return false;
    if (take(scan, ".")) {
        start = scan->at;
        while (scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'
               && scan->at - start < DECIMALS_MAX && value < EXACT_MAX) {
            value = value * 10 + (*scan->at++ - '0');
            unit *= 10;
        }
        if (scan->at == start)
            return false;
    }
    *ret_value = (negative ? -(double)value : (double)value) / unit;
    return true;
}

static bool take_time(struct scan *scan, int64_t *ret_wall_us)
{
    struct str text = {.at = scan->at + 1};

    if (take(scan, "null"))
        return true;
    if (!take(scan, "\""))
        return false;
    skip_plain(scan);
    text.len = (size_t)(scan->at - text.at);
    return take(scan, "\"") && clock_parse_us(text, ret_wall_us);
}

static bool take_seats(struct scan *scan, struct message *message)
{
    int64_t seat;

    if (take(scan, "null"))
        return true;
    if (scan->no_seats || !take(scan, "["))
        return false;
    message->to = x_calloc(SEATS_MAX, sizeof *message->to);
    do {
        if (message->to_count == SEATS_MAX || !take_whole(scan, &seat) || seat < 1
            || seat > SEATS_MAX)
            return false;
        message->to[message->to_count++] = (int)seat;
    } while (take(scan, ","));
    return take(scan, "]");
}

/* Turns that refer to others are rare: they go the slow road. */
static bool take_said(struct scan *scan, struct message *message)
{
    if (!take(scan, "{\"type\":\"conversation\",\"message\":")
        || !take_text(scan, &message->text) || !take(scan, ",\"sentiment\":"))
        return false;
    if (!take(scan, "null")
        && (!take_number(scan, &message->sentiment) || message->sentiment < -1
            || message->sentiment > 1))
        return false;
    return take(scan, ",\"references\":[]}");
}

static bool take_field(struct scan *scan, const struct message_field *field, void *at)
{
    char **text = at;
    int64_t *count = at;
    double *number = at;

    switch (field->kind) {
    case FIELD_TEXT:
        return take_text_or_null(scan, text);
    case FIELD_COUNT:
        return take_count(scan, field->min, count);
    default:
        return take(scan, "null") || (take_number(scan, number) && *number >= 0);
    }
}

/* One without escapes; the others go the slow road. */
static bool take_word(struct scan *scan)
{
    const char *start = scan->at;

    if (!take(scan, "\""))
        return false;
    skip_plain(scan);
    return scan->at > start + 1 && take(scan, "\"");
}

/* The rest of an array of words. */
static bool take_words(struct scan *scan, char **ret_words)
{
    struct span *span = new_span(scan, ret_words);

    span->words = true;
    do {
        if (!take_word(scan))
            return false;
    } while (take(scan, ","));
    span->at++; /* without the outer quotes */
    span->len = (size_t)(scan->at - span->at) - 1;
    return take(scan, "]");
}

static bool take_metadata(struct scan *scan, struct message *message)
{
    const struct message_field *field;

    if (!take(scan, "{"))
        return false;
    for (size_t i = 0; (field = message_field(i)) != NULL; i++) {
        size_t comma = i > 0 ? 0 : 1; /* none before the first */

        if (take_bytes(scan, field->mark + comma, field->mark_len - comma)) {
            if (!take_field(scan, field, message_field_in(message, field)))
                return false;
        } else if (!field->optional) {
            return false;
        }
    }
    if (take(scan, ",\"cleaned\":[") && !take_words(scan, &message->cleaned))
        return false;
    message->context_truncated = take(scan, ",\"context_truncated\":true");
    message->fallback = take(scan, ",\"fallback\":true");
    message->failed = take(scan, ",\"failed\":true");
    return take(scan, "}");
}

static bool take_turn(struct scan *scan, struct message *message)
{
    return take(scan, "{\"schema_version\":\"1.0\",\"kind\":\"turn\",")
           && take(scan, "\"queue_timestamp\":")
           && take_time(scan, &message->queue_timestamp_us)
           && take(scan, ",\"message_id\":") && take_text(scan, &message->message_id)
           && take(scan, ",\"role\":") && take_text(scan, &message->role)
           && take(scan, ",\"to\":") && take_seats(scan, message)
           && take(scan, ",\"content\":") && take_said(scan, message)
           && take(scan, ",\"metadata\":") && take_metadata(scan, message)
           && take(scan, "}") && scan->at == scan->end;
}

/* What message_read wants of a turn besides its form; texts are not copied yet. */
static bool is_whole_turn(const struct scan *scan, const struct message *message)
{
    bool has_conversation = false;

    for (size_t i = 0; i < scan->span_count; i++) {
        const struct span *span = &scan->spans[i];

        if (span->to == &message->message_id && span->len == 0)
            return false;
        if (span->to == &message->conversation_id)
            has_conversation = span->len > 0;
    }
    return has_conversation && message->sequence_number != -1 && message->seat != -1
           && message->seat <= SEATS_MAX;
}

static size_t unescape(const struct span *span, char *to)
{
    struct scan scan = {.at = span->at, .end = span->at + span->len};
    char *start = to;

    while (scan.at < scan.end) {
        const char *from = scan.at;

        skip_plain(&scan);
        memcpy(to, from, (size_t)(scan.at - from));
        to += scan.at - from;
        if (scan.at < scan.end && take(&scan, "\\"))
            (void)take_escape(&scan, to++); /* it was looked at before */
    }
    return (size_t)(to - start);
}

/* `a","b` as `a,b`: a quote can only be one of those between. */
static size_t join_words(const struct span *span, char *to)
{
    size_t len = 0;

    for (size_t i = 0; i < span->len; i++)
        if (span->at[i] != '"')
            to[len++] = span->at[i];
    return len;
}

/* The text with a NUL; returns how long it is without. */
static size_t copy_span(const struct span *span, char *to)
{
    size_t len = span->len;

    if (span->words)
        len = join_words(span, to);
    else if (span->escaped)
        len = unescape(span, to);
    else
        memcpy(to, span->at, len);
    to[len] = '\0';
    return len;
}

static bool scan_turn(struct str json, struct scan *scan, struct message *message)
{
    scan->at = json.at;
    scan->end = json.at + json.len;
    scan->span_count = 0;
    if (json.len == 0)
        return false;
    message_init(message, MESSAGE_TURN);
    if (take_turn(scan, message) && is_whole_turn(scan, message))
        return true;
    free(message->to);
    return false;
}

bool message_scan(struct str json, struct message *ret_message)
{
    struct scan scan = {.no_seats = false};
    struct message message;

    if (!scan_turn(json, &scan, &message))
        return false;
    for (size_t i = 0; i < scan.span_count; i++) {
        char *text = x_malloc(scan.spans[i].len + 1);

        (void)copy_span(&scan.spans[i], text);
        *scan.spans[i].to = text;
    }
    *ret_message = message;
    return true;
}

bool message_scan_into(struct str json, char *room, struct message *ret_message)
{
    struct scan scan;

    scan.no_seats = true;
    if (!scan_turn(json, &scan, ret_message))
        return false;
    for (size_t i = 0; i < scan.span_count; i++) {
        *scan.spans[i].to = room;
        room += copy_span(&scan.spans[i], room) + 1;
    }
    return true;
}

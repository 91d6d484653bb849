/* message_scan.c - see message_scan.h.
 *
 * Each take_ function eats what it names from the front or answers false; the first
 * false ends the whole. Nothing is guessed: escapes that json_write.c does not write,
 * numbers longer than a double holds exactly, blanks between the tokens, all are left
 * to message_read.
 */
#include "proto/message_scan.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "proto/message.h"
#include "proto/message_field.h"

enum { DIGITS_MAX = 15, DECIMALS_MAX = 9 };
#define EXACT_MAX INT64_C(900000000000000) /* ten times this is below 2^53 */

struct scan {
    const char *at;
    const char *end;
};

static bool take(struct scan *scan, const char *literal)
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

/* How many bytes from the front stand for themselves. */
static size_t plain_run(const struct scan *scan)
{
    const char *at = scan->at;

    while (at < scan->end) {
        unsigned char c = (unsigned char)*at;
        uint32_t point;
        unsigned len = 1;

        if (c < 0x20 || c == '"' || c == '\\')
            break;
        if (c >= 0x80)
            len = utf8_decode(str_make(at, (size_t)(scan->end - at)), &point);
        if (len == 0)
            break;
        at += len;
    }
    return (size_t)(at - scan->at);
}

/* Room for the text up to the closing quote: it never grows by taking escapes away. */
static char *text_room(const struct scan *scan)
{
    size_t left = (size_t)(scan->end - scan->at);
    size_t len = 0;

    while (len < left && scan->at[len] != '"')
        len += scan->at[len] == '\\' ? 2 : 1;
    return x_malloc(len + 1);
}

static bool take_text(struct scan *scan, char **ret_text)
{
    char *text;
    char *to;

    if (!take(scan, "\""))
        return false;
    text = text_room(scan);
    to = text;
    while (!take(scan, "\"")) {
        size_t run = plain_run(scan);

        memcpy(to, scan->at, run);
        to += run;
        scan->at += run;
        if (run == 0 && (!take(scan, "\\") || !take_escape(scan, to++))) {
            free(text);
            return false;
        }
    }
    *to = '\0';
    *ret_text = text;
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
    char *text = NULL;
    bool ok;

    if (take(scan, "null"))
        return true;
    ok = take_text(scan, &text) && clock_parse_us(str_of(text), ret_wall_us);
    free(text);
    return ok;
}

static bool take_seats(struct scan *scan, struct message *message)
{
    int64_t seat;

    if (take(scan, "null"))
        return true;
    if (!take(scan, "["))
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
static bool take_word(struct scan *scan, struct buf *words)
{
    size_t len;

    if (!take(scan, "\""))
        return false;
    len = plain_run(scan);
    if (len == 0)
        return false;
    if (words->len > 0)
        buf_add_char(words, ',');
    buf_add(words, scan->at, len);
    scan->at += len;
    return take(scan, "\"");
}

/* The rest of an array of words. */
static bool take_words(struct scan *scan, char **ret_words)
{
    struct buf words;
    bool ok;

    buf_init(&words, (size_t)(scan->end - scan->at));
    do {
        ok = take_word(scan, &words);
    } while (ok && take(scan, ","));
    ok = ok && take(scan, "]");
    if (ok)
        *ret_words = buf_take(&words);
    buf_done(&words);
    return ok;
}

static bool take_metadata(struct scan *scan, struct message *message)
{
    const struct message_field *field;

    for (size_t i = 0; (field = message_field(i)) != NULL; i++) {
        const char *start = scan->at;

        if (!take(scan, i == 0 ? "{\"" : ",\"") || !take(scan, field->key)
            || !take(scan, "\":")) {
            if (!field->optional)
                return false;
            scan->at = start; /* it was left out */
        } else if (!take_field(scan, field, message_field_in(message, field))) {
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

/* What message_read wants of a turn besides its form. */
static bool is_whole_turn(const struct message *message)
{
    return message->message_id[0] != '\0' && message->conversation_id != NULL
           && message->conversation_id[0] != '\0' && message->sequence_number != -1
           && message->seat != -1 && message->seat <= SEATS_MAX;
}

bool message_scan(struct str json, struct message *ret_message)
{
    struct scan scan = {.at = json.at, .end = json.at + json.len};
    struct message message;

    if (json.len == 0)
        return false;
    message_init(&message, MESSAGE_TURN);
    if (!take_turn(&scan, &message) || !is_whole_turn(&message)) {
        message_done(&message);
        return false;
    }
    *ret_message = message;
    return true;
}

/* entry_line.c - see entry_line.h. */
#include "net/entry_line.h"

#include <string.h>

#include "base/clock.h"
#include "net/redis_value.h"
#include "proto/cast.h"
#include "proto/json_write.h"
#include "proto/message.h"
#include "proto/wish.h"

enum field_kind {
    FIELD_TEXT,
    FIELD_NUMBER,
    FIELD_STAMP,
    FIELD_NULLABLE,
    FIELD_WORDS, /* "a,b": an array */
    FIELD_YES    /* "1" or "0" */
};
struct field {
    const char *name;
    enum field_kind kind;
};

static bool is_digit(struct str text, size_t at)
{
    return at < text.len && text.at[at] >= '0' && text.at[at] <= '9';
}

/* Of a text that str_to_double reads: JSON wants a digit on both sides of the point,
 * and no 0 before others. */
static bool is_json_number(struct str text)
{
    size_t first = text.at[0] == '-' ? 1 : 0;
    const char *point = memchr(text.at, '.', text.len);
    size_t at = point == NULL ? 0 : (size_t)(point - text.at);

    return is_digit(text, first)
           && (text.at[first] != '0' || !is_digit(text, first + 1))
           && (point == NULL || is_digit(text, at + 1));
}

static void write_number(struct buf *line, struct str text, double number)
{
    enum { DECIMALS = 9 };

    if (is_json_number(text))
        buf_add_str(line, text);
    else
        json_write_number(line, number, DECIMALS);
}

static void write_field(struct buf *line, enum field_kind kind, struct str value)
{
    char stamp[CLOCK_TEXT_SIZE];
    int64_t at_us;
    double number;

    if (kind == FIELD_STAMP && str_to_i64(value, 0, INT64_MAX, &at_us)) {
        clock_format_us(at_us, stamp);
        json_write_text(line, stamp);
    } else if (kind == FIELD_NUMBER && str_to_double(value, -1e18, 1e18, &number)) {
        write_number(line, value, number);
    } else if (kind != FIELD_TEXT && value.len == 0) {
        buf_add_text(line, "null");
    } else if (kind == FIELD_WORDS) {
        json_write_words(line, value);
    } else if (kind == FIELD_YES) {
        buf_add_text(line, str_is(value, "0") ? "false" : "true");
    } else {
        json_write_string(line, value);
    }
}

static const struct field event_fields[] = {
    {"id", FIELD_TEXT},           {"event", FIELD_TEXT},
    {"conversation", FIELD_TEXT}, {"at", FIELD_STAMP},
    {"turn", FIELD_NUMBER},       {"transcript", FIELD_NULLABLE},
    {"state", FIELD_NULLABLE},    {"reason", FIELD_NULLABLE},
    {"summary", FIELD_NULLABLE},
};
static const struct field call_fields[] = {
    {"conversation", FIELD_TEXT},
    {"turn", FIELD_NUMBER},
    {"issue", FIELD_NUMBER},
    {"delivery", FIELD_NUMBER},
    {"call", FIELD_TEXT},
    {"seat", FIELD_NUMBER},
    {"endpoint", FIELD_NULLABLE},
    {"provider", FIELD_NULLABLE},
    {"model", FIELD_NULLABLE},
    {"started_at", FIELD_TEXT},
    {"ended_at", FIELD_TEXT},
    {"duration_ms", FIELD_NUMBER},
    {"time_to_first_token_ms", FIELD_NUMBER},
    {"tokens_generated", FIELD_NUMBER},
    {"prompt_tokens", FIELD_NUMBER},
    {"outcome", FIELD_TEXT},
    {"error", FIELD_NULLABLE},
    {"worker", FIELD_TEXT},
    {"attempt", FIELD_NUMBER},
    {"tier", FIELD_NULLABLE},
    {"route", FIELD_NULLABLE},
    {"endpoint_wait_ms", FIELD_NUMBER},
    {"cost", FIELD_NUMBER},
    {"prompt_cached_tokens", FIELD_NUMBER},
    {"finish_reason", FIELD_NULLABLE},
    {"http_status", FIELD_NUMBER},
    {"cleaned", FIELD_WORDS},
    {"context_truncated", FIELD_YES},
    {"probe", FIELD_YES},
    {"thinking", FIELD_NULLABLE},
    {"chunks", FIELD_NUMBER},
    {"longest_gap_ms", FIELD_NUMBER},
    {"prefill_ms", FIELD_NUMBER},
    {"decode_ms", FIELD_NUMBER},
    {"load_ms", FIELD_NUMBER},
    {"num_ctx", FIELD_NUMBER},
};

static void write_fields(const struct field *fields, size_t count,
                         const struct redis_value *entry, struct buf *line)
{
    for (size_t i = 0; i < count; i++) {
        buf_add_char(line, i == 0 ? '{' : ',');
        json_write_text(line, fields[i].name);
        buf_add_char(line, ':');
        write_field(line, fields[i].kind, redis_field(entry, fields[i].name));
    }
    buf_add_char(line, '}');
}

void entry_line_event(const struct redis_value *entry, struct buf *line)
{
    write_fields(event_fields, sizeof event_fields / sizeof *event_fields, entry, line);
}

void entry_line_call(const struct redis_value *entry, struct buf *line)
{
    write_fields(call_fields, sizeof call_fields / sizeof *call_fields, entry, line);
}

bool entry_line_story(const char *id, const struct redis_value *fields,
                      struct buf *into)
{
    struct str json = redis_field(fields, "story");
    struct message message;
    struct buf story;
    bool ok;

    if (json.len == 0 || !message_parse(json, &message, NULL))
        return false;
    buf_init(&story, MESSAGE_MAX_BYTES);
    ok = story_format(&message.story, &story);
    if (ok) {
        buf_add_text(into, "{\"conversation\":");
        json_write_text(into, id);
        buf_add_char(into, ',');
        buf_add(into, story.at + 1, story.len - 1); /* behind its "{" */
    }
    buf_done(&story);
    message_done(&message);
    return ok;
}

static void add_topic(const struct redis_value *fields, struct buf *into)
{
    struct wish wish;

    if (!wish_parse(redis_field(fields, "wish"), &wish, NULL))
        return;
    buf_add_text(into, ",\"topic\":");
    json_write_text(into, wish.topic);
    wish_done(&wish);
}

void entry_line_cast(const char *id, const struct redis_value *fields, struct buf *into)
{
    buf_add_text(into, "{\"conversation\":");
    json_write_text(into, id);
    add_topic(fields, into);
    buf_add_text(into, ",\"seats\":[");
    for (int seat = 1; seat <= SEATS_MAX; seat++) {
        char field[16];
        struct str json;

        fmt_into(field, sizeof field, "seat:%d", seat);
        json = redis_field(fields, field);
        if (json.len < 2)
            break;
        buf_printf(into, "%s{\"seat\":%d,", seat == 1 ? "" : ",", seat);
        buf_add(into, json.at + 1, json.len - 1); /* behind its "{" */
    }
    buf_add_text(into, "]}");
}

/* message.c - see message.h.
 *
 * Writing goes straight into the buffer, which remembers when it was full. Reading
 * first tries the form that is written here (message_scan); whatever is not in it goes
 * to message_read, which knows all forms and says what is wrong.
 */
#include "proto/message.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/clock.h"
#include "proto/cast.h"
#include "proto/cast_json.h"
#include "proto/json_write.h"
#include "proto/message_field.h"
#include "proto/message_read.h"
#include "proto/message_scan.h"

enum { DECIMALS = 3 }; /* of a sentiment */

static const char *const kind_names[MESSAGE_KIND_COUNT] = {
    [MESSAGE_STORY] = "story",
    [MESSAGE_PERSONA] = "persona",
    [MESSAGE_TURN] = "turn",
    [MESSAGE_EVENT] = "event",
    [MESSAGE_WHISPER] = "whisper"};

const char *message_kind_name(enum message_kind kind)
{
    return kind_names[kind];
}

/* All that the table of fields calls a count or a number is -1: unknown. */
void message_init(struct message *message, enum message_kind kind)
{
    *message = (struct message){.kind = kind,
                                .queue_timestamp_us = -1,
                                .sentiment = NAN,
                                .sequence_number = -1,
                                .seat = -1,
                                .tokens_generated = -1,
                                .generation_time_ms = -1,
                                .prompt_tokens = -1,
                                .time_to_first_token_ms = -1,
                                .tokens_per_second = -1,
                                .queue_wait_ms = -1,
                                .endpoint_wait_ms = -1,
                                .routing_ms = -1,
                                .attempts = -1,
                                .issue = -1,
                                .chunks = -1,
                                .longest_gap_ms = -1,
                                .prefill_ms = -1,
                                .decode_ms = -1,
                                .load_ms = -1,
                                .worker_ms = -1,
                                .prompt_cached_tokens = -1,
                                .num_ctx = -1,
                                .cost = -1};
}

void message_done(struct message *message)
{
    for (size_t i = 0; message_field(i) != NULL; i++) {
        char **text = message_field_in(message, message_field(i));

        if (message_field(i)->kind == FIELD_TEXT)
            free(*text);
    }
    for (size_t i = 0; i < message->reference_count; i++)
        free(message->references[i]);
    free(message->references);
    free(message->message_id);
    free(message->role);
    free(message->to);
    free(message->text);
    free(message->cleaned);
    story_done(&message->story);
    persona_done(&message->persona);
    message_init(message, message->kind);
}

static void write_key(struct buf *into, const char *key)
{
    buf_add(into, ",\"", 2);
    buf_add_text(into, key);
    buf_add(into, "\":", 2);
}

static void write_time(struct buf *into, int64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];

    if (wall_us != -1)
        clock_format_us(wall_us, text);
    json_write_text(into, wall_us == -1 ? NULL : text);
}

static void write_seats(struct buf *into, const int *seats, size_t count)
{
    if (seats == NULL) {
        buf_add_text(into, "null");
        return;
    }
    assert(count > 0);
    for (size_t i = 0; i < count; i++) {
        buf_add_char(into, i == 0 ? '[' : ',');
        json_write_i64(into, seats[i]);
    }
    buf_add_char(into, ']');
}

static void write_said(struct buf *into, const struct message *message)
{
    json_write_text(into, message->text == NULL ? "" : message->text);
    write_key(into, "sentiment");
    json_write_number(into, message->sentiment, DECIMALS);
    write_key(into, "references");
    buf_add_char(into, '[');
    for (size_t i = 0; i < message->reference_count; i++) {
        if (i > 0)
            buf_add_char(into, ',');
        json_write_text(into, message->references[i]);
    }
    buf_add_char(into, ']');
}

static void write_content(struct buf *into, const struct message *message)
{
    switch (message->kind) {
    case MESSAGE_STORY:
        buf_add_text(into, "{\"type\":\"story\",");
        story_write(into, &message->story);
        break;
    case MESSAGE_PERSONA:
        buf_add_text(into, "{\"type\":\"persona\",");
        persona_write(into, &message->persona);
        break;
    default:
        buf_add_text(into, "{\"type\":\"conversation\",\"message\":");
        write_said(into, message);
        break;
    }
    buf_add_char(into, '}');
}

/* A time or rate below nothing (clocks that went apart) is no more known than -1. */
static void write_field(struct buf *into, const struct message_field *field,
                        const void *at)
{
    char *const *text = at;
    const int64_t *count = at;
    const double *number = at;

    switch (field->kind) {
    case FIELD_TEXT:
        json_write_text(into, *text);
        break;
    case FIELD_COUNT:
        json_write_count(into, *count);
        break;
    case FIELD_NUMBER:
        json_write_number(into, *number < 0 ? NAN : *number, field->decimals);
        break;
    }
}

static bool is_known(const struct message_field *field, const void *at)
{
    char *const *text = at;
    const int64_t *count = at;
    const double *number = at;

    switch (field->kind) {
    case FIELD_TEXT:
        return *text != NULL;
    case FIELD_COUNT:
        return *count >= 0;
    default:
        return *number >= 0;
    }
}

/* What most messages have not: left out where it is not so. */
static void write_marks(struct buf *into, const struct message *message)
{
    if (message->cleaned != NULL) {
        write_key(into, "cleaned");
        json_write_words(into, str_of(message->cleaned));
    }
    if (message->context_truncated)
        buf_add_text(into, ",\"context_truncated\":true");
    if (message->fallback)
        buf_add_text(into, ",\"fallback\":true");
    if (message->failed)
        buf_add_text(into, ",\"failed\":true");
}

static void write_metadata(struct buf *into, const struct message *message)
{
    buf_add_char(into, '{');
    for (size_t i = 0; message_field(i) != NULL; i++) {
        const struct message_field *field = message_field(i);

        if (field->optional && !is_known(field, message_field_of(message, field)))
            continue;
        buf_add_text(into, i == 0 ? "\"" : ",\"");
        buf_add_text(into, field->key);
        buf_add(into, "\":", 2);
        write_field(into, field, message_field_of(message, field));
    }
    write_marks(into, message);
    buf_add_char(into, '}');
}

static const char *default_role(enum message_kind kind)
{
    return kind == MESSAGE_TURN ? "assistant" : "system";
}

bool message_format(const struct message *message, struct buf *into)
{
    assert(message->message_id != NULL && message->conversation_id != NULL);
    buf_add_text(into, "{\"schema_version\":\"1.0\",\"kind\":\"");
    buf_add_text(into, kind_names[message->kind]);
    buf_add_text(into, "\",\"queue_timestamp\":");
    write_time(into, message->queue_timestamp_us);
    write_key(into, "message_id");
    json_write_text(into, message->message_id);
    write_key(into, "role");
    json_write_text(into, message->role == NULL ? default_role(message->kind)
                                                : message->role);
    write_key(into, "to");
    write_seats(into, message->to, message->to_count);
    write_key(into, "content");
    write_content(into, message);
    write_key(into, "metadata");
    write_metadata(into, message);
    buf_add_char(into, '}');
    return !into->overflowed;
}

bool message_parse(struct str json, struct message *ret_message, struct err *err)
{
    if (json.len > MESSAGE_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "a message of %zu bytes, at most %d are allowed",
                       json.len, MESSAGE_MAX_BYTES);
    return message_scan(json, ret_message) || message_read(json, ret_message, err);
}

/* message_read.c - see message_read.h. */
#include "proto/message_read.h"

#include <math.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/cast_json.h"
#include "proto/json_get.h"
#include "proto/message.h"
#include "proto/message_field.h"
#include "proto/schema.h"

/* All read into a message that message_done can free, however far they came. */

static bool read_version(const struct json_place *root, struct err *err)
{
    struct json_place version = json_member(root, "schema_version");

    /* A later 1.x only adds keys. */
    if (!json_is_string(version.value)
        || strncmp(json_string_value(version.value), "1.", 2) != 0)
        return json_fail(&version, "\"1.0\"", err);
    return true;
}

static bool read_kind(const struct json_place *root, enum message_kind *ret_kind,
                      struct err *err)
{
    struct json_place kind = json_member(root, "kind");
    const char *name = json_string_value(kind.value);

    for (int i = 0; name != NULL && i < MESSAGE_KIND_COUNT; i++) {
        if (strcmp(name, message_kind_name((enum message_kind)i)) == 0) {
            *ret_kind = (enum message_kind)i;
            return true;
        }
    }
    return json_fail(
        &kind, "one of \"story\", \"persona\", \"turn\", \"event\", \"whisper\"", err);
}

static bool read_time(const struct json_place *root, struct message *message,
                      struct err *err)
{
    struct json_place time = json_member(root, "queue_timestamp");
    struct str text = str_of(json_string_value(time.value));

    if (time.value == NULL || json_is_null(time.value)
        || clock_parse_us(text, &message->queue_timestamp_us))
        return true;
    return json_fail(&time, "a time like 2026-01-31T10:30:00.123456Z or null", err);
}

static bool read_seats(const struct json_place *root, struct message *message,
                       struct err *err)
{
    struct json_place to = json_member(root, "to");
    size_t count = json_array_size(to.value);

    if (to.value == NULL || json_is_null(to.value))
        return true;
    if (count < 1 || count > SEATS_MAX)
        return json_fail(&to, "null or an array of 1 to 16 seats", err);
    message->to = x_calloc(count, sizeof *message->to);
    message->to_count = count;
    for (size_t i = 0; i < count; i++) {
        struct json_place item = json_item(&to, i);
        int64_t seat;

        if (!json_is_whole(item.value, &seat) || seat < 1 || seat > SEATS_MAX)
            return json_fail(&item, "a seat from 1 to 16", err);
        message->to[i] = (int)seat;
    }
    return true;
}

static bool read_said(const struct json_place *content, struct message *message,
                      struct err *err)
{
    struct json_place sentiment = json_member(content, "sentiment");

    if (!json_get_text(json_member(content, "message"), &message->text, err)
        || !json_get_number(sentiment, -1, NAN, &message->sentiment, err))
        return false;
    if (message->sentiment > 1)
        return json_fail(&sentiment, "a number from -1 to 1 or null", err);
    return json_get_texts(json_member(content, "references"), &message->references,
                          &message->reference_count, err);
}

static bool read_content(const struct json_place *root, struct message *message,
                         struct err *err)
{
    static const char *const types[MESSAGE_KIND_COUNT] = {
        [MESSAGE_STORY] = "\"story\"",          [MESSAGE_PERSONA] = "\"persona\"",
        [MESSAGE_TURN] = "\"conversation\"",    [MESSAGE_EVENT] = "\"conversation\"",
        [MESSAGE_WHISPER] = "\"conversation\"",
    };
    struct json_place content = json_member(root, "content");
    struct json_place type = json_member(&content, "type");
    const char *name = json_string_value(type.value);
    const char *wanted = types[message->kind];

    if (!json_is_object(content.value))
        return json_fail(&content, "an object", err);
    /* The quotes are for the complaint only. */
    if (name == NULL || strlen(name) != strlen(wanted) - 2
        || strncmp(name, wanted + 1, strlen(name)) != 0)
        return json_fail(&type, wanted, err);
    switch (message->kind) {
    case MESSAGE_STORY:
        return story_read(&content, &message->story, err);
    case MESSAGE_PERSONA:
        return persona_read(&content, &message->persona, err);
    default:
        return read_said(&content, message, err);
    }
}

static bool read_field(struct json_place place, const struct message_field *field,
                       void *at, struct err *err)
{
    char **text = at;
    int64_t *count = at;
    double *number = at;

    switch (field->kind) {
    case FIELD_TEXT:
        return json_get_text_or_null(place, text, err);
    case FIELD_COUNT:
        return json_get_count(place, field->min, count, err);
    default:
        return json_get_number(place, 0, -1, number, err);
    }
}

/* What may not be unknown, and what the kind rules out. */
static bool check_metadata(const struct json_place *metadata,
                           const struct message *message, struct err *err)
{
    struct json_place id = json_member(metadata, "conversation_id");
    struct json_place number = json_member(metadata, "sequence_number");
    struct json_place seat = json_member(metadata, "seat");
    bool is_turn = message->kind == MESSAGE_TURN;
    bool has_seat = is_turn || message->kind == MESSAGE_PERSONA;

    if (message->conversation_id == NULL || message->conversation_id[0] == '\0')
        return json_fail(&id, "the id of a conversation", err);
    if ((message->sequence_number != -1) != is_turn)
        return json_fail(&number, is_turn ? "the number of the turn" : "null", err);
    if ((message->seat != -1) != has_seat || message->seat > SEATS_MAX)
        return json_fail(&seat, has_seat ? "a seat from 1 to 16" : "null", err);
    return true;
}

/* An array of words, kept with commas between. */
static bool read_words(struct json_place place, char **ret_words, struct err *err)
{
    size_t count = json_array_size(place.value);
    struct buf words;

    if (place.value != NULL && !json_is_null(place.value)
        && !json_is_array(place.value))
        return json_fail(&place, "an array of words or null", err);
    buf_init(&words, SIZE_MAX);
    for (size_t i = 0; i < count; i++) {
        struct json_place item = json_item(&place, i);

        if (!json_is_string(item.value) || json_string_length(item.value) == 0) {
            buf_done(&words);
            return json_fail(&item, "a word", err);
        }
        buf_printf(&words, "%s%s", i == 0 ? "" : ",", json_string_value(item.value));
    }
    *ret_words = count == 0 ? NULL : buf_take(&words);
    buf_done(&words);
    return true;
}

static bool read_marks(const struct json_place *metadata, struct message *message,
                       struct err *err)
{
    return read_words(json_member(metadata, "cleaned"), &message->cleaned, err)
           && json_get_bool(json_member(metadata, "context_truncated"),
                            &message->context_truncated, err)
           && json_get_bool(json_member(metadata, "fallback"), &message->fallback, err)
           && json_get_bool(json_member(metadata, "failed"), &message->failed, err);
}

static bool read_metadata(const struct json_place *root, struct message *message,
                          struct err *err)
{
    struct json_place metadata = json_member(root, "metadata");

    if (!json_is_object(metadata.value))
        return json_fail(&metadata, "an object", err);
    for (size_t i = 0; message_field(i) != NULL; i++) {
        const struct message_field *field = message_field(i);

        if (!read_field(json_member(&metadata, field->key), field,
                        message_field_in(message, field), err))
            return false;
    }
    return read_marks(&metadata, message, err)
           && check_metadata(&metadata, message, err);
}

static bool read_message(const struct json_place *root, struct message *message,
                         struct err *err)
{
    struct json_place id = json_member(root, "message_id");
    struct json_place to = json_member(root, "to");

    if (!json_is_object(root->value))
        return json_fail(root, "an object", err);
    if (!read_version(root, err) || !read_kind(root, &message->kind, err)
        || !read_time(root, message, err)
        || !json_get_text(id, &message->message_id, err)
        || !json_get_text(json_member(root, "role"), &message->role, err)
        || !read_seats(root, message, err) || !read_content(root, message, err)
        || !read_metadata(root, message, err))
        return false;
    if (message->kind == MESSAGE_WHISPER && message->to == NULL)
        return json_fail(&to, "the seats it is whispered to", err);
    return message->message_id[0] != '\0' || json_fail(&id, "an id", err);
}

bool message_read(struct str json, struct message *ret_message, struct err *err)
{
    struct message message;
    struct json_place root;
    json_t *document = NULL;
    bool ok;

    if (!json_read(json, &document, err))
        return false;
    root = json_root(document);
    message_init(&message, MESSAGE_TURN);
    ok = read_message(&root, &message, err);
    if (ok)
        *ret_message = message;
    else
        message_done(&message);
    json_decref(document);
    return ok;
}

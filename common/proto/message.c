/* message.c - see message.h.
 *
 * One table has a row for each key of `metadata`; it is written and read by walking
 * that table, so the two cannot part. Writing is done without a tree: it happens twice
 * a turn, in the worker and in the manager.
 */
#include "proto/message.h"

#include <assert.h>
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "proto/cast.h"
#include "proto/cast_json.h"
#include "proto/json_get.h"
#include "proto/json_write.h"
#include "proto/schema.h"

enum { DECIMALS = 3 }; /* of a millisecond: what our clocks tell */

static const char *const kind_names[MESSAGE_KIND_COUNT] = {
    [MESSAGE_STORY] = "story", [MESSAGE_PERSONA] = "persona", [MESSAGE_TURN] = "turn"};

const char *message_kind_name(enum message_kind kind)
{
    return kind_names[kind];
}

enum field_kind { FIELD_TEXT, FIELD_COUNT, FIELD_NUMBER };
static const struct field {
    const char *key;
    enum field_kind kind;
    size_t offset;
    int64_t min; /* of a count */
} fields[] = {
    {"conversation_id", FIELD_TEXT, offsetof(struct message, conversation_id), 0},
    {"sequence_number", FIELD_COUNT, offsetof(struct message, sequence_number), 1},
    {"seat", FIELD_COUNT, offsetof(struct message, seat), 1},
    {"author", FIELD_TEXT, offsetof(struct message, author), 0},
    {"tokens_generated", FIELD_COUNT, offsetof(struct message, tokens_generated), 0},
    {"generation_time_ms", FIELD_NUMBER, offsetof(struct message, generation_time_ms),
     0},
    {"prompt_tokens", FIELD_COUNT, offsetof(struct message, prompt_tokens), 0},
    {"time_to_first_token_ms", FIELD_NUMBER,
     offsetof(struct message, time_to_first_token_ms), 0},
    {"tokens_per_second", FIELD_NUMBER, offsetof(struct message, tokens_per_second), 0},
    {"queue_wait_ms", FIELD_NUMBER, offsetof(struct message, queue_wait_ms), 0},
    {"routing_ms", FIELD_NUMBER, offsetof(struct message, routing_ms), 0},
    {"attempts", FIELD_COUNT, offsetof(struct message, attempts), 0},
    {"issue", FIELD_COUNT, offsetof(struct message, issue), 1},
    {"provider", FIELD_TEXT, offsetof(struct message, provider), 0},
    {"endpoint", FIELD_TEXT, offsetof(struct message, endpoint), 0},
    {"model", FIELD_TEXT, offsetof(struct message, model), 0},
    {"finish_reason", FIELD_TEXT, offsetof(struct message, finish_reason), 0},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static void *field_in(struct message *message, const struct field *field)
{
    return (char *)message + field->offset;
}

static const void *field_of(const struct message *message, const struct field *field)
{
    return (const char *)message + field->offset;
}

void message_init(struct message *message, enum message_kind kind)
{
    *message =
        (struct message){.kind = kind, .queue_timestamp_us = -1, .sentiment = NAN};
    for (size_t i = 0; i < FIELDS; i++) {
        int64_t *count = field_in(message, &fields[i]);
        double *number = field_in(message, &fields[i]);

        if (fields[i].kind == FIELD_COUNT)
            *count = -1;
        else if (fields[i].kind == FIELD_NUMBER)
            *number = -1;
    }
}

void message_done(struct message *message)
{
    for (size_t i = 0; i < FIELDS; i++) {
        char **text = field_in(message, &fields[i]);

        if (fields[i].kind == FIELD_TEXT)
            free(*text);
    }
    for (size_t i = 0; i < message->reference_count; i++)
        free(message->references[i]);
    free(message->references);
    free(message->message_id);
    free(message->role);
    free(message->to);
    free(message->text);
    story_done(&message->story);
    persona_done(&message->persona);
    message_init(message, message->kind);
}

/* Writing: the buffer remembers when it was full, so the steps need not look. */

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
static void write_field(struct buf *into, const struct field *field, const void *at)
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
        json_write_number(into, *number < 0 ? NAN : *number, DECIMALS);
        break;
    }
}

static void write_metadata(struct buf *into, const struct message *message)
{
    buf_add_char(into, '{');
    for (size_t i = 0; i < FIELDS; i++) {
        buf_add_text(into, i == 0 ? "\"" : ",\"");
        buf_add_text(into, fields[i].key);
        buf_add(into, "\":", 2);
        write_field(into, &fields[i], field_of(message, &fields[i]));
    }
    if (message->failed)
        buf_add_text(into, ",\"failed\":true");
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

/* Reading: into a message that message_done can free, however far it came. */

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
        if (strcmp(name, kind_names[i]) == 0) {
            *ret_kind = (enum message_kind)i;
            return true;
        }
    }
    return json_fail(&kind, "one of \"story\", \"persona\", \"turn\"", err);
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
    static const char *const types[MESSAGE_KIND_COUNT] = {"\"story\"", "\"persona\"",
                                                          "\"conversation\""};
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

static bool read_field(struct json_place place, const struct field *field, void *at,
                       struct err *err)
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
    bool is_story = message->kind == MESSAGE_STORY;

    if (message->conversation_id == NULL || message->conversation_id[0] == '\0')
        return json_fail(&id, "the id of a conversation", err);
    if ((message->sequence_number != -1) != is_turn)
        return json_fail(&number, is_turn ? "the number of the turn" : "null", err);
    if ((message->seat == -1) != is_story || message->seat > SEATS_MAX)
        return json_fail(&seat, is_story ? "null" : "a seat from 1 to 16", err);
    return true;
}

static bool read_metadata(const struct json_place *root, struct message *message,
                          struct err *err)
{
    struct json_place metadata = json_member(root, "metadata");
    struct json_place failed = json_member(&metadata, "failed");

    if (!json_is_object(metadata.value))
        return json_fail(&metadata, "an object", err);
    for (size_t i = 0; i < FIELDS; i++)
        if (!read_field(json_member(&metadata, fields[i].key), &fields[i],
                        field_in(message, &fields[i]), err))
            return false;
    if (failed.value != NULL && !json_is_boolean(failed.value))
        return json_fail(&failed, "true or false", err);
    message->failed = json_is_true(failed.value);
    return check_metadata(&metadata, message, err);
}

static bool read_message(const struct json_place *root, struct message *message,
                         struct err *err)
{
    struct json_place id = json_member(root, "message_id");

    if (!json_is_object(root->value))
        return json_fail(root, "an object", err);
    if (!read_version(root, err) || !read_kind(root, &message->kind, err)
        || !read_time(root, message, err)
        || !json_get_text(id, &message->message_id, err)
        || !json_get_text(json_member(root, "role"), &message->role, err)
        || !read_seats(root, message, err) || !read_content(root, message, err)
        || !read_metadata(root, message, err))
        return false;
    return message->message_id[0] != '\0' || json_fail(&id, "an id", err);
}

bool message_parse(struct str json, struct message *ret_message, struct err *err)
{
    struct message message;
    struct json_place root;
    json_t *document = NULL;
    bool ok;

    if (json.len > MESSAGE_MAX_BYTES)
        return err_set(err, ERR_LIMIT, "a message of %zu bytes, at most %d are allowed",
                       json.len, MESSAGE_MAX_BYTES);
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

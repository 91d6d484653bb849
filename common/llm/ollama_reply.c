/* ollama_reply.c - see ollama_reply.h.
 *
 * Broken UTF-8: a server that cuts its text by tokens may put the halves of a character
 * into two lines, and no JSON parser takes such a line. So its broken bytes travel
 * through the parser as characters of the last private plane (0x80 as U+10FF80) and are
 * bytes again before the text stream joins the halves.
 *
 * Flow: line -> parse -> error? -> message.content, .thinking -> done? -> counts
 */
#include "llm/ollama_reply.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "proto/json_get.h"
#include "proto/schema.h"

enum { MODEL_BYTES_MAX = 256, FINISH_REASON_BYTES_MAX = 64 };

void ollama_reply_init(struct ollama_reply *reply, size_t max_reply_bytes)
{
    *reply = (struct ollama_reply){
        .prompt_tokens = -1,
        .prompt_cached_tokens = -1,
        .tokens_generated = -1,
        .load_ns = -1,
        .prompt_ns = -1,
        .generation_ns = -1,
        .total_ns = -1,
    };
    buf_init(&reply->text, max_reply_bytes);
    buf_init(&reply->thinking, max_reply_bytes);
    buf_init(&reply->scratch, SIZE_MAX / 2); /* at most 4 times a bounded line */
}

void ollama_reply_done(struct ollama_reply *reply)
{
    buf_done(&reply->text);
    buf_done(&reply->thinking);
    buf_done(&reply->scratch);
    free(reply->model);
    free(reply->finish_reason);
}

bool ollama_reply_fail(struct ollama_reply *reply, enum llm_error error,
                       const char *format, ...)
{
    va_list args;

    if (reply->error != LLM_ERROR_NONE)
        return false;
    reply->error = error;
    va_start(args, format);
    (void)vsnprintf(reply->reason.msg, sizeof reply->reason.msg, format,
                    args); /* cut */
    va_end(args);
    return false;
}

/* A value of the wrong type: err says where and what. */
static bool fail_place(struct ollama_reply *reply, const struct err *err)
{
    return ollama_reply_fail(reply, LLM_ERROR_PROTOCOL, "line %zu of the reply: %s",
                             reply->lines, err->msg);
}

/* ---- broken UTF-8 ---- */

static const char hidden_start[2] = {'\xF4', '\x8F'}; /* of U+10FF80 to U+10FFFF */

static bool hide_broken(struct str line, struct buf *into)
{
    bool ok = true;

    buf_clear(into);
    while (ok && line.len > 0) {
        uint32_t point = 0;
        size_t used = utf8_decode(line, &point);
        unsigned char byte = (unsigned char)line.at[0];
        char hidden[4] = {hidden_start[0], hidden_start[1], (char)(0xBC | byte >> 6),
                          (char)(0x80 | (byte & 0x3F))};

        ok = used > 0 ? buf_add(into, line.at, used) : buf_add(into, hidden, 4);
        used = used > 0 ? used : 1;
        line = str_make(line.at + used, line.len - used);
    }
    return ok;
}

static bool show_broken(struct str text, struct buf *into)
{
    bool ok = true;

    buf_clear(into);
    while (ok && text.len > 0) {
        bool hidden = text.len >= 4
                      && memcmp(text.at, hidden_start, sizeof hidden_start) == 0
                      && ((unsigned char)text.at[2] & 0xFE) == 0xBE;
        unsigned last = hidden ? (unsigned char)text.at[3] & 0x3FU : 0;
        size_t used = hidden ? 4 : 1;

        ok = hidden
                 ? buf_add_char(into, (char)(((unsigned)text.at[2] & 3U) << 6 | last))
                 : buf_add_char(into, text.at[0]);
        text = str_make(text.at + used, text.len - used);
    }
    return ok;
}

/* ---- values ---- */

/* The text at that place as the server sent it, empty when absent or null; a view into
 * the document or the scratch buffer. */
static bool read_text(struct ollama_reply *reply, struct json_place place,
                      struct str *ret_text)
{
    struct err err = {0};
    struct str text = str_of("");

    if (json_is_string(place.value))
        text =
            str_make(json_string_value(place.value), json_string_length(place.value));
    else if (place.value != NULL && !json_is_null(place.value)) {
        (void)json_fail(&place, "a string", &err);
        return fail_place(reply, &err);
    }
    if (reply->broken_utf8 && show_broken(text, &reply->scratch))
        text = buf_str(&reply->scratch);
    *ret_text = text;
    return true;
}

static bool read_bool(struct ollama_reply *reply, struct json_place place,
                      bool *ret_value)
{
    struct err err = {0};

    if (place.value != NULL && !json_is_null(place.value)
        && !json_is_boolean(place.value)) {
        (void)json_fail(&place, "true or false", &err);
        return fail_place(reply, &err);
    }
    *ret_value = json_is_true(place.value);
    return true;
}

/* A short text for people and logs, cut. NULL when it is empty. */
static char *short_text(struct str text, size_t max_bytes)
{
    struct buf safe;

    if (text.len == 0)
        return NULL;
    buf_init(&safe, max_bytes);
    (void)utf8_harmless(text, false, &safe); /* what does not fit is left out */
    return buf_take(&safe);
}

/* ---- a line ---- */

static bool take_piece(struct ollama_reply *reply, struct json_place place,
                       struct utf8_stream *stream, struct buf *into)
{
    size_t *pieces = into == &reply->text ? &reply->pieces : &reply->thoughts;
    struct str piece = str_of("");

    if (!read_text(reply, place, &piece))
        return false;
    if (!utf8_feed(stream, piece, into))
        return ollama_reply_fail(reply, LLM_ERROR_TOO_LARGE,
                                 "the reply is longer than %zu bytes", into->max);
    if (piece.len > 0)
        (*pieces)++;
    return true;
}

static bool take_message(struct ollama_reply *reply, const struct json_place *root)
{
    struct json_place message = json_member(root, "message");
    struct err err = {0};

    if (message.value == NULL || json_is_null(message.value))
        return true;
    if (!json_is_object(message.value)) {
        (void)json_fail(&message, "an object", &err);
        return fail_place(reply, &err);
    }
    return take_piece(reply, json_member(&message, "thinking"), &reply->thinking_stream,
                      &reply->thinking)
           && take_piece(reply, json_member(&message, "content"), &reply->text_stream,
                         &reply->text);
}

/* The text of an error: a string, or (as other servers write it) an object with a
 * message. */
static void take_error(struct ollama_reply *reply, const struct json_place *error)
{
    struct json_place place = *error;
    struct str text = str_of("");

    if (json_is_object(place.value))
        place = json_member(error, "message");
    if (json_is_string(place.value))
        (void)read_text(reply, place, &text);
    if (text.len == 0)
        text = str_of("an error without a text");
    ollama_reply_fail(reply, LLM_ERROR_STREAM, "the server broke off: %s",
                      log_safe(text));
}

static bool take_counts(struct ollama_reply *reply, const struct json_place *root)
{
    const struct {
        const char *key;
        int64_t *value;
    } counts[] = {
        {"prompt_eval_count", &reply->prompt_tokens},
        {"prompt_eval_cached_count", &reply->prompt_cached_tokens},
        {"eval_count", &reply->tokens_generated},
        {"load_duration", &reply->load_ns},
        {"prompt_eval_duration", &reply->prompt_ns},
        {"eval_duration", &reply->generation_ns},
        {"total_duration", &reply->total_ns},
    };
    struct err err = {0};

    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        if (!json_get_count(json_member(root, counts[i].key), 0, counts[i].value, &err))
            return fail_place(reply, &err);
    }
    return true;
}

/* A model that was loaded, unloaded or only thought has not spoken. */
static void judge_silence(struct ollama_reply *reply)
{
    const char *reason = reply->finish_reason == NULL ? "" : reply->finish_reason;
    bool housekeeping = strcmp(reason, "load") == 0 || strcmp(reason, "unload") == 0;

    if (!housekeeping && str_trim(buf_str(&reply->text)).len > 0)
        return;
    ollama_reply_fail(
        reply, LLM_ERROR_EMPTY, "the model %s (done_reason \"%s\")",
        reply->thinking.len > 0 ? "thought and said nothing" : "said nothing", reason);
}

static void take_end(struct ollama_reply *reply, const struct json_place *root)
{
    struct str finish = str_of("");

    if (!read_text(reply, json_member(root, "done_reason"), &finish))
        return;
    reply->finish_reason = short_text(finish, FINISH_REASON_BYTES_MAX);
    if (!take_counts(reply, root))
        return;
    reply->done = true;
    if (!utf8_end(&reply->text_stream, &reply->text)
        || !utf8_end(&reply->thinking_stream, &reply->thinking))
        ollama_reply_fail(reply, LLM_ERROR_TOO_LARGE,
                          "the reply is longer than %zu bytes", reply->text.max);
    judge_silence(reply);
}

static bool take_document(struct ollama_reply *reply, const struct json_place *root)
{
    struct json_place error = json_member(root, "error");
    struct str model = str_of("");
    struct err err = {0};
    bool done = false;

    if (!json_is_object(root->value)) {
        (void)json_fail(root, "an object", &err);
        return fail_place(reply, &err);
    }
    if (error.value != NULL && !json_is_null(error.value)) {
        take_error(reply, &error);
        return false;
    }
    if (!read_text(reply, json_member(root, "model"), &model))
        return false;
    if (reply->model == NULL)
        reply->model = short_text(model, MODEL_BYTES_MAX);
    if (!take_message(reply, root)
        || !read_bool(reply, json_member(root, "done"), &done))
        return false;
    if (done)
        take_end(reply, root);
    return !done;
}

/* The next escaped NUL of a JSON text at or behind `at`; text.len when there is none. A
 * backslash that is escaped itself begins nothing. */
static size_t find_nul(struct str text, size_t at)
{
    static const char nul[] = "\\u0000";

    while (at < text.len) {
        const char *slash = memchr(text.at + at, '\\', text.len - at);

        if (slash == NULL)
            return text.len;
        at = (size_t)(slash - text.at);
        if (str_starts(str_make(slash, text.len - at), nul))
            return at;
        at += 2;
    }
    return text.len;
}

/* No text of ours can hold a NUL: it becomes U+FFFD, like bytes that are no UTF-8. */
static struct str without_nuls(struct str line, struct buf *scratch)
{
    size_t at = find_nul(line, 0);

    if (at == line.len)
        return line;
    if (line.at != scratch->at) {
        buf_clear(scratch);
        if (!buf_add_str(scratch, line))
            return line; /* too long: the parser says what is wrong */
    }
    for (; at < scratch->len; at = find_nul(buf_str(scratch), at))
        memcpy(scratch->at + at, "\\ufffd", 6);
    return buf_str(scratch);
}

static bool read_line(struct ollama_reply *reply, struct str line,
                      json_t **ret_document, struct err *err)
{
    reply->broken_utf8 = !utf8_valid(line);
    if (reply->broken_utf8 && hide_broken(line, &reply->scratch))
        line = buf_str(&reply->scratch);
    return json_read(without_nuls(line, &reply->scratch), ret_document, err);
}

bool ollama_reply_line(struct ollama_reply *reply, struct str line)
{
    json_t *document = NULL;
    struct err err = {0};
    struct json_place root;
    bool more;

    reply->lines++;
    if (!read_line(reply, line, &document, &err))
        return ollama_reply_fail(reply, LLM_ERROR_PROTOCOL,
                                 "line %zu of the reply is not JSON: %s", reply->lines,
                                 err.msg);
    root = json_root(document);
    more = take_document(reply, &root);
    json_decref(document);
    return more;
}

/* ---- the end of the stream ---- */

/* A line without its end: whole, or broken off in the middle? */
static bool is_whole(struct ollama_reply *reply, struct str line)
{
    json_t *document = NULL;

    if (!read_line(reply, line, &document, NULL))
        return false;
    json_decref(document);
    return true;
}

void ollama_reply_end(struct ollama_reply *reply, struct str rest, const char *broken)
{
    bool object = rest.len > 0 && rest.at[0] == '{';

    if (reply->done || reply->error != LLM_ERROR_NONE)
        return;
    if (rest.len > 0 && (!object || is_whole(reply, rest)))
        (void)ollama_reply_line(reply, rest); /* done and error say the rest */
    if (!reply->done)
        ollama_reply_fail(reply, LLM_ERROR_TRUNCATED,
                          "the reply ended before its end marker%s%s",
                          *broken != '\0' ? ": " : "", broken);
}

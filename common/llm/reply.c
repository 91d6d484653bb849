/* reply.c - see reply.h.
 *
 * Broken UTF-8: a server that cuts its text by tokens may put the halves of a character
 * into two lines, and no JSON parser takes such a line. So its broken bytes travel
 * through the parser as characters of the last private plane (0x80 as U+10FF80) and are
 * bytes again before the text stream joins the halves.
 */
#include "llm/reply.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "llm/complaint.h"
#include "llm/overlong.h"
#include "llm/reply_mend.h"
#include "proto/json_pick.h"
#include "proto/schema.h"

enum {
    MODEL_BYTES_MAX = 256,
    FINISH_REASON_BYTES_MAX = 64,
    REFUSAL_BYTES_MAX = 300 /* a reason is one line */
};

void reply_init(struct reply *reply, size_t max_reply_bytes, const char *unit)
{
    *reply = (struct reply){
        .unit = unit,
        .prompt_tokens = -1,
        .prompt_cached_tokens = -1,
        .tokens_generated = -1,
        .thought_tokens = -1,
        .load_ns = -1,
        .prompt_ns = -1,
        .generation_ns = -1,
        .total_ns = -1,
        .retry_after_ms = -1,
        .window = -1,
    };
    buf_init(&reply->text, max_reply_bytes);
    buf_init(&reply->thinking, max_reply_bytes);
    buf_init(&reply->refusal, REFUSAL_BYTES_MAX);
    buf_init(&reply->scratch, SIZE_MAX / 2); /* at most 4 times a bounded document */
}

void reply_done(struct reply *reply)
{
    buf_done(&reply->text);
    buf_done(&reply->thinking);
    buf_done(&reply->refusal);
    buf_done(&reply->scratch);
    free(reply->model);
    free(reply->finish_reason);
}

/* ---- failing ---- */

bool reply_fail(struct reply *reply, enum llm_error error, const char *format, ...)
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

bool reply_fail_here(struct reply *reply, const struct err *err)
{
    return reply_fail(reply, LLM_ERROR_PROTOCOL, "%s %zu of the reply: %s", reply->unit,
                      reply->steps, err->msg);
}

void reply_cut(struct reply *reply, const char *broken)
{
    reply_fail(reply, LLM_ERROR_TRUNCATED, "the reply ended before its end marker%s%s",
               *broken != '\0' ? ": " : "", broken);
}

bool reply_check_complaint(struct reply *reply, const json_t *document, bool loose)
{
    struct complaint complaint;
    enum llm_error error = LLM_ERROR_STREAM;

    if (!complaint_read(document, loose, &complaint))
        return true;
    if (overlong_says(&complaint, &reply->window))
        error = LLM_ERROR_CONTEXT;
    if (reply->broken_utf8 && reply_mend_show(complaint.text, &reply->scratch))
        complaint.text = buf_str(&reply->scratch);
    if (complaint.text.len == 0)
        complaint.text = str_of("an error without a text");
    reply->retry_after_ms = complaint.retry_after_ms;
    return reply_fail(reply, error, "the server broke off: %s",
                      log_safe(complaint.text));
}

/* ---- documents and their values ---- */

bool reply_read(struct reply *reply, struct str text, json_t **ret_document,
                struct err *err)
{
    reply->broken_utf8 = !utf8_valid(text);
    if (reply->broken_utf8 && reply_mend_hide(text, &reply->scratch))
        text = buf_str(&reply->scratch);
    if (json_read(reply_mend_escapes(text, &reply->scratch), ret_document, err))
        return true;
    if (reply->broken_utf8 && err != NULL
        && reply_mend_show(str_of(err->msg), &reply->scratch))
        err_set(err, err->code, "%s", log_safe(buf_str(&reply->scratch)));
    return false;
}

static bool is_absent(struct json_place place)
{
    return place.value == NULL || json_is_null(place.value);
}

static bool fail_place(struct reply *reply, struct json_place place,
                       const char *expected)
{
    struct err err = {0};

    (void)json_fail(&place, expected, &err);
    return reply_fail_here(reply, &err);
}

bool reply_text(struct reply *reply, struct json_place place, struct str *ret_text)
{
    struct str text = str_of("");

    if (json_is_string(place.value))
        text =
            str_make(json_string_value(place.value), json_string_length(place.value));
    else if (!is_absent(place))
        return fail_place(reply, place, "a string");
    if (reply->broken_utf8 && reply_mend_show(text, &reply->scratch))
        text = buf_str(&reply->scratch);
    *ret_text = text;
    return true;
}

bool reply_object(struct reply *reply, struct json_place place, bool *ret_there)
{
    *ret_there = json_is_object(place.value);
    return *ret_there || is_absent(place) || fail_place(reply, place, "an object");
}

void reply_count(const json_t *count, int64_t *value)
{
    int64_t whole;

    if (json_is_whole(count, &whole) && whole >= 0)
        *value = whole;
}

/* ---- text ---- */

static bool take_piece(struct reply *reply, struct str piece,
                       struct utf8_stream *stream, struct buf *into)
{
    if (!utf8_feed(stream, piece, into))
        return reply_fail(reply, LLM_ERROR_TOO_LARGE,
                          "the reply is longer than %zu bytes", into->max);
    return true;
}

bool reply_say(struct reply *reply, struct str piece)
{
    if (!take_piece(reply, piece, &reply->text_stream, &reply->text))
        return false;
    reply->pieces += piece.len > 0;
    return true;
}

bool reply_think(struct reply *reply, struct str piece)
{
    if (!take_piece(reply, piece, &reply->thinking_stream, &reply->thinking))
        return false;
    reply->thoughts += piece.len > 0;
    return true;
}

bool reply_take_picked(struct reply *reply, const struct json_pick_text *model,
                       const struct json_pick_text *thought,
                       const struct json_pick_text *text)
{
    struct str piece = text->raw;

    /* Only the text is often escaped: one scratch buffer does for it. */
    if (model->escaped || thought->escaped)
        return false;
    if (text->escaped) {
        buf_clear(&reply->scratch);
        if (!json_pick_unescape(text->raw, &reply->scratch))
            return false;
        piece = buf_str(&reply->scratch);
    }
    reply->broken_utf8 = false;
    reply_name_model(reply, model->raw);
    (void)(reply_think(reply, thought->raw) && reply_say(reply, piece)); /* in error */
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

void reply_name_model(struct reply *reply, struct str model)
{
    if (reply->model == NULL)
        reply->model = short_text(model, MODEL_BYTES_MAX);
}

void reply_name_finish(struct reply *reply, struct str finish_reason)
{
    if (reply->finish_reason == NULL)
        reply->finish_reason = short_text(finish_reason, FINISH_REASON_BYTES_MAX);
}

/* ---- the end ---- */

/* A model that was loaded, unloaded or only thought has not spoken. */
static void judge_silence(struct reply *reply)
{
    const char *reason = reply->finish_reason == NULL ? "" : reply->finish_reason;
    bool housekeeping = strcmp(reason, "load") == 0 || strcmp(reason, "unload") == 0;

    if (!housekeeping && str_trim(buf_str(&reply->text)).len > 0)
        return;
    if (reply->refusal.len > 0)
        reply_fail(reply, LLM_ERROR_EMPTY, "the model refused: %s",
                   log_safe(buf_str(&reply->refusal)));
    else
        reply_fail(reply, LLM_ERROR_EMPTY, "the model %s (finish reason \"%s\")%s",
                   reply->thinking.len > 0 ? "thought and said nothing"
                                           : "said nothing",
                   reason,
                   /* Its thoughts, shown or not, have taken all it was allowed. */
                   strcmp(reason, "length") == 0
                       ? ": it needs a larger num_predict, or less think"
                       : "");
}

void reply_close(struct reply *reply)
{
    assert(!reply->done);
    reply->finished = true;
    reply->done = true;
    if (!utf8_end(&reply->text_stream, &reply->text)
        || !utf8_end(&reply->thinking_stream, &reply->thinking))
        reply_fail(reply, LLM_ERROR_TOO_LARGE, "the reply is longer than %zu bytes",
                   reply->text.max);
    judge_silence(reply);
}

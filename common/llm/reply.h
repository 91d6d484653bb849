/* reply.h - what a server has said so far: text, thoughts, counts, end or failure.
 * Pure; shared by the dialects, which read their lines and events into it.
 *
 * Flow: reply_init -> (reply_read, reply_say ... per line or event)* -> reply_close |
 *       reply_fail -> reply_done
 */
#ifndef PARLEY_LLM_REPLY_H
#define PARLEY_LLM_REPLY_H

#include <jansson.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "llm/result.h"
#include "proto/json_get.h"

struct json_pick_text;

struct reply {
    struct buf text;                    /* UTF-8, mended, whole characters */
    struct buf thinking;                /* the same; apart from the text */
    struct buf refusal;                 /* why the model will not speak, cut */
    struct utf8_stream text_stream;     /* a character of the text not whole yet */
    struct utf8_stream thinking_stream; /* the same of the thinking */
    struct buf scratch;                 /* a document or a text on its way */
    const char *unit;      /* what is counted in `steps`: "line", "event" */
    bool broken_utf8;      /* of the document being read */
    char *model;           /* owned, harmless; NULL until told */
    char *finish_reason;   /* owned, harmless; NULL until told */
    int64_t prompt_tokens; /* this and what follows: -1 not told */
    int64_t prompt_cached_tokens;
    int64_t tokens_generated;
    int64_t thought_tokens; /* of these */
    int64_t load_ns;
    int64_t prompt_ns;
    int64_t generation_ns;
    int64_t total_ns;
    int64_t retry_after_ms; /* of an error in mid-stream */
    int64_t window;         /* of LLM_ERROR_CONTEXT; -1 not told */
    size_t steps;           /* lines or events read so far */
    size_t pieces;          /* of text */
    size_t thoughts;        /* pieces of thinking */
    bool finished;          /* the model has ended; only counts may follow */
    bool done;              /* the end marker came */
    enum llm_error error;
    struct err reason; /* of the error: one harmless line */
};

/* unit: a literal. */
void reply_init(struct reply *reply, size_t max_reply_bytes, const char *unit);
void reply_done(struct reply *reply);

/* Parses a document of the stream; the caller owns it. Broken UTF-8 and escapes that no
 * text can hold do not fail it. */
MUST_USE bool reply_read(struct reply *reply, struct str text, json_t **ret_document,
                         struct err *err);

/* All that follow return false when the reply has failed. */

/* The text at that place as the server sent it, empty when absent or null; a view into
 * the document or the scratch buffer, valid until the next call. */
bool reply_text(struct reply *reply, struct json_place place, struct str *ret_text);
/* An object; *ret_there false when it is absent or null. */
bool reply_object(struct reply *reply, struct json_place place, bool *ret_there);
/* A whole number of at least 0. Whatever else stands there is unknown and leaves *value
 * alone: no words are thrown away for a figure. */
void reply_count(const json_t *count, int64_t *value);
/* Takes a piece of text, or of thinking. */
bool reply_say(struct reply *reply, struct str piece);
bool reply_think(struct reply *reply, struct str piece);
/* As picked by proto/json_pick.h; a slot that was absent has a raw.at of NULL. False,
 * with nothing changed, when one must be read the long way. */
bool reply_take_picked(struct reply *reply, const struct json_pick_text *model,
                       const struct json_pick_text *thought,
                       const struct json_pick_text *text);
/* The first name counts; empty: none. */
void reply_name_model(struct reply *reply, struct str model);
void reply_name_finish(struct reply *reply, struct str finish_reason);

/* The end marker came. A model that said nothing has failed. */
void reply_close(struct reply *reply);
/* Notes why the reply failed, unless it has failed before. Returns false. */
bool reply_fail(struct reply *reply, enum llm_error error, const char *format, ...)
    PRINTF_LIKE(3, 4);
/* "line 3 of the reply: <err>". Returns false. */
bool reply_fail_here(struct reply *reply, const struct err *err);
/* The stream ended before its end marker; `broken` says how the connection broke, "" if
 * it did not. */
void reply_cut(struct reply *reply, const char *broken);
/* The failure a document tells, if it tells one: then false. `loose`: a bare text or
 * message is one too. */
bool reply_check_complaint(struct reply *reply, const json_t *document, bool loose);

#endif

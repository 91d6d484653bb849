/* ollama_reply.h - what an Ollama server says, line by line: the state of one reply.
 * Pure: lines in, text and counts out.
 *
 * Each line is one JSON object (docs/api.md of the Ollama project): `message.content`
 * and `message.thinking` are pieces of text, `error` ends the reply badly, `done` true
 * ends it well and brings the counts, which are absent where the server has none.
 * Unknown keys are ignored; null counts as absent.
 */
#ifndef PARLEY_LLM_OLLAMA_REPLY_H
#define PARLEY_LLM_OLLAMA_REPLY_H

#include "base/buf.h"
#include "base/err.h"
#include "base/utf8.h"
#include "llm/llm.h"

struct ollama_reply {
    struct buf text;                    /* UTF-8, mended, whole characters */
    struct buf thinking;                /* the same; apart from the text */
    struct utf8_stream text_stream;     /* a character of the text not whole yet */
    struct utf8_stream thinking_stream; /* the same of the thinking */
    struct buf scratch;                 /* a line or a text whose UTF-8 is broken */
    bool broken_utf8;                   /* of the line being read */
    char *model;                        /* owned, harmless; NULL until told */
    char *finish_reason;                /* owned, harmless; NULL until told */
    int64_t prompt_tokens;              /* this and what follows: -1 not told */
    int64_t prompt_cached_tokens;
    int64_t tokens_generated;
    int64_t load_ns;
    int64_t prompt_ns;
    int64_t generation_ns;
    int64_t total_ns;
    size_t lines;    /* read so far */
    size_t pieces;   /* of text */
    size_t thoughts; /* pieces of thinking */
    bool done;       /* the end marker came */
    enum llm_error error;
    struct err reason; /* of the error: one harmless line */
};

void ollama_reply_init(struct ollama_reply *reply, size_t max_reply_bytes);
void ollama_reply_done(struct ollama_reply *reply);
/* Takes one line. False when nothing more is to come: the end marker (`done`, with or
 * without an error) or a failure. What the line added stands at the end of `text`. */
bool ollama_reply_line(struct ollama_reply *reply, struct str line);
/* The stream has ended, with `rest` behind its last line end. Without an end marker
 * the reply is truncated; `broken` says how the connection broke, "" if it did not. */
void ollama_reply_end(struct ollama_reply *reply, struct str rest, const char *broken);
/* Notes why the reply failed, unless it has failed before. Returns false. */
bool ollama_reply_fail(struct ollama_reply *reply, enum llm_error error,
                       const char *format, ...) PRINTF_LIKE(3, 4);

#endif

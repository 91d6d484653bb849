/* reader.h - the bytes of a good answer, read into a reply as they come; and the table
 * of what the dialects, Ollama's and OpenAI's, do differently. Pure.
 *
 * Flow: reader_init -> reader_feed* (on_step after each line or event) -> reader_end
 *       -> reader_done
 */
#ifndef PARLEY_LLM_READER_H
#define PARLEY_LLM_READER_H

#include "base/buf.h"
#include "base/str.h"
#include "llm/reply.h"
#include "proto/ndjson.h"
#include "proto/sse.h"

struct llm_request;
struct reader;

struct dialect {
    const char *api;         /* "the OpenAI API", for people */
    const char *usual_path;  /* a server's URL usually ends with it: "/v1"; "" none */
    const char *chat_path;   /* behind the URL */
    const char *list_path;   /* of the list of models */
    const char *loaded_path; /* of those in memory; NULL: it does not tell */
    const char *unit;        /* "line", "event" */
    /* The bits of param.h that may still be left out of that request. */
    unsigned (*params)(const struct llm_request *request);
    /* Adds the body of the request; the same request gives the same bytes. False when
     * `into` is full. */
    bool (*write)(const struct llm_request *request, struct buf *into);
    /* Whether a response of that Content-Type may hold a reply. */
    bool (*type_fits)(const char *content_type);
    /* Reads bytes into reader->reply. False with err when a line is too long. */
    bool (*feed)(struct reader *reader, struct str bytes, struct err *err);
    /* The stream has ended: reads what stands behind the last line end and settles the
     * reply: done, or an error. */
    void (*end)(struct reader *reader, const char *broken);
};

struct reader {
    const struct dialect *dialect;
    struct reply reply;
    struct ndjson lines; /* Ollama's */
    struct sse events;   /* OpenAI's */
    struct buf document; /* OpenAI's answer when it is no stream */
    bool is_document;    /* it is none */
    bool touched;        /* a byte came */
    bool begun;          /* one that is no blank */
    /* After each line or event; false stops the reading. */
    bool (*on_step)(void *owner);
    void *owner;
};

void reader_init(struct reader *reader, const struct dialect *dialect,
                 size_t max_reply_bytes, bool (*on_step)(void *owner), void *owner);
void reader_done(struct reader *reader);
/* False when nothing more is to come: the end marker, a failure, or on_step said so. */
bool reader_feed(struct reader *reader, struct str bytes);
/* The answer has ended; `broken` says how the connection broke, "" if it did not. The
 * reply is then done or has an error. */
void reader_end(struct reader *reader, const char *broken);
/* How many bytes an answer may have whose reply has at most max_reply_bytes. */
size_t reader_wire_bytes(size_t max_reply_bytes);

#endif

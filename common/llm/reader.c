/* reader.c - see reader.h. */
#include "llm/reader.h"

#define LINE_BYTES_EXTRA ((size_t)64 * 1024) /* what stands around the text */

enum {
    ESCAPED_BYTES_MAX = 6,  /* a byte of text as \u00XX */
    WIRE_BYTES_A_BYTE = 512 /* a line or an event for each byte of text */
};

size_t reader_wire_bytes(size_t max_reply_bytes)
{
    return max_reply_bytes * WIRE_BYTES_A_BYTE + LINE_BYTES_EXTRA;
}

void reader_init(struct reader *reader, const struct dialect *dialect,
                 size_t max_reply_bytes, bool (*on_step)(void *owner), void *owner)
{
    size_t line_bytes = max_reply_bytes * ESCAPED_BYTES_MAX + LINE_BYTES_EXTRA;

    *reader = (struct reader){.dialect = dialect, .on_step = on_step, .owner = owner};
    reply_init(&reader->reply, max_reply_bytes, dialect->unit);
    ndjson_init(&reader->lines, line_bytes);
    sse_init(&reader->events, line_bytes);
    buf_init(&reader->document, line_bytes);
}

void reader_done(struct reader *reader)
{
    reply_done(&reader->reply);
    ndjson_done(&reader->lines);
    sse_done(&reader->events);
    buf_done(&reader->document);
}

/* The first bytes tell what is no text at all. */
static bool begin(struct reader *reader, struct str bytes)
{
    struct str rest = reader->begun ? str_of("") : str_trim(bytes);
    bool first = !reader->touched;

    reader->touched = true;
    if (rest.len > 0) {
        reader->begun = true;
        reader->is_document = rest.at[0] == '{';
    }
    /* Of gzip, RFC 1952; nothing of ours begins with it. */
    if (first && bytes.len > 0 && bytes.at[0] == '\x1F')
        return reply_fail(&reader->reply, LLM_ERROR_PROTOCOL,
                          "the answer is compressed, which nobody asked for");
    return true;
}

bool reader_feed(struct reader *reader, struct str bytes)
{
    struct reply *reply = &reader->reply;
    struct err err = {0};

    if (!begin(reader, bytes))
        return false;
    if (!reader->dialect->feed(reader, bytes, &err))
        return reply_fail(reply, LLM_ERROR_TOO_LARGE, "the reply: %s", err.msg);
    return reply->error == LLM_ERROR_NONE && !reply->done;
}

void reader_end(struct reader *reader, const char *broken)
{
    struct reply *reply = &reader->reply;

    if (!reply->done && reply->error == LLM_ERROR_NONE)
        reader->dialect->end(reader, broken);
}

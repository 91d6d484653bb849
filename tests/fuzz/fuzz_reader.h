/* fuzz_reader.h - what must hold for any bytes a model server may send. Each target is
 * a libFuzzer entry point (fuzz_<name>.c) and a unit test over its corpus
 * (tests/unit/test_fuzz_corpus.c); a broken rule ends in assert.
 *
 * Rules: wherever the bytes are cut the outcome is the same; the quick way of reading a
 * chunk and the long way tell the same; what was said is the text, valid UTF-8 and
 * within its maximum; a stream ends done or with an error that has a harmless line.
 */
#ifndef PARLEY_FUZZ_READER_H
#define PARLEY_FUZZ_READER_H

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "llm/ollama.h"
#include "llm/ollama_reply.h"
#include "llm/openai.h"
#include "llm/openai_reply.h"
#include "llm/reader.h"

#define FUZZ           __attribute__((unused)) static
#define FUZZ_REPLY_MAX ((size_t)500)
#define FUZZ_FOREIGN   "{\"way\":[1],"

/* ---- a whole stream ---- */

struct fuzz_heard {
    struct reader reader;
    struct buf said;
    size_t said_bytes;
};

FUZZ bool fuzz_on_step(void *owner)
{
    struct fuzz_heard *heard = owner;
    struct str text = buf_str(&heard->reader.reply.text);

    assert(text.len >= heard->said_bytes);
    buf_add(&heard->said, text.at + heard->said_bytes, text.len - heard->said_bytes);
    heard->said_bytes = text.len;
    assert(utf8_valid(buf_str(&heard->said)));
    return true;
}

/* Each piece lies in memory of its own, so that a look behind its end is seen. */
FUZZ void fuzz_hear(struct fuzz_heard *heard, const struct dialect *dialect,
                    struct str bytes, size_t cut, size_t step)
{
    bool more = true;

    *heard = (struct fuzz_heard){0};
    buf_init(&heard->said, 2 * FUZZ_REPLY_MAX);
    reader_init(&heard->reader, dialect, FUZZ_REPLY_MAX, fuzz_on_step, heard);
    while (more && bytes.len > 0) {
        size_t len = cut < bytes.len ? cut : bytes.len;
        char *piece = x_memdup(bytes.at, len);

        more = reader_feed(&heard->reader, str_make(piece, len));
        free(piece);
        bytes = str_make(bytes.at + len, bytes.len - len);
        cut = step > 0 ? step : bytes.len;
    }
    reader_end(&heard->reader, "");
}

FUZZ void fuzz_heard_done(struct fuzz_heard *heard)
{
    reader_done(&heard->reader);
    buf_done(&heard->said);
}

FUZZ void fuzz_assert_harmless(const char *text)
{
    assert(utf8_valid(str_of(text)));
    for (; *text != '\0'; text++)
        assert((unsigned char)*text >= ' ' && *text != 0x7F);
}

FUZZ void fuzz_assert_sound(const struct fuzz_heard *heard)
{
    const struct reply *reply = &heard->reader.reply;

    assert(str_eq(buf_str(&heard->said), buf_str(&reply->text)));
    assert(reply->text.len <= FUZZ_REPLY_MAX && reply->thinking.len <= FUZZ_REPLY_MAX);
    assert(utf8_valid(buf_str(&reply->text)) && utf8_valid(buf_str(&reply->thinking)));
    assert(memchr(buf_text(&reply->text), '\0', reply->text.len) == NULL);
    assert(reply->done || reply->error != LLM_ERROR_NONE);
    assert((reply->error == LLM_ERROR_NONE) == (reply->reason.msg[0] == '\0'));
    assert(reply->error != LLM_ERROR_NONE || str_trim(buf_str(&reply->text)).len > 0);
    fuzz_assert_harmless(reply->reason.msg);
    fuzz_assert_harmless(reply->model == NULL ? "" : reply->model);
    fuzz_assert_harmless(reply->finish_reason == NULL ? "" : reply->finish_reason);
}

/* ---- the same outcome ---- */

FUZZ bool fuzz_same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

FUZZ void fuzz_assert_same(const struct reply *a, const struct reply *b)
{
    assert(str_eq(buf_str(&a->text), buf_str(&b->text)));
    assert(str_eq(buf_str(&a->thinking), buf_str(&b->thinking)));
    assert(a->error == b->error && a->done == b->done && a->finished == b->finished);
    assert(a->steps == b->steps && a->pieces == b->pieces);
    assert(a->thoughts == b->thoughts && a->retry_after_ms == b->retry_after_ms);
    assert(fuzz_same_text(a->model, b->model));
    assert(fuzz_same_text(a->finish_reason, b->finish_reason));
    assert(a->prompt_tokens == b->prompt_tokens && a->load_ns == b->load_ns);
    assert(a->prompt_cached_tokens == b->prompt_cached_tokens);
    assert(a->tokens_generated == b->tokens_generated && a->total_ns == b->total_ns);
    assert(a->prompt_ns == b->prompt_ns && a->generation_ns == b->generation_ns);
}

FUZZ void fuzz_cuts(const struct dialect *dialect, struct str bytes)
{
    size_t sum = bytes.len;
    struct fuzz_heard whole;

    for (size_t i = 0; i < bytes.len; i++)
        sum = sum * 31 + (unsigned char)bytes.at[i];
    fuzz_hear(&whole, dialect, bytes, bytes.len, 0);
    fuzz_assert_sound(&whole);
    for (size_t i = 0; i < 3; i++) {
        struct fuzz_heard parts;

        if (i == 0)
            fuzz_hear(&parts, dialect, bytes, 1, 1);
        else
            fuzz_hear(&parts, dialect, bytes, 1 + sum / i % (bytes.len + 1), sum % 7);
        fuzz_assert_sound(&parts);
        fuzz_assert_same(&whole.reader.reply, &parts.reader.reply);
        assert(fuzz_same_text(whole.reader.reply.reason.msg,
                              parts.reader.reply.reason.msg));
        fuzz_heard_done(&parts);
    }
    fuzz_heard_done(&whole);
}

/* ---- the quick way and the long way ---- */

struct fuzz_ways {
    struct reply as_is;
    struct reply the_long_way;
    struct buf foreign; /* the document with a member nobody knows */
};

FUZZ void fuzz_ways_init(struct fuzz_ways *ways, const char *unit)
{
    *ways = (struct fuzz_ways){0};
    reply_init(&ways->as_is, FUZZ_REPLY_MAX, unit);
    reply_init(&ways->the_long_way, FUZZ_REPLY_MAX, unit);
    buf_init(&ways->foreign, SIZE_MAX / 2);
}

FUZZ void fuzz_ways_done(struct fuzz_ways *ways)
{
    reply_done(&ways->as_is);
    reply_done(&ways->the_long_way);
    buf_done(&ways->foreign);
}

/* Only an object with a member of its own takes another one. */
FUZZ bool fuzz_add_member(struct fuzz_ways *ways, struct str document)
{
    struct str inside;

    if (document.len == 0 || document.at[0] != '{')
        return false;
    inside = str_trim(str_make(document.at + 1, document.len - 1));
    if (inside.len == 0 || inside.at[0] != '"')
        return false;
    buf_clear(&ways->foreign);
    return buf_add_text(&ways->foreign, FUZZ_FOREIGN)
           && buf_add_str(&ways->foreign, inside);
}

FUZZ bool fuzz_on_line(void *owner, struct str line)
{
    struct fuzz_ways *ways = owner;
    bool more;

    if (!fuzz_add_member(ways, line))
        return false;
    more = ollama_reply_line(&ways->as_is, line);
    assert(more == ollama_reply_line(&ways->the_long_way, buf_str(&ways->foreign)));
    fuzz_assert_same(&ways->as_is, &ways->the_long_way);
    return more;
}

FUZZ bool fuzz_on_event(void *owner, const struct sse_event *event)
{
    struct fuzz_ways *ways = owner;
    struct sse_event other = *event;
    bool more;

    if (event->error.len > 0 || !fuzz_add_member(ways, event->data))
        return false;
    other.data = buf_str(&ways->foreign);
    more = openai_reply_event(&ways->as_is, event);
    assert(more == openai_reply_event(&ways->the_long_way, &other));
    fuzz_assert_same(&ways->as_is, &ways->the_long_way);
    return more;
}

/* ---- the targets ---- */

/* The member added must not be there already, in whatever spelling. */
FUZZ bool fuzz_can_add(struct str bytes)
{
    for (size_t i = 0; i + 3 <= bytes.len; i++) {
        if (memcmp(bytes.at + i, "way", 3) == 0 || memcmp(bytes.at + i, "\\u0", 3) == 0)
            return false;
    }
    return true;
}

FUZZ void fuzz_ndjson(struct str bytes)
{
    struct ndjson lines;
    struct fuzz_ways ways;
    bool ok;

    fuzz_cuts(ollama_dialect(), bytes);
    if (!fuzz_can_add(bytes))
        return;
    ndjson_init(&lines, bytes.len);
    fuzz_ways_init(&ways, "line");
    ok = ndjson_feed(&lines, bytes, fuzz_on_line, &ways, NULL);
    assert(ok);
    fuzz_ways_done(&ways);
    ndjson_done(&lines);
}

FUZZ void fuzz_sse(struct str bytes)
{
    struct sse events;
    struct fuzz_ways ways;
    bool ok;

    fuzz_cuts(openai_dialect(), bytes);
    if (!fuzz_can_add(bytes))
        return;
    sse_init(&events, bytes.len);
    fuzz_ways_init(&ways, "event");
    ok = sse_feed(&events, bytes, fuzz_on_event, &ways, NULL);
    assert(ok);
    fuzz_ways_done(&ways);
    sse_done(&events);
}

#endif

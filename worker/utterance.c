/* utterance.c - see utterance.h. */
#include "worker/utterance.h"

#include <math.h>
#include <stdlib.h>

#include "proto/document.h"
#include "proto/json_get.h"
#include "proto/message.h"
#include "proto/schema.h"

/* More than any reply that a provider lets through here. */
enum { SAID_MAX_BYTES = 4 << 20 };

void utterance_init(struct utterance *utterance)
{
    *utterance = (struct utterance){.sentiment = NAN};
    thought_init(&utterance->thought);
    buf_init(&utterance->said, SAID_MAX_BYTES);
    buf_init(&utterance->fresh, SAID_MAX_BYTES);
    buf_init(&utterance->words, MESSAGE_MAX_BYTES);
    clean_init(&utterance->clean);
}

static void forget_references(struct utterance *utterance)
{
    for (size_t i = 0; i < utterance->reference_count; i++)
        free(utterance->references[i]);
    free(utterance->references);
    utterance->references = NULL;
    utterance->reference_count = 0;
}

void utterance_done(struct utterance *utterance)
{
    forget_references(utterance);
    thought_done(&utterance->thought);
    buf_done(&utterance->said);
    buf_done(&utterance->fresh);
    buf_done(&utterance->words);
    clean_done(&utterance->clean);
}

void utterance_begin(struct utterance *utterance, const struct cast *cast, int64_t seat,
                     size_t max_bytes, bool structured)
{
    forget_references(utterance);
    utterance->structured = structured;
    utterance->fed = utterance->shown = 0;
    utterance->restarts = 0;
    utterance->ended = utterance->at_limit = utterance->thoughtful = false;
    utterance->sentiment = NAN;
    buf_clear(&utterance->said);
    thought_begin(&utterance->thought, DOCUMENT_START);
    spoken_init(&utterance->spoken);
    clean_begin(&utterance->clean, cast, seat, max_bytes);
}

void utterance_keep_thoughts(struct utterance *utterance)
{
    utterance->thought.keep = utterance->clean.thought.keep = true;
}

/* A piece of the document that is certain to be none of the thinking. */
static void speak(struct utterance *utterance)
{
    struct str fresh = buf_str(&utterance->fresh);

    buf_clear(&utterance->words);
    (void)buf_add_str(&utterance->said, fresh); /* else it lacks, and is no document */
    /* More than a message may be: what does not fit is over the cap of clean. */
    (void)spoken_feed(&utterance->spoken, fresh, &utterance->words);
    (void)clean_feed(&utterance->clean, buf_str(&utterance->words));
    buf_clear(&utterance->fresh);
}

/* Thinking stands before the document, or was all that there was until now. */
static void drain(struct utterance *utterance, bool all)
{
    enum thought_answer answer;

    do {
        answer = thought_next(&utterance->thought, all, &utterance->fresh);
        speak(utterance);
        utterance->thoughtful = utterance->thoughtful || answer != THOUGHT_ALL;
        if (answer == THOUGHT_ANEW) {
            buf_clear(&utterance->said);
            spoken_init(&utterance->spoken);
            clean_restart(&utterance->clean);
        }
    } while (answer != THOUGHT_ALL);
}

bool utterance_feed(struct utterance *utterance, struct str piece)
{
    utterance->fed += piece.len;
    if (!utterance->structured)
        return clean_feed(&utterance->clean, piece);
    if (thought_feed(&utterance->thought, piece))
        drain(utterance, false);
    return true;
}

struct str utterance_fresh(struct utterance *utterance, bool *ret_anew)
{
    struct str text = clean_text(&utterance->clean);
    size_t from;

    *ret_anew =
        utterance->clean.restarts != utterance->restarts && utterance->shown > 0;
    if (utterance->clean.restarts != utterance->restarts)
        utterance->shown = 0;
    utterance->restarts = utterance->clean.restarts;
    from = utterance->shown < text.len ? utterance->shown
                                       : text.len; /* it may be cut back */
    utterance->shown = text.len;
    return str_make(text.at + from, text.len - from);
}

void utterance_end(struct utterance *utterance, struct str whole, bool at_limit)
{
    if (utterance->ended)
        return;
    utterance->ended = true;
    if (whole.len > utterance->fed)
        (void)utterance_feed(
            utterance, str_make(whole.at + utterance->fed, whole.len - utterance->fed));
    utterance->at_limit = at_limit;
    if (utterance->structured)
        drain(utterance, true);
    clean_end(&utterance->clean, at_limit && !utterance->structured);
    if (utterance->thoughtful)
        utterance->clean.changes |= 1U << CLEAN_THINKING;
}

struct str utterance_thoughts(const struct utterance *utterance)
{
    const struct buf *before = &utterance->thought.kept;

    return buf_str(before->len > 0 ? before : &utterance->clean.thought.kept);
}

struct str utterance_document(const struct utterance *utterance)
{
    return document_in(buf_str(&utterance->said));
}

struct str utterance_text(const struct utterance *utterance)
{
    return clean_text(&utterance->clean);
}

static bool read_document(const struct utterance *utterance, json_t **ret_document,
                          struct err *err)
{
    if (json_read(utterance_document(utterance), ret_document, err))
        return true;
    if (utterance->at_limit)
        return err_set(err, ERR_FORMAT,
                       "it was too long and has been cut off, say it in fewer words");
    return false;
}

bool utterance_check(struct utterance *utterance, struct err *err)
{
    json_t *document = NULL;
    struct json_place root;
    bool ok;

    forget_references(utterance);
    if (!read_document(utterance, &document, err))
        return false;
    root = json_root(document);
    ok = schema_check(schema_get("reply"), document, err)
         && json_get_number(json_member(&root, "sentiment"), -1, NAN,
                            &utterance->sentiment, err)
         && json_get_texts(json_member(&root, "references"), &utterance->references,
                           &utterance->reference_count, err);
    json_decref(document);
    if (ok && utterance_text(utterance).len == 0)
        return err_set(err, ERR_FORMAT, "/message: expected words, found none");
    return ok;
}

/* utterance.c - see utterance.h. */
#include "worker/utterance.h"

#include <math.h>
#include <stdlib.h>

#include "proto/json_get.h"
#include "proto/message.h"
#include "proto/schema.h"

void utterance_init(struct utterance *utterance)
{
    *utterance = (struct utterance){.sentiment = NAN};
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
    utterance->ended = false;
    utterance->sentiment = NAN;
    spoken_init(&utterance->spoken);
    clean_begin(&utterance->clean, cast, seat, max_bytes);
}

bool utterance_feed(struct utterance *utterance, struct str piece)
{
    utterance->fed += piece.len;
    if (!utterance->structured)
        return clean_feed(&utterance->clean, piece);
    buf_clear(&utterance->words);
    /* More than a message may be: what does not fit is over the cap of clean. */
    (void)spoken_feed(&utterance->spoken, piece, &utterance->words);
    (void)clean_feed(&utterance->clean, buf_str(&utterance->words));
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
    clean_end(&utterance->clean, at_limit && !utterance->structured);
}

struct str utterance_text(const struct utterance *utterance)
{
    return clean_text(&utterance->clean);
}

bool utterance_check(struct utterance *utterance, struct str whole, struct err *err)
{
    json_t *document = NULL;
    struct json_place root;
    bool ok;

    forget_references(utterance);
    if (!json_read(json_without_fence(whole), &document, err))
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

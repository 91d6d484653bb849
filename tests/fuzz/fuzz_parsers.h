/* fuzz_parsers.h - what must hold for any bytes given to the parsers beside those of
 * model streams (fuzz_reader.h): messages, config files, Redis' replies, commands,
 * stories, a reply being cleaned, lines of a log, text for a terminal.
 *
 * Rules: what was read, written and read again is written the same; the quick reader
 * and the judge agree; wherever the bytes are cut the outcome is the same; complaints
 * are harmless lines; no control byte reaches a terminal.
 */
#ifndef PARLEY_FUZZ_PARSERS_H
#define PARLEY_FUZZ_PARSERS_H

#include <stdio.h>

#include "analyzer/feed.h"
#include "analyzer/tally.h"
#include "fuzz_reader.h"
#include "net/redis_reader.h"
#include "proto/cast.h"
#include "proto/config.h"
#include "proto/config_file.h"
#include "proto/config_values.h"
#include "proto/endpoint.h"
#include "proto/message.h"
#include "proto/message_read.h"
#include "proto/message_scan.h"
#include "proto/wish.h"
#include "worker/clean.h"
#include "worker/utterance.h"

#define FUZZ_TEXT_MAX ((size_t)8 << 20)

/* Failed with a reason that can be shown, or succeeded without one. */
FUZZ bool fuzz_told(bool ok, const struct err *err)
{
    assert(ok == (err->code == ERR_NONE));
    fuzz_assert_harmless(err->msg);
    return ok;
}

FUZZ void fuzz_assert_same_text(struct buf *a, struct buf *b)
{
    assert(str_eq(buf_str(a), buf_str(b)));
    buf_done(a);
    buf_done(b);
}

/* ---- message ---- */

FUZZ void fuzz_write_message(struct message *message, struct buf *into)
{
    bool ok;

    buf_init(into, FUZZ_TEXT_MAX);
    ok = message_format(message, into);
    assert(ok);
    message_done(message);
}

/* What the quick reader takes, the judge takes with the same result. */
FUZZ void fuzz_message_ways(struct str bytes)
{
    struct message quick;
    struct message judged;
    struct buf one;
    struct buf other;
    struct err err = {0};
    bool ok;

    if (!message_scan(bytes, &quick))
        return;
    ok = message_read(bytes, &judged, &err);
    assert(ok);
    fuzz_write_message(&quick, &one);
    fuzz_write_message(&judged, &other);
    fuzz_assert_same_text(&one, &other);
}

FUZZ void fuzz_message(struct str bytes)
{
    struct message message;
    struct buf once;
    struct buf twice;
    struct err err = {0};
    bool ok;

    fuzz_message_ways(bytes);
    if (!fuzz_told(message_parse(bytes, &message, &err), &err))
        return;
    fuzz_write_message(&message, &once);
    fuzz_message_ways(buf_str(&once));
    ok = once.len > MESSAGE_MAX_BYTES || message_read(buf_str(&once), &message, &err);
    assert(ok);
    if (once.len > MESSAGE_MAX_BYTES) {
        buf_done(&once);
        return;
    }
    fuzz_write_message(&message, &twice);
    fuzz_assert_same_text(&once, &twice);
}

/* ---- config ---- */

FUZZ void fuzz_config(struct str bytes)
{
    struct config values = {0};
    struct opt_set set;
    struct endpoint_list endpoints = {0};
    struct buf shown;
    struct err err = {0};
    char path[64];
    FILE *file = tmpfile();

    assert(file != NULL);
    fmt_into(path, sizeof path, "/dev/fd/%d", fileno(file));
    if (fwrite(bytes.at, 1, bytes.len, file) == bytes.len && fflush(file) == 0) {
        opt_init(&set, config_rows, config_row_count, &values);
        (void)fuzz_told(config_read_file(&set, path, &endpoints, &err), &err);
        buf_init(&shown, FUZZ_TEXT_MAX);
        opt_show(&set, FOR_RUN, &shown);
        endpoints_warn(&endpoints, &shown);
        buf_done(&shown);
        endpoints_done(&endpoints);
        opt_done(&set);
    }
    fclose(file);
}

/* ---- Redis' replies ---- */

FUZZ void fuzz_print_value(const struct redis_value *value, struct buf *into)
{
    buf_printf(into, "%d %lld %zu:", (int)value->kind, (long long)value->integer,
               value->count);
    buf_add_str(into, value->text);
    for (size_t i = 0; i < value->count; i++)
        fuzz_print_value(redis_item(value, i), into);
}

/* All that came until the bytes were no protocol any more. */
FUZZ void fuzz_read_replies(struct str bytes, size_t step, struct buf *into)
{
    struct redis_reader *reader = redis_reader_new();
    const struct redis_value *value = NULL;
    struct err err = {0};
    bool ok = true;

    buf_init(into, FUZZ_TEXT_MAX);
    while (ok && bytes.len > 0) {
        size_t len = step < bytes.len ? step : bytes.len;
        char *piece = x_memdup(bytes.at, len);

        ok = redis_reader_feed(reader, str_make(piece, len), &err);
        free(piece);
        bytes = str_make(bytes.at + len, bytes.len - len);
        do {
            value = NULL;
            ok = ok && redis_reader_next(reader, &value, &err);
            if (ok && value != NULL)
                fuzz_print_value(value, into);
        } while (ok && value != NULL);
    }
    assert(ok == (err.code == ERR_NONE));
    buf_add_text(into, ok ? "more" : "broken");
    redis_reader_free(reader);
}

FUZZ void fuzz_resp(struct str bytes)
{
    for (size_t step = 1; step <= 3; step++) {
        struct buf whole;
        struct buf parts;

        fuzz_read_replies(bytes, bytes.len, &whole);
        fuzz_read_replies(bytes, step, &parts);
        fuzz_assert_same_text(&whole, &parts);
    }
}

/* ---- commands ---- */

FUZZ void fuzz_write_wish(struct wish *wish, struct buf *into)
{
    bool ok;

    buf_init(into, FUZZ_TEXT_MAX);
    ok = wish_format(wish, into);
    assert(ok);
    wish_done(wish);
}

FUZZ void fuzz_control(struct str bytes)
{
    struct wish wish;
    struct buf once;
    struct buf twice;
    struct err err = {0};
    bool ok;

    wish_init(&wish);
    if (!fuzz_told(wish_parse(bytes, &wish, &err), &err)) {
        wish_done(&wish);
        return;
    }
    fuzz_write_wish(&wish, &once);
    wish_init(&wish);
    ok = wish_parse(buf_str(&once), &wish, &err);
    assert(ok);
    fuzz_write_wish(&wish, &twice);
    fuzz_assert_same_text(&once, &twice);
}

/* ---- stories ---- */

FUZZ void fuzz_seat(struct seat *seat)
{
    struct seat again;
    struct buf once;
    struct buf twice;
    struct err err = {0};
    bool ok;

    buf_init(&once, FUZZ_TEXT_MAX);
    buf_init(&twice, FUZZ_TEXT_MAX);
    ok = seat_format(seat, &once) && seat_parse(buf_str(&once), &again, &err);
    assert(ok);
    ok = seat_format(&again, &twice);
    assert(ok);
    seat_done(&again);
    fuzz_assert_same_text(&once, &twice);
}

FUZZ void fuzz_story(struct str bytes)
{
    struct cast cast = {0};
    struct seat seat;
    struct story story = {0};
    struct err err = {0};

    if (fuzz_told(cast_parse_story_file(bytes, &cast, &err), &err))
        for (size_t i = 0; i < cast.seat_count; i++)
            fuzz_seat(&cast.seats[i]);
    cast_done(&cast);
    err = (struct err){0};
    if (fuzz_told(personas_parse(bytes, 2, &cast, &err), &err))
        assert(cast.seat_count == 2);
    cast_done(&cast);
    err = (struct err){0};
    if (fuzz_told(story_parse(bytes, &story, &err), &err))
        story_done(&story);
    err = (struct err){0};
    if (fuzz_told(seat_parse(bytes, &seat, &err), &err)) {
        fuzz_seat(&seat);
        seat_done(&seat);
    }
}

/* ---- a reply that is cleaned ---- */

FUZZ unsigned fuzz_cleaned(struct str bytes, size_t step, struct buf *into)
{
    struct seat seats[2] = {{.persona.name = (char[]){"Ada Quill"}},
                            {.persona.name = (char[]){"Bo"}}};
    const struct cast cast = {.seats = seats, .seat_count = 2};
    struct clean clean;
    bool more = true;
    unsigned changes;

    clean_init(&clean);
    clean_begin(&clean, &cast, 1, FUZZ_REPLY_MAX);
    while (more && bytes.len > 0) {
        size_t len = step < bytes.len ? step : bytes.len;

        more = clean_feed(&clean, str_make(bytes.at, len));
        bytes = str_make(bytes.at + len, bytes.len - len);
    }
    clean_end(&clean, false);
    buf_init(into, FUZZ_TEXT_MAX);
    buf_add_str(into, clean_text(&clean));
    assert(into->len <= FUZZ_REPLY_MAX);
    changes = clean.changes;
    clean_done(&clean);
    return changes;
}

/* What a structured reply comes to: its words, its document, what was thought. */
FUZZ void fuzz_uttered(struct str bytes, size_t step, struct buf *into)
{
    struct seat seats[2] = {{.persona.name = (char[]){"Ada Quill"}},
                            {.persona.name = (char[]){"Bo"}}};
    const struct cast cast = {.seats = seats, .seat_count = 2};
    struct utterance utterance;
    struct str whole = bytes;
    struct err err = {0};

    utterance_init(&utterance);
    utterance_keep_thoughts(&utterance);
    utterance_begin(&utterance, &cast, 1, FUZZ_REPLY_MAX, true);
    for (; bytes.len > 0; bytes = str_make(bytes.at + step, bytes.len - step)) {
        step = step < bytes.len ? step : bytes.len;
        (void)utterance_feed(&utterance, str_make(bytes.at, step));
    }
    utterance_end(&utterance, whole, false);
    buf_init(into, FUZZ_TEXT_MAX);
    buf_add_str(into, utterance_text(&utterance));
    assert(into->len <= FUZZ_REPLY_MAX);
    (void)fuzz_told(utterance_check(&utterance, &err), &err);
    buf_add_str(into, utterance_document(&utterance));
    buf_add_str(into, utterance_thoughts(&utterance));
    buf_add_text(into, err.msg);
    utterance_done(&utterance);
}

/* The words of a model are valid UTF-8 by then. */
FUZZ void fuzz_clean(struct str bytes)
{
    if (!utf8_valid(bytes))
        return;
    for (size_t step = 1; step <= 3; step++) {
        struct buf whole;
        struct buf parts;
        unsigned changes = fuzz_cleaned(bytes, bytes.len, &whole);

        assert(changes == fuzz_cleaned(bytes, step, &parts));
        fuzz_assert_same_text(&whole, &parts);
        fuzz_uttered(bytes, bytes.len, &whole);
        fuzz_uttered(bytes, step, &parts);
        fuzz_assert_same_text(&whole, &parts);
    }
}

/* ---- lines of a log ---- */

FUZZ void fuzz_log(struct str bytes)
{
    struct tally *tally = tally_new(NULL);
    struct err err[3] = {{0}};

    (void)fuzz_told(feed_message(tally, bytes, &err[0]), &err[0]);
    (void)fuzz_told(feed_call(tally, bytes, &err[1]), &err[1]);
    (void)fuzz_told(feed_event(tally, bytes, &err[2]), &err[2]);
    tally_free(tally);
}

/* ---- text for a terminal ---- */

FUZZ void fuzz_assert_for_terminal(struct str text, bool newlines)
{
    uint32_t point;
    unsigned len;

    assert(utf8_valid(text));
    while ((len = utf8_decode(text, &point)) > 0) {
        assert((point >= 0x20 && point != 0x7F && (point < 0x80 || point > 0x9F))
               || (newlines && (point == '\n' || point == '\t')));
        assert(!(point >= 0x202A && point <= 0x202E)
               && !(point >= 0x2066 && point <= 0x2069));
        assert(point != 0x200B && point != 0xFEFF && point >> 8 != 0xE00);
        text = str_make(text.at + len, text.len - len);
    }
    assert(text.len == 0);
}

FUZZ void fuzz_harmless(struct str bytes)
{
    for (int newlines = 0; newlines <= 1; newlines++) {
        struct buf shown;
        bool ok;

        buf_init(&shown, FUZZ_TEXT_MAX);
        ok = utf8_harmless(bytes, newlines == 1, &shown);
        assert(ok);
        fuzz_assert_for_terminal(buf_str(&shown), newlines == 1);
        buf_done(&shown);
    }
    fuzz_assert_for_terminal(str_of(log_safe(bytes)), false);
}

#endif

/* source_redis.c - see source_redis.h.
 *
 * Flow: connect -> per conversation: its hash, then K:transcript -> is K:calls whole?
 *       -> K:calls
 */
#include "analyzer/source_redis.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/feed.h"
#include "analyzer/notes.h"
#include "analyzer/shard_pages.h"
#include "analyzer/tally.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/utf8.h"
#include "proto/keys.h"

struct source_mark {
    char id[CONVERSATION_SIZE];
    char at[SHARD_PLACE_SIZE]; /* the last line that was read; "" none */
    bool ended;                /* and there are no more */
};

struct reading {
    const struct source_redis *source;
    struct source_marks own_marks; /* where the source has none */
    struct source_marks *marks;
    struct tally *tally;
    struct notes *notes;
    struct shard_pages pages;
    const char *id;      /* the conversation that is being read, or NULL */
    bool found;          /* it has a hash */
    bool ended;          /* and has ended */
    int64_t earliest_us; /* when the oldest conversation read was asked for */
    bool has_calls;
    bool calls_cut; /* entries of K:calls that we would need are gone */
};

/* ---- marks ---- */

void source_marks_done(struct source_marks *marks)
{
    free(marks->marks);
    *marks = (struct source_marks){0};
}

/* Made where it is not there. Valid until the next is made. */
static struct source_mark *mark_of(struct source_marks *marks, const char *id)
{
    size_t low = 0;
    size_t high = marks->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(marks->marks[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < marks->count && strcmp(marks->marks[low].id, id) == 0)
        return &marks->marks[low];
    if (marks->count == marks->capacity) {
        marks->capacity = marks->capacity * 2 + 16;
        marks->marks = x_realloc(marks->marks, marks->capacity * sizeof *marks->marks);
    }
    memmove(&marks->marks[low + 1], &marks->marks[low],
            (marks->count - low) * sizeof *marks->marks);
    marks->count++;
    marks->marks[low] = (struct source_mark){.ended = false};
    fmt_into(marks->marks[low].id, sizeof marks->marks[low].id, "%s", id);
    return &marks->marks[low];
}

static bool ask(struct reading *reading, const struct str *argv, size_t argc,
                redis_on_answer *on_answer, struct err *err)
{
    const struct shard_question question = {argv, argc, on_answer, reading};

    return shard_pages_ask(&reading->pages, &question, err);
}

static struct str key_of(const struct reading *reading, const char *what,
                         char ret[KEY_SIZE])
{
    return key_make(reading->source->keys, what, reading->id, ret);
}

/* ---- conversations ---- */

static bool on_line(void *owner, struct str id, const struct redis_value *fields,
                    struct err *err)
{
    struct reading *reading = owner;
    struct err broken = {0};

    (void)err; /* a line that cannot be used does not end the reading */
    if (!feed_message(reading->tally, redis_field(fields, "message"), &broken))
        notes_add(reading->notes, "transcript of %s, entry %s: skipped: %s",
                  log_safe(str_of(reading->id)), log_safe(id), broken.msg);
    return true;
}

static void on_conversation(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;
    const struct redis_value *fields = answer->value;
    int64_t created_us;
    int64_t started_us;

    if (answer->outcome != REDIS_OK)
        return;
    created_us = redis_item_i64(fields, 2, -1);
    started_us = redis_item_i64(fields, 3, -1);
    reading->found = redis_item_text(fields, 0).len > 0;
    reading->ended = str_is(redis_item_text(fields, 0), "ended");
    if (reading->found)
        tally_state(reading->tally, str_of(reading->id), redis_item_text(fields, 0),
                    redis_item_text(fields, 1));
    if (started_us >= 0)
        tally_begin(reading->tally, str_of(reading->id), started_us);
    if (created_us >= 0
        && (reading->earliest_us < 0 || created_us < reading->earliest_us))
        reading->earliest_us = created_us;
}

static bool read_lines(struct reading *reading, char *at, struct err *err)
{
    char key[KEY_SIZE];
    const struct shard_stream stream = {key_of(reading, "transcript", key), at, on_line,
                                        reading};

    return shard_pages_stream(&reading->pages, &stream, err);
}

static bool read_conversation(void *owner, const char *id, struct err *err)
{
    struct reading *reading = owner;
    char key[KEY_SIZE];
    struct str argv[] = {str_of("HMGET"),  str_of(""),           str_of("state"),
                         str_of("reason"), str_of("created_at"), str_of("started_at")};
    struct source_mark once = {.ended = false};
    struct source_mark *mark =
        reading->source->marks == NULL ? &once : mark_of(reading->marks, id);
    bool ok;

    reading->found = mark->ended;
    if (mark->ended)
        return true;
    reading->ended = false;
    reading->id = id;
    argv[1] = key_of(reading, "conversation", key);
    ok = ask(reading, argv, sizeof argv / sizeof *argv, on_conversation, err)
         && read_lines(reading, mark->at, err);
    mark->ended = reading->ended || !reading->found; /* asked before its last lines */
    reading->marks->all_ended = reading->marks->all_ended && mark->ended;
    reading->id = NULL;
    return ok;
}

static bool read_one(struct reading *reading, struct err *err)
{
    const char *id = reading->source->conversation;

    if (!read_conversation(reading, id, err))
        return false;
    return reading->found
           || err_set(err, ERR_USAGE, "no conversation %s in shard %s",
                      log_safe(str_of(id)), reading->source->keys->shard);
}

/* ---- calls ---- */

static double number_in(const struct redis_value *fields, const char *field)
{
    double value;

    return str_to_double(redis_field(fields, field), 0, 1e15, &value) ? value : -1;
}

static int64_t time_in(const struct redis_value *fields, const char *field)
{
    int64_t at_us = -1;

    return clock_parse_us(redis_field(fields, field), &at_us) ? at_us : -1;
}

static void take_call(struct reading *reading, const struct redis_value *fields)
{
    tally_call(
        reading->tally,
        &(struct call){
            .id = redis_field(fields, "call"),
            .outcome = redis_field(fields, "outcome"),
            .error = redis_field(fields, "error"),
            .conversation = redis_field(fields, "conversation"),
            .provider = redis_field(fields, "provider"),
            .model = redis_field(fields, "model"),
            .turn = redis_field_i64(fields, "turn", -1),
            .seat = redis_field_i64(fields, "seat", -1),
            .started_us = time_in(fields, "started_at"),
            .ended_us = time_in(fields, "ended_at"),
            .first_token_ms = number_in(fields, "time_to_first_token_ms"),
            .tokens_generated = redis_field_i64(fields, "tokens_generated", -1),
            .prompt_tokens = redis_field_i64(fields, "prompt_tokens", -1),
            .prompt_cached_tokens = redis_field_i64(fields, "prompt_cached_tokens", -1),
            .cost = number_in(fields, "cost")});
}

static bool on_call(void *owner, struct str id, const struct redis_value *fields,
                    struct err *err)
{
    struct reading *reading = owner;
    const char *wanted = reading->source->conversation;

    (void)id;
    (void)err; /* as on_line */
    if (redis_field(fields, "outcome").len > 0
        && (wanted == NULL || str_is(redis_field(fields, "conversation"), wanted)))
        take_call(reading, fields);
    return true;
}

static void on_calls_exist(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;

    reading->has_calls = answer->outcome == REDIS_OK && answer->value->integer > 0;
}

/* XINFO STREAM answers name, value, name, value, ...; entries are ids with fields. */
static void on_calls_info(void *owner, const struct redis_answer *answer)
{
    struct reading *reading = owner;
    const struct redis_value *info = answer->value;
    int64_t oldest_ms = 0;
    struct str rest;

    if (answer->outcome != REDIS_OK
        || redis_field_i64(info, "entries-added", 0)
               <= redis_field_i64(info, "length", 0))
        return;
    for (size_t i = 0; i + 1 < info->count; i += 2)
        if (str_is(redis_item_text(info, i), "first-entry")
            && !str_to_i64(
                str_cut(redis_item_text(redis_item(info, i + 1), 0), '-', &rest), 0,
                INT64_MAX / 1000, &oldest_ms))
            oldest_ms = INT64_MAX / 1000; /* empty: all of them are gone */
    reading->calls_cut =
        reading->earliest_us >= 0 && oldest_ms * 1000 > reading->earliest_us;
}

static bool read_calls(struct reading *reading, struct err *err)
{
    char key[KEY_SIZE];
    struct str calls = key_of(reading, "calls", key);
    struct str exists[] = {str_of("EXISTS"), calls};
    struct str info[] = {str_of("XINFO"), str_of("STREAM"), calls};

    if (!ask(reading, exists, 2, on_calls_exist, err))
        return false;
    if (!reading->has_calls || reading->marks->calls_cut)
        return true;
    if (reading->marks->calls[0] == '\0' && !ask(reading, info, 3, on_calls_info, err))
        return false;
    reading->marks->calls_cut = reading->calls_cut;
    if (reading->calls_cut) {
        notes_add(reading->notes,
                  "the record of calls does not reach back to the start: not counted");
        return true;
    }
    tally_expect_calls(reading->tally);
    return shard_pages_stream(
        &reading->pages,
        &(struct shard_stream){calls, reading->marks->calls, on_call, reading}, err);
}

bool source_redis_read(const struct source_redis *source, struct tally *tally,
                       struct notes *notes, struct err *err)
{
    struct reading reading = {.source = source,
                              .tally = tally,
                              .notes = notes,
                              .pages = {.keys = source->keys, .notes = notes},
                              .earliest_us = -1};
    bool ok;

    reading.marks = source->marks == NULL ? &reading.own_marks : source->marks;
    reading.marks->all_ended = true;
    ok = shard_pages_open(&reading.pages, source->target, err)
         && (source->conversation != NULL
                 ? read_one(&reading, err)
                 : shard_pages_ids(&reading.pages, read_conversation, &reading, err))
         && read_calls(&reading, err);
    reading.marks->all_ended = reading.marks->all_ended && reading.marks->count > 0;
    source_marks_done(&reading.own_marks);
    shard_pages_close(&reading.pages);
    return ok;
}

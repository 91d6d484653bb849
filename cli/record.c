/* record.c - see record.h. */
#include "cli/record.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/utf8.h"
#include "cli/record_check.h"
#include "net/entry_line.h"
#include "net/redis.h"
#include "proto/schema.h"

enum {
    BLOCK_MS = 500,
    READ_TIMEOUT_MS = 4000,
    READ_COUNT = 500,
    LINES_AT_ONCE = 200,
    RETRY_MS = 200,
    LOOK_MS = 2000,
    TELL_MS = 60000,
    COMING_MS = 50000, /* longer than a start is valid */
    ENDED_LOOKS = 2,
    LINE_MAX_BYTES = 1 << 20
};

/* ---- lines ---- */

static void tell_stuck(struct record *record, const char *why)
{
    int64_t now_ms = clock_mono_ms();

    if (record->stuck && now_ms - record->told_ms < TELL_MS)
        return;
    record->stuck = true;
    record->told_ms = now_ms;
    log_warn("record", "the run's files cannot be written, the lines wait: %s", why);
}

/* entry: where it comes from; source: whose stream that is. False: it was dropped. */
static bool add_line(struct record *record, enum record_file file, int source,
                     struct str entry, struct str line)
{
    if (record->broken || record->files[file].path == NULL)
        return false;
    if (lines_add(&record->files[file], line)) {
        written_add(&record->written[file], source, entry, line.len);
        return true;
    }
    record->broken = true;
    err_set(&record->err, ERR_LIMIT,
            "%s could not be written for so long that lines were lost",
            record->files[file].path);
    record->on_change(record->owner);
    return false;
}

bool record_flush(struct record *record)
{
    struct err err = {0};
    bool ok = true;

    for (int i = 0; i < RECORD_FILES; i++)
        ok = lines_flush(&record->files[i], &err) && ok;
    if (!ok) {
        tell_stuck(record, err.msg);
    } else if (record->stuck) {
        record->stuck = false;
        log_warn("record", "the run's files are written again, nothing is missing");
    }
    return ok;
}

/* Redis keeps what is not read yet. */
static bool must_pause(const struct record *record)
{
    size_t waiting = 0;

    for (int i = 0; i < RECORD_FILES; i++)
        waiting += lines_waiting(&record->files[i]);
    return waiting > LINES_PAUSE_BYTES;
}

/* A line that was too long to be made is left out. */
static bool add_made(struct record *record, enum record_file file, struct str entry,
                     const struct buf *line)
{
    return !line->overflowed && add_line(record, file, 0, entry, buf_str(line));
}

/* ---- transcripts ---- */

static void end_talk(struct record_talk *talk)
{
    if (talk->done || talk->reason[0] == '\0')
        return;
    talk->done = true;
    talk->record->done++;
}

/* Neither an end nor a line: it is asked again, at once where only the cursor moved. */
static void fetch_later(struct record_talk *talk, const struct redis_answer *answer)
{
    if (answer->outcome == REDIS_OK) {
        record_fetch(talk);
        return;
    }
    log_debug("record", "a transcript was refused conversation=%s reason=%s", talk->id,
              answer->value == NULL ? "lost" : log_safe(answer->value->text));
    talk->moved = true; /* the next look fetches it */
}

static void on_lines(void *owner, const struct redis_answer *answer)
{
    struct record_talk *talk = owner;
    struct record *record = talk->record;
    size_t count = answer->outcome == REDIS_OK ? answer->value->count : 0;

    talk->fetching = false;
    if (answer->outcome == REDIS_CANCELLED)
        return;
    if (answer->outcome != REDIS_OK || talk->stale) {
        talk->stale = false;
        fetch_later(talk, answer);
        return;
    }
    talk->seen = talk->seen || count > 0;
    for (size_t i = 0; i < count; i++) {
        const struct redis_value *entry = redis_item(answer->value, i);
        struct str id = redis_item_text(entry, 0);

        if (id.len < sizeof talk->cursor)
            fmt_into(talk->cursor, sizeof talk->cursor, "%.*s", (int)id.len, id.at);
        (void)add_line(record, RECORD_TRANSCRIPT, (int)(talk - record->talks), id,
                       redis_field(redis_item(entry, 1), "message"));
    }
    (void)record_flush(record); /* what waits is tried again */
    if (count == LINES_AT_ONCE || talk->moved) {
        record_fetch(talk);
        return;
    }
    end_talk(talk);
    record->on_change(record->owner); /* the end may wait for just this answer */
}

void record_fetch(struct record_talk *talk)
{
    struct record *record = talk->record;
    char key[KEY_SIZE];
    char from[CURSOR_SIZE + 1];
    char count[16];
    struct str argv[6];
    struct redis_call call = {
        .argc = 6, .argv = argv, .on_answer = on_lines, .owner = talk, .again = true};

    talk->moved = talk->fetching;
    if (talk->fetching)
        return;
    fmt_into(from, sizeof from, "%s%s", talk->cursor[0] == '\0' ? "-" : "(",
             talk->cursor);
    fmt_into(count, sizeof count, "%d", LINES_AT_ONCE);
    argv[0] = str_of("XRANGE");
    argv[1] = key_make(record->keys, "transcript", talk->id, key);
    argv[2] = str_of(from);
    argv[3] = str_of("+");
    argv[4] = str_of("COUNT");
    argv[5] = str_of(count);
    talk->fetching = redis_send(record->redis, &call);
}

static int by_id(const void *key, const void *talk)
{
    return strcmp(key, ((const struct record_talk *)talk)->id);
}

static struct record_talk *find(const struct record *record, struct str id)
{
    char text[CONVERSATION_SIZE];

    if (id.len >= sizeof text || record->count == 0)
        return NULL;
    memcpy(text, id.at, id.len);
    text[id.len] = '\0';
    return bsearch(text, record->talks, record->count, sizeof *record->talks, by_id);
}

/* ---- events and calls ---- */

static void note_end(struct record_talk *talk, const struct redis_value *fields)
{
    struct str reason = redis_field(fields, "reason");
    struct err ignored;
    json_t *summary = NULL;
    const char *text;

    (void)snprintf(talk->reason, sizeof talk->reason, "%.*s", (int)reason.len,
                   reason.at);
    if (!json_read(redis_field(fields, "summary"), &summary, &ignored))
        return;
    text = json_string_value(json_object_get(summary, "text"));
    if (text != NULL)
        (void)snprintf(talk->trouble, sizeof talk->trouble, "%s",
                       log_safe(str_of(text)));
    json_decref(summary);
}

static void take_event(struct record *record, struct str id,
                       const struct redis_value *fields)
{
    struct record_talk *talk = find(record, redis_field(fields, "conversation"));
    struct buf line;

    if (talk == NULL)
        return; /* another's, on a shard that is shared */
    buf_init(&line, LINE_MAX_BYTES);
    entry_line_event(fields, &line);
    (void)add_made(record, RECORD_EVENTS, id, &line);
    buf_done(&line);
    if (str_is(redis_field(fields, "event"), "dialogue.resolve"))
        note_end(talk, fields);
    else if (str_is(redis_field(fields, "event"), "dialogue.progress"))
        record->turns++;
    record_fetch(talk);
}

static void take_call(struct record *record, struct str id,
                      const struct redis_value *fields)
{
    struct written *written = &record->written[RECORD_CALLS];
    struct str call = redis_field(fields, "call");
    uint64_t mark = rng_hash(rng_hash(1, call), redis_field(fields, "outcome"));
    struct buf line;

    /* An entry whose reply was lost is sent again, and may stand there twice. */
    if (find(record, redis_field(fields, "conversation")) == NULL
        || (call.len > 0 && written_has(written, mark)))
        return;
    buf_init(&line, LINE_MAX_BYTES);
    entry_line_call(fields, &line);
    if (add_made(record, RECORD_CALLS, id, &line))
        written_mark(written, mark);
    buf_done(&line);
}

static void take_stream(struct record *record, const struct redis_value *stream)
{
    struct str key = redis_item_text(stream, 0);
    bool is_events = key.len > 6 && memcmp(key.at + key.len - 6, "events", 6) == 0;
    char *cursor = is_events ? record->events : record->calls;
    const struct redis_value *entries = redis_item(stream, 1);

    for (size_t i = 0; i < entries->count; i++) {
        const struct redis_value *entry = redis_item(entries, i);
        struct str id = redis_item_text(entry, 0);

        if (is_events)
            take_event(record, id, redis_item(entry, 1));
        else
            take_call(record, id, redis_item(entry, 1));
        if (id.len < CURSOR_SIZE)
            fmt_into(cursor, CURSOR_SIZE, "%.*s", (int)id.len, id.at);
    }
}

static void read_on(struct record *record);

static void on_read(void *owner, const struct redis_answer *answer)
{
    struct record *record = owner;

    if (answer->outcome == REDIS_CANCELLED)
        return;
    record->reading = false;
    if (answer->outcome == REDIS_OK && record->stale) {
        record->stale = false;
        read_on(record);
        return;
    }
    if (answer->outcome != REDIS_OK) {
        log_debug("record", "reading failed reason=%s",
                  answer->value == NULL ? "lost" : log_safe(answer->value->text));
        loop_timer_start(&record->wait, RETRY_MS);
        return;
    }
    for (size_t i = 0; answer->value->kind == REDIS_ARRAY && i < answer->value->count;
         i++)
        take_stream(record, redis_item(answer->value, i));
    if (record_flush(record) || !must_pause(record))
        read_on(record);
    else
        loop_timer_start(&record->wait, RETRY_MS);
}

static void read_on(struct record *record)
{
    char keys[2][KEY_SIZE];
    char count[16];
    char block[16];
    struct str argv[10];
    struct redis_call call = {.argc = 10,
                              .argv = argv,
                              .on_answer = on_read,
                              .owner = record,
                              .timeout_ms = READ_TIMEOUT_MS};

    fmt_into(count, sizeof count, "%d", READ_COUNT);
    fmt_into(block, sizeof block, "%d", BLOCK_MS);
    argv[0] = str_of("XREAD");
    argv[1] = str_of("COUNT");
    argv[2] = str_of(count);
    argv[3] = str_of("BLOCK");
    argv[4] = str_of(block);
    argv[5] = str_of("STREAMS");
    argv[6] = key_make(record->keys, "events", NULL, keys[0]);
    argv[7] = key_make(record->keys, "calls", NULL, keys[1]);
    argv[8] = str_of(record->events);
    argv[9] = str_of(record->calls);
    record->stale = false;
    record->reading = redis_send(record->reader, &call);
    if (!record->reading)
        loop_timer_start(&record->wait, RETRY_MS);
}

static void on_wait_over(struct loop_timer *timer, void *owner)
{
    struct record *record = owner;

    if (record_flush(record) || !must_pause(record))
        read_on(record);
    else
        loop_timer_start(timer, RETRY_MS);
}

/* ---- what no event tells ---- */

static void lose(struct record_talk *talk)
{
    fmt_into(talk->reason, sizeof talk->reason, "failed");
    fmt_into(talk->trouble, sizeof talk->trouble, "it is not in Redis%s",
             talk->seen ? " any more" : "");
    record_fetch(talk); /* its answer ends the talk */
}

static void judge(struct record_talk *talk, struct str state, struct str reason)
{
    int64_t age_ms = clock_mono_ms() - talk->record->started_ms;

    if (state.len == 0) {
        if (talk->seen || age_ms > COMING_MS)
            lose(talk);
        return;
    }
    talk->seen = true;
    talk->ended_looks = str_is(state, "ended") ? talk->ended_looks + 1 : 0;
    if (talk->ended_looks < ENDED_LOOKS)
        return; /* the event may just be on its way */
    (void)snprintf(talk->reason, sizeof talk->reason, "%.*s", (int)reason.len,
                   reason.at);
    record_fetch(talk);
}

static void on_look(void *owner, const struct redis_answer *answer)
{
    struct record_talk *talk = owner;

    talk->looking = false;
    if (answer->outcome == REDIS_OK && talk->reason[0] == '\0')
        judge(talk, redis_item_text(answer->value, 0),
              redis_item_text(answer->value, 1));
}

static void look(struct record_talk *talk)
{
    struct record *record = talk->record;
    char key[KEY_SIZE];
    struct str argv[] = {str_of("HMGET"),
                         key_make(record->keys, "conversation", talk->id, key),
                         str_of("state"), str_of("reason")};
    struct redis_call call = {
        .argc = 4, .argv = argv, .on_answer = on_look, .owner = talk};

    talk->looking = redis_send(record->redis, &call);
}

static void on_look_time(struct loop_timer *timer, void *owner)
{
    struct record *record = owner;

    for (size_t i = 0; i < record->count; i++) {
        struct record_talk *talk = &record->talks[i];

        if (!talk->done && !talk->looking && talk->reason[0] == '\0')
            look(talk);
        if (talk->moved && !talk->fetching)
            record_fetch(talk); /* the last answer was none */
    }
    if (record->check_again)
        record_check(record);
    (void)record_flush(record); /* it tells */
    loop_timer_start(timer, LOOK_MS);
}

/* ---- life ---- */

bool record_open(struct record *record, const char *folder, struct err *err)
{
    static const char *const names[] = {"transcript.jsonl", "events.jsonl",
                                        "calls.jsonl"};

    for (size_t i = 0; i < RECORD_FILES; i++) {
        char *path = path_join(folder, names[i]);
        bool ok = lines_open(&record->files[i], path, err);

        free(path);
        if (!ok)
            return false;
        written_init(&record->written[i], record->files[i].end);
    }
    return true;
}

void record_set_talks(struct record *record, const char *const *ids, size_t count)
{
    record->talks = x_calloc(count, sizeof *record->talks);
    record->count = count;
    for (size_t i = 0; i < count; i++) {
        record->talks[i].record = record;
        fmt_into(record->talks[i].id, sizeof record->talks[i].id, "%s", ids[i]);
    }
}

/* A person must act: password, rights, a cluster. What comes cannot be written down. */
static void on_denied(void *owner, const struct err *err)
{
    struct record *record = owner;

    if (record->broken)
        return;
    record->broken = true;
    record->err = *err;
    record->on_change(record->owner);
}

void record_start(struct record *record, struct loop *loop, struct redis *redis,
                  const struct redis_target *target, const char *from)
{
    struct redis_options options = {.target = target,
                                    .name = "run-reader",
                                    .on_ready = record_on_ready,
                                    .on_fatal = on_denied,
                                    .owner = record};

    record->loop = loop;
    record->redis = redis;
    fmt_into(record->events, sizeof record->events, "%s", from);
    fmt_into(record->calls, sizeof record->calls, "%s", from);
    loop_timer_init(&record->wait, loop, on_wait_over, record);
    loop_timer_init(&record->look, loop, on_look_time, record);
    loop_timer_start(&record->look, LOOK_MS);
    record->started_ms = clock_mono_ms();
    record->reader = redis_new(loop, &options);
    read_on(record);
}

bool record_all_done(const struct record *record)
{
    return record->done == record->count;
}

void record_fetch_all(struct record *record)
{
    if (record->reader != NULL)
        loop_timer_stop(&record->look);
    for (size_t i = 0; i < record->count; i++)
        if (!record->talks[i].done)
            record_fetch(&record->talks[i]);
}

bool record_busy(const struct record *record)
{
    for (size_t i = 0; i < record->count; i++)
        if (record->talks[i].fetching)
            return true;
    return false;
}

bool record_close_files(struct record *record, struct err *err)
{
    bool ok = true;

    if (record->reader != NULL) {
        loop_timer_stop(&record->wait);
        loop_timer_stop(&record->look);
        redis_free(record->reader);
        record->reader = NULL;
    }
    for (size_t i = 0; i < RECORD_FILES; i++) {
        struct lines *lines = &record->files[i];
        struct err late = {0};
        bool whole = lines_flush(lines, &late);

        if (!lines_close(lines, &late) || !whole)
            ok =
                err_set(err, late.code, "the run's files are incomplete: %s", late.msg);
    }
    return ok;
}

void record_close(struct record *record)
{
    struct err err = {0};

    if (!record_close_files(record, &err))
        log_error("record", "%s", err.msg);
    for (size_t i = 0; i < RECORD_FILES; i++)
        written_done(&record->written[i]);
    free(record->talks);
    *record = (struct record){0};
}

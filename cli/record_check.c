/* record_check.c - see record_check.h. */
#include "cli/record_check.h"

#include <string.h>

#include "base/log.h"
#include "cli/record.h"
#include "net/redis.h"

/* Where the stream stands that was asked for; false: where it should, or unknown. */
static bool went_back(const struct redis_answer *answer, const char *checked,
                      struct str *ret_last)
{
    if (answer->outcome != REDIS_OK || answer->value->count == 0)
        return false;
    *ret_last = redis_item_text(redis_item(answer->value, 0), 0);
    return ret_last->len > 0 && ret_last->len < CURSOR_SIZE
           && !str_is(*ret_last, checked);
}

static bool cut(struct record *record, enum record_file file, int source,
                struct str last)
{
    struct err err = {0};
    size_t count = 0;

    if (!record_flush(record)
        || !written_cut(&record->written[file], &record->files[file], source, last,
                        &count, &err)) {
        log_warn("record", "history was rewound, its lines stay for now: %s", err.msg);
        record->check_again = true;
        return false;
    }
    if (count > 0)
        log_warn(
            "record",
            "history was rewound: Redis has less than %s said, lines taken out: %zu",
            record->files[file].path, count);
    return true;
}

/* Those that ended may not have: their end will be told again. */
static void reopen_talks(struct record *record)
{
    for (size_t i = 0; i < record->count; i++) {
        struct record_talk *talk = &record->talks[i];

        talk->reason[0] = '\0';
        talk->ended_looks = 0;
        if (talk->done)
            record->done--;
        talk->done = false;
    }
}

static void check_stream(struct record *record, enum record_file file, char *cursor,
                         const struct redis_answer *answer)
{
    struct str last;

    if (!went_back(answer, record->checked[file - RECORD_EVENTS], &last)
        || !cut(record, file, WRITTEN_ANY, last))
        return;
    fmt_into(cursor, CURSOR_SIZE, "%.*s", (int)last.len, last.at);
    record->stale = record->reading;
    if (file == RECORD_EVENTS)
        reopen_talks(record);
}

static void on_events(void *owner, const struct redis_answer *answer)
{
    struct record *record = owner;

    check_stream(record, RECORD_EVENTS, record->events, answer);
}

static void on_calls(void *owner, const struct redis_answer *answer)
{
    struct record *record = owner;

    check_stream(record, RECORD_CALLS, record->calls, answer);
}

static void rewind_talk(struct record_talk *talk, struct str last)
{
    struct record *record = talk->record;

    if (!cut(record, RECORD_TRANSCRIPT, (int)(talk - record->talks), last))
        return;
    fmt_into(talk->cursor, sizeof talk->cursor, "%.*s", (int)last.len, last.at);
    talk->stale = talk->fetching;
    record_fetch(talk);
}

static void on_conversation(void *owner, const struct redis_answer *answer)
{
    if (answer->outcome == REDIS_OK && answer->value->integer > 0)
        rewind_talk(owner, str_of(""));
}

/* Nothing is left of its transcript. Where the conversation itself is gone, its lines
 * are all there is and stay; else they will be made anew. */
static void ask_conversation(struct record_talk *talk)
{
    char key[KEY_SIZE];
    const struct str argv[] = {
        str_of("EXISTS"), key_make(talk->record->keys, "conversation", talk->id, key)};
    const struct redis_call call = {.argc = sizeof argv / sizeof *argv,
                                    .argv = argv,
                                    .on_answer = on_conversation,
                                    .owner = talk,
                                    .again = true};

    if (!redis_send(talk->record->reader, &call))
        talk->record->check_again = true;
}

static void on_transcript(void *owner, const struct redis_answer *answer)
{
    struct record_talk *talk = owner;
    struct str last;

    if (answer->outcome == REDIS_OK && answer->value->count == 0)
        ask_conversation(talk);
    else if (went_back(answer, talk->checked, &last))
        rewind_talk(talk, last);
}

static void ask(struct record *record, struct str key, const char *cursor,
                redis_on_answer *on_answer, void *owner)
{
    const struct str argv[] = {str_of("XREVRANGE"), key,
                               str_of(cursor),      str_of("-"),
                               str_of("COUNT"),     str_of("1")};
    const struct redis_call call = {.argc = sizeof argv / sizeof *argv,
                                    .argv = argv,
                                    .on_answer = on_answer,
                                    .owner = owner,
                                    .again = true};

    if (!redis_send(record->reader, &call))
        record->check_again = true;
}

void record_check(struct record *record)
{
    char key[KEY_SIZE];

    record->check_again = false;
    memcpy(record->checked[0], record->events, CURSOR_SIZE);
    memcpy(record->checked[1], record->calls, CURSOR_SIZE);
    ask(record, key_make(record->keys, "events", NULL, key), record->events, on_events,
        record);
    ask(record, key_make(record->keys, "calls", NULL, key), record->calls, on_calls,
        record);
    for (size_t i = 0; i < record->count; i++) {
        struct record_talk *talk = &record->talks[i];

        memcpy(talk->checked, talk->cursor, CURSOR_SIZE);
        if (talk->cursor[0] != '\0')
            ask(record, key_make(record->keys, "transcript", talk->id, key),
                talk->cursor, on_transcript, talk);
    }
}

void record_on_ready(void *owner, bool restarted)
{
    struct record *record = owner;

    (void)restarted; /* a failover may rewind history without a new run_id */
    if (record->was_ready)
        record_check(record);
    record->was_ready = true;
}

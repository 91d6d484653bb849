/* replay_record.c - see replay_record.h.
 *
 * Flow: open each file -> on_line: pick id and times -> add entries
 *       -> sort by conversation and time -> spans
 */
#include "observer/source/replay_record.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/utf8.h"
#include "observer/source/replay_file.h"
#include "observer/source/replay_limits.h"
#include "observer/source/replay_pick.h"
#include "observer/source/replay_talks.h"

/* An entry's place: the conversation above, then what it is, then the offset. */
enum {
    OFFSET_BITS = 42,
    WHAT_BITS = 2,
    TALK_SHIFT = OFFSET_BITS + WHAT_BITS,
    NOTES_MAX = 20,
    NOTE_BYTES = 1024,
    SAID_FILE = 0,
    EVENTS_FILE,
    CALLS_FILE,
    FILE_COUNT
};
#define OFFSET_MAX (((uint64_t)1 << OFFSET_BITS) - 1)

static const char *const names[FILE_COUNT] = {"transcript.jsonl", "events.jsonl",
                                              "calls.jsonl"};

struct replay_record {
    struct replay_file files[FILE_COUNT];
    struct replay_talks talks;
    struct replay_entry *entries; /* owned; sorted by conversation, time, place */
    size_t count;
    size_t capacity;
    size_t *starts; /* owned; talks.count + 1 of them */
    int64_t first_us;
    int64_t last_us;
    struct replay_limits limits;
    void (*on_note)(void *owner, const char *text);
    void *owner;
    int notes;
};

/* While a file is read. */
struct reading {
    struct replay_record *record;
    int file;
    int64_t last_us; /* for lines that tell no time */
};

/* ---- entries ---- */

enum replay_what replay_entry_what(const struct replay_entry *entry)
{
    return (enum replay_what)(entry->place >> OFFSET_BITS & 3);
}

static size_t talk_of(const struct replay_entry *entry)
{
    return (size_t)(entry->place >> TALK_SHIFT);
}

static const struct replay_file *file_of(const struct replay_record *record,
                                         const struct replay_entry *entry)
{
    static const int files[REPLAY_WHAT_COUNT] = {
        [REPLAY_SAID] = SAID_FILE,
        [REPLAY_EVENT] = EVENTS_FILE,
        [REPLAY_OVER] = CALLS_FILE,
        [REPLAY_BEGUN] = CALLS_FILE,
    };

    return &record->files[files[replay_entry_what(entry)]];
}

static int64_t offset_of(const struct replay_entry *entry)
{
    return (int64_t)(entry->place & OFFSET_MAX);
}

static void add_entry(struct replay_record *record, size_t talk, enum replay_what what,
                      int64_t at_us, int64_t offset)
{
    if (record->count == record->capacity) {
        record->capacity = record->capacity == 0 ? 1024 : record->capacity * 2;
        record->entries =
            x_realloc(record->entries, record->capacity * sizeof *record->entries);
    }
    record->entries[record->count++] = (struct replay_entry){
        at_us, (uint64_t)talk << TALK_SHIFT | (uint64_t)what << OFFSET_BITS
                   | (uint64_t)offset};
}

/* ---- lines that are of no use ---- */

static void note(struct replay_record *record, const struct replay_file *file,
                 int64_t number, const char *why)
{
    const char *name =
        strrchr(file->path, '/'); /* the rest is known, and bars are short */
    struct buf text;

    record->notes++;
    if (record->on_note == NULL || record->notes > NOTES_MAX)
        return;
    buf_init(&text, NOTE_BYTES);
    (void)utf8_harmless(str_of(name == NULL ? file->path : name + 1), false, &text);
    (void)buf_printf(&text, ":%lld: passed over: %.400s", (long long)number, why);
    if (record->notes == NOTES_MAX)
        (void)buf_add_text(&text, " (and more such lines, which are not told)");
    record->on_note(record->owner, buf_text(&text));
    buf_done(&text);
}

void replay_record_complain(struct replay_record *record,
                            const struct replay_entry *entry, const char *why)
{
    const struct replay_file *file = file_of(record, entry);
    int64_t number;

    if (record->notes >= NOTES_MAX
        || !replay_file_number(file, offset_of(entry), &number, NULL))
        return;
    note(record, file, number, why);
}

/* ---- reading ---- */

/* The conversation's number; false: passed over. */
static bool take_talk(struct reading *reading, const struct replay_line *line,
                      struct str id, size_t *ret_talk)
{
    struct replay_record *record = reading->record;
    const struct replay_file *file = &record->files[reading->file];
    const char *why = NULL;

    if (line->too_long)
        why = "the line is too long";
    else if (line->text.at[0] != '{' || line->text.at[line->text.len - 1] != '}')
        why = "this is no whole JSON object";
    else if (line->offset > (int64_t)OFFSET_MAX)
        why = "the file is too large";
    else if (!replay_talks_add(&record->talks, id, ret_talk))
        why = record->talks.count == REPLAY_TALKS_MAX
                  ? "too many conversations"
                  : "it names no valid conversation";
    if (why != NULL)
        note(record, file, line->number, why);
    return why == NULL;
}

static void take_said(struct reading *reading, const struct replay_line *line)
{
    static const char *const keys[] = {"queue_timestamp", "conversation_id"};
    struct str values[2];
    int64_t at_us = reading->last_us;
    size_t talk;

    replay_pick(line->text, keys, values, 2);
    if (!take_talk(reading, line, values[1], &talk))
        return;
    /* A message without a time comes right behind the one before it. */
    if (clock_parse_us(values[0], &at_us))
        reading->last_us = at_us;
    add_entry(reading->record, talk, REPLAY_SAID, at_us, line->offset);
}

static void take_event(struct reading *reading, const struct replay_line *line)
{
    static const char *const keys[] = {"conversation", "at", "event"};
    struct str values[3];
    int64_t at_us;
    size_t talk;

    replay_pick(line->text, keys, values, 3);
    if (str_is(values[2], "dialogue.progress")
        || !take_talk(reading, line, values[0], &talk))
        return;
    if (clock_parse_us(values[1], &at_us))
        add_entry(reading->record, talk, REPLAY_EVENT, at_us, line->offset);
    else
        note(reading->record, &reading->record->files[reading->file], line->number,
             "it has no time");
}

static void take_call(struct reading *reading, const struct replay_line *line)
{
    static const char *const keys[] = {"conversation", "started_at", "ended_at",
                                       "outcome"};
    struct str values[4];
    int64_t start_us;
    int64_t end_us;
    size_t talk;

    replay_pick(line->text, keys, values, 4);
    if (!take_talk(reading, line, values[0], &talk))
        return;
    if (!clock_parse_us(values[2], &end_us)) {
        note(reading->record, &reading->record->files[reading->file], line->number,
             "it has no time");
        return;
    }
    if (!str_is(values[3], "done") && clock_parse_us(values[1], &start_us)
        && start_us <= end_us)
        add_entry(reading->record, talk, REPLAY_BEGUN, start_us, line->offset);
    add_entry(reading->record, talk, REPLAY_OVER, end_us, line->offset);
}

static void on_line(void *owner, const struct replay_line *line)
{
    struct reading *reading = owner;

    if (reading->file == SAID_FILE)
        take_said(reading, line);
    else if (reading->file == EVENTS_FILE)
        take_event(reading, line);
    else
        take_call(reading, line);
}

static bool read_file(struct replay_record *record, int file, char *path_take,
                      struct err *err)
{
    struct reading reading = {.record = record, .file = file};
    bool ok = replay_file_open(path_take, &record->files[file], err)
              && replay_file_scan(&record->files[file], on_line, &reading, err);

    free(path_take);
    return ok;
}

static void read_limits(struct replay_record *record, const char *folder)
{
    char *path = path_join(folder, "run.json");
    struct err err = {0};

    if (file_exists(path) && !replay_limits_read(path, &record->limits, &err)
        && record->on_note != NULL)
        record->on_note(record->owner, log_safe(str_of(err.msg)));
    free(path);
}

/* Only the transcript must be there. */
static bool read_folder(struct replay_record *record, const char *folder,
                        struct err *err)
{
    read_limits(record, folder);
    for (int i = 0; i < FILE_COUNT; i++) {
        char *path = path_join(folder, names[i]);

        if (i != SAID_FILE && !file_exists(path)) {
            free(path);
            continue;
        }
        if (!read_file(record, i, path, err))
            return false;
    }
    return true;
}

/* ---- order ---- */

static int compare(const void *left, const void *right)
{
    const struct replay_entry *a = left;
    const struct replay_entry *b = right;

    if (talk_of(a) != talk_of(b))
        return talk_of(a) < talk_of(b) ? -1 : 1;
    if (a->at_us != b->at_us)
        return a->at_us < b->at_us ? -1 : 1;
    return a->place == b->place ? 0 : a->place < b->place ? -1 : 1;
}

static void put_in_order(struct replay_record *record)
{
    const struct replay_entry *entries = record->entries;
    size_t talk = 0;

    qsort(record->entries, record->count, sizeof *record->entries, compare);
    record->starts = x_calloc(record->talks.count + 1, sizeof *record->starts);
    record->first_us = entries[0].at_us;
    record->last_us = entries[0].at_us;
    for (size_t i = 0; i < record->count; i++) {
        while (talk < talk_of(&entries[i]))
            record->starts[++talk] = i;
        if (entries[i].at_us < record->first_us)
            record->first_us = entries[i].at_us;
        if (entries[i].at_us > record->last_us)
            record->last_us = entries[i].at_us;
    }
    while (talk < record->talks.count)
        record->starts[++talk] = record->count;
}

bool replay_record_open(const char *path,
                        void (*on_note)(void *owner, const char *text), void *owner,
                        struct replay_record **ret_record, struct err *err)
{
    struct replay_record *record = x_calloc(1, sizeof *record);
    struct stat info;
    bool ok;

    *record = (struct replay_record){.on_note = on_note, .owner = owner};
    record->limits = (struct replay_limits){-1, -1, -1};
    if (stat(path, &info) == 0 && S_ISDIR(info.st_mode))
        ok = read_folder(record, path, err);
    else
        ok = read_file(record, SAID_FILE, x_strdup(path), err);
    if (!ok && err != NULL)
        err->code = ERR_USAGE;
    if (ok && record->count == 0)
        ok = err_set(err, ERR_USAGE, "%s: nothing that could be replayed",
                     log_safe(str_of(path)));
    if (!ok) {
        replay_record_free(record);
        return false;
    }
    put_in_order(record);
    *ret_record = record;
    return true;
}

void replay_record_free(struct replay_record *record)
{
    if (record == NULL)
        return;
    for (int i = 0; i < FILE_COUNT; i++)
        replay_file_done(&record->files[i]);
    replay_talks_done(&record->talks);
    free(record->entries);
    free(record->starts);
    free(record);
}

void replay_record_tell(struct replay_record *record,
                        void (*on_note)(void *owner, const char *text), void *owner)
{
    record->on_note = on_note;
    record->owner = owner;
}

/* ---- questions ---- */

size_t replay_record_talks(const struct replay_record *record)
{
    return record->talks.count;
}

const char *replay_record_id(const struct replay_record *record, size_t talk)
{
    assert(talk < record->talks.count);
    return record->talks.ids[talk];
}

bool replay_record_find(const struct replay_record *record, struct str id,
                        size_t *ret_talk)
{
    return replay_talks_find(&record->talks, id, ret_talk);
}

struct replay_span replay_record_span(const struct replay_record *record, size_t talk)
{
    assert(talk < record->talks.count);
    return (struct replay_span){record->entries + record->starts[talk],
                                record->starts[talk + 1] - record->starts[talk]};
}

int64_t replay_record_first_us(const struct replay_record *record)
{
    return record->first_us;
}

int64_t replay_record_last_us(const struct replay_record *record)
{
    return record->last_us;
}

const struct replay_limits *replay_record_limits(const struct replay_record *record)
{
    return &record->limits;
}

bool replay_record_read(const struct replay_record *record,
                        const struct replay_entry *entry, struct buf *into,
                        struct err *err)
{
    return replay_file_line(file_of(record, entry), offset_of(entry), into, err);
}

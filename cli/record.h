/* record.h - writes down what happens on the shard while it happens.
 *
 * Follows K:events and K:calls with one blocking read and takes each conversation's new
 * lines from its transcript; whole lines are appended to transcript.jsonl, events.jsonl
 * and calls.jsonl. Nothing is lost when Redis goes away for a while: the cursors stay;
 * nor when the disk is full for a while: the lines wait, then the reading does. When
 * Redis comes back with less than was written (record_check.c), the lines of what is
 * gone are taken out again and that is told: the files say what Redis says.
 * Every 2 s it looks whether the conversations that go on are there at all: one that
 * never came or is gone has failed.
 *
 * Flow: read -> events, calls -> fetch the transcripts that moved -> read ...
 */
#ifndef PARLEY_RECORD_H
#define PARLEY_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "cli/lines.h"
#include "cli/written.h"
#include "net/loop.h"
#include "proto/keys.h"

struct redis;
struct redis_target;

enum {
    RECORD_FILES = 3,
    CURSOR_SIZE = 44,
    RECORD_REASON_SIZE = 32,
    RECORD_WORDS_SIZE = 256
};

enum record_file { RECORD_TRANSCRIPT, RECORD_EVENTS, RECORD_CALLS };

struct record;
struct record_talk {
    struct record *record;
    char id[CONVERSATION_SIZE];
    char cursor[CURSOR_SIZE];        /* the last line taken */
    char reason[RECORD_REASON_SIZE]; /* why it ended; "" while it goes on */
    char trouble[RECORD_WORDS_SIZE]; /* what the end's summary says of an error */
    char checked[CURSOR_SIZE];       /* where the cursor was when that was asked */
    bool fetching;
    bool stale; /* what is being fetched follows a cursor that holds no more */
    bool moved; /* more has come while it was being fetched */
    bool done;  /* ended and all lines taken */
    bool looking;
    bool seen;       /* it was in Redis */
    int ended_looks; /* looks in a row that found it ended, and no event told so */
};
struct record {
    struct loop *loop;
    struct redis *redis;  /* borrowed: for the transcripts */
    struct redis *reader; /* own: blocks */
    const struct keys *keys;
    struct loop_timer wait;
    struct loop_timer look;
    int64_t started_ms;
    struct record_talk *talks; /* by id, sorted */
    size_t count;
    size_t done;
    int64_t turns; /* committed: all that was told of */
    char events[CURSOR_SIZE];
    char calls[CURSOR_SIZE];
    char checked[2][CURSOR_SIZE]; /* events, calls: as a talk's */
    bool reading;                 /* a blocking read is on its way */
    bool stale;                   /* and follows cursors that hold no more */
    bool was_ready;
    bool check_again; /* what is gone could not be taken out of a file */
    struct lines files[RECORD_FILES]; /* as enum record_file */
    struct written written[RECORD_FILES];
    bool stuck;      /* lines wait: the last writing failed */
    int64_t told_ms; /* when that was last told */
    bool broken;     /* lines were lost, or will be: Redis refuses us */
    struct err err;
    void (*on_change)(void *owner); /* lines were taken, or writing failed */
    void *owner;
};
/* ids: sorted by strcmp; from: the stream id to begin behind ("0" = all). */
MUST_USE bool record_open(struct record *record, const char *folder, struct err *err);
void record_start(struct record *record, struct loop *loop, struct redis *redis,
                  const struct redis_target *target, const char *from);
void record_set_talks(struct record *record, const char *const *ids, size_t count);
bool record_all_done(const struct record *record);
/* Takes the new lines of its transcript. */
void record_fetch(struct record_talk *talk);
/* Writes what waits; what fails is told and tried again. */
bool record_flush(struct record *record);
/* Takes what has come meanwhile, once more (at the end of a run). */
void record_fetch_all(struct record *record);
bool record_busy(const struct record *record);
/* Follows no more, writes what waits, closes the files. False when they lack lines that
 * were taken. */
MUST_USE bool record_close_files(struct record *record, struct err *err);
void record_close(struct record *record);

#endif

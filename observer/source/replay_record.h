/* replay_record.h - what a run's folder holds, by conversation and time.
 *
 * Reads transcript.jsonl, calls.jsonl and events.jsonl once and keeps 16 bytes for each
 * line (of a call that failed: two), so that a run of a million turns needs tens of
 * megabytes; lines are read again when they are played. Of run.json it takes limits.
 * Lines of the transcript and calls that cannot be used are told with file and number
 * and passed over. Events of a turn's progress are left out: the transcript has them.
 */
#ifndef PARLEY_REPLAY_RECORD_H
#define PARLEY_REPLAY_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct replay_record; /* opaque: the body is in replay_record.c */

enum replay_what {
    REPLAY_SAID,  /* a line of the transcript */
    REPLAY_EVENT, /* of events.jsonl */
    REPLAY_OVER,  /* of calls.jsonl, when that call ended */
    REPLAY_BEGUN, /* the same line, when it began: of calls that did not end well */
    REPLAY_WHAT_COUNT
};

/* What stands in one line, at the time at which it happened. */
struct replay_entry {
    int64_t at_us;
    uint64_t place; /* for replay_record.c and replay_entry_what */
};
enum replay_what replay_entry_what(const struct replay_entry *entry);

/* Of one conversation, by time. */
struct replay_span {
    const struct replay_entry *at;
    size_t count;
};

/* Of run.json; -1: not known, or no limit. */
struct replay_limits {
    int64_t max_turns;
    int64_t duration_ms;
    int64_t num_ctx;
};

/* A folder, or a transcript alone. ERR_USAGE names what is not there or holds nothing.
 * on_note (or NULL) is told of lines that are passed over, in a harmless text, now and
 * by replay_record_complain. Owned by the caller (replay_record_free). */
MUST_USE bool replay_record_open(const char *path,
                                 void (*on_note)(void *owner, const char *text),
                                 void *owner, struct replay_record **ret_record,
                                 struct err *err);
void replay_record_free(struct replay_record *record); /* NULL is fine */
/* Another one is told from now on; NULL: nobody. */
void replay_record_tell(struct replay_record *record,
                        void (*on_note)(void *owner, const char *text), void *owner);

/* At least one; in the order of their first entries. */
size_t replay_record_talks(const struct replay_record *record);
const char *replay_record_id(const struct replay_record *record, size_t talk);
/* False: there is no such conversation. */
bool replay_record_find(const struct replay_record *record, struct str id,
                        size_t *ret_talk);
struct replay_span replay_record_span(const struct replay_record *record, size_t talk);
int64_t replay_record_first_us(const struct replay_record *record);
int64_t replay_record_last_us(const struct replay_record *record);
const struct replay_limits *replay_record_limits(const struct replay_record *record);

/* The line, into a buffer that holds REPLAY_LINE_MAX_BYTES. */
MUST_USE bool replay_record_read(const struct replay_record *record,
                                 const struct replay_entry *entry, struct buf *into,
                                 struct err *err);
/* Tells that a line is of no use, as at the opening: of few only, then that there are
 * more. `why` is harmless. */
void replay_record_complain(struct replay_record *record,
                            const struct replay_entry *entry, const char *why);

#endif

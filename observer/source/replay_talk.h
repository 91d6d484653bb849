/* replay_talk.h - plays one conversation of a record: what stands in its lines, and
 * what follows from their figures.
 *
 * Told are the same things that a live conversation's keys tell: entries of the
 * transcript, of the live stream (begin, delta, end, withdrawn) and the hash's facts. A
 * turn's begin is the time of its response less its generation time; its words appear
 * over the time between its first token and its response, evenly, as their own times
 * stand nowhere. What a call that failed had said was never written down: it begins and
 * is withdrawn.
 *
 * Flow: replay_talk_due -> replay_talk_step until nothing is due
 */
#ifndef PARLEY_REPLAY_TALK_H
#define PARLEY_REPLAY_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "observer/sight.h"
#include "observer/source/replay_parse.h"
#include "observer/source/replay_record.h"
#include "observer/talk_state.h"
#include "proto/message.h"

struct replay_talk;

/* Each may be NULL; what they are given is borrowed for the call. */
struct replay_hooks {
    void *owner;
    /* A line of the transcript: talk->next is its place among the conversation's
     * entries. message: NULL where it is no turn. */
    void (*on_said)(void *owner, const struct replay_talk *talk, struct str kind,
                    struct str document, const struct message *message);
    void (*on_live)(void *owner, const struct replay_talk *talk,
                    const struct talk_live *live);
    /* talk->facts, attempts and what stands beside them changed. */
    void (*on_facts)(void *owner, const struct replay_talk *talk);
    void (*on_call)(void *owner, const struct replay_call *call); /* it ended */
    void (*on_event)(void *owner, const struct replay_event *event);
};

/* The turn that comes next, read before its time. */
struct replay_ahead {
    size_t nth; /* SIZE_MAX: none is known */
    struct buf line;
    struct message message;
    int64_t begin_us; /* -1: unknown, so nobody is seen to speak */
    int64_t first_us;
    bool begun;  /* its begin was told */
    bool passed; /* its begin was left out: nothing of it would have been seen */
    size_t told; /* bytes of its text */
};

struct replay_talk {
    struct replay_record *record; /* borrowed */
    const char *id;               /* the record's */
    struct replay_span span;
    size_t next;   /* the entry to be played next */
    size_t looked; /* no turn lies ahead before this entry */
    struct replay_hooks hooks;
    struct replay_ahead ahead;
    int64_t at_us; /* when happened what is being told */
    struct talk_facts facts;
    int64_t attempts;  /* calls seen to begin for the turn awaited */
    int64_t failures;  /* responses that failed, all turns */
    bool calling;      /* a call is on its way */
    char *failed_call; /* owned; on its way, and will not end well; NULL: none is */
    struct buf line;   /* the entry being played */
};

/* `talk` as in the record, which must outlive it. */
void replay_talk_init(struct replay_talk *play, struct replay_record *record,
                      size_t talk, const struct replay_hooks *hooks);
void replay_talk_done(struct replay_talk *play);
/* When there is something to tell; INT64_MAX: it is over. */
int64_t replay_talk_due(struct replay_talk *play);
/* Tells what is due first, if it is by now_us. False: nothing is. */
bool replay_talk_step(struct replay_talk *play, int64_t now_us);

#endif

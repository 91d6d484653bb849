/* tally.h - from messages and calls, one by one, to what a run cost. Pure: knows no
 * file and no Redis, keeps no text but names and ids.
 *
 * A persona is a name at a seat: the same story played in several conversations adds
 * up. A model is a provider's model. Whoever reads messages twice counts them twice.
 *
 * Flow: tally_message*, tally_call*, tally_state* -> tally_finish -> the reports
 */
#ifndef PARLEY_TALLY_H
#define PARLEY_TALLY_H

#include <stddef.h>
#include <stdint.h>

#include "analyzer/group.h"
#include "base/buf.h"
#include "base/str.h"

struct message;

struct tally {
    struct group total;
    struct group_table *personas; /* these three in the order they were met */
    struct group_table *models;
    struct group_table *conversations;
    int64_t calls; /* model calls that ended; -1 no record of them */
    int64_t calls_failed;
    int64_t calls_cancelled;
    int64_t calls_lost;
    struct recent *call_ids;
    struct recent *lost_ids; /* NULL until there are any */
    struct samples *samples;
    struct buf key; /* scratch */
};

struct tally *tally_new(void);
void tally_free(struct tally *tally); /* NULL is fine */

/* Turns are counted; story and personas only tell of a conversation and its time. */
void tally_message(struct tally *tally, const struct message *message);
/* There is a record of calls, perhaps an empty one: 0 from now on, not unknown. */
void tally_expect_calls(struct tally *tally);
/* outcome: "done", "failed", "cancelled" or "lost". A record may come twice: the second
 * one with the same id does not count; an empty id is nobody's second. That a call was
 * lost is void where another record, before or after, tells how it ended. */
void tally_call(struct tally *tally, struct str id, struct str outcome);
/* How a conversation stands; a later call replaces an earlier one, empty texts do not
 * replace anything. */
void tally_state(struct tally *tally, struct str conversation, struct str state,
                 struct str reason);

/* When a conversation's first turn was asked for (UTC): its time begins there. */
void tally_begin(struct tally *tally, struct str conversation, int64_t at_us);

/* Works out all percentiles. Once, at the end. */
void tally_finish(struct tally *tally);

#endif

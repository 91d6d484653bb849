/* tally.h - from messages, calls and events, one by one, to what a run cost and how
 * fast it was. Pure: knows no file and no Redis, keeps no text but names and ids, and
 * does not grow with the length of a log (the bounds stand below).
 *
 * A persona is a name at a seat: the same story played in several conversations adds
 * up. A model is a provider's model, an endpoint a provider's address by its name.
 * Turns are also put together by their number in the conversation: 1 to 16 each for
 * themselves, then classes that double: 17-32, 33-64, ...
 *
 * Whoever reads messages twice counts them twice.
 *
 * Flow: tally_message*, tally_call*, tally_state* -> the reports -> perhaps more of
 *       the same, and the reports again
 */
#ifndef PARLEY_TALLY_H
#define PARLEY_TALLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "analyzer/cache.h"
#include "analyzer/calls.h"
#include "analyzer/goodput.h"
#include "analyzer/group_table.h"
#include "analyzer/speech.h"
#include "analyzer/warmup.h"
#include "base/buf.h"
#include "base/str.h"
#include "proto/message.h"

struct activity;

enum {
    TALLY_ROWS_MAX = 1000,         /* personas, conversations */
    TALLY_FEW_ROWS_MAX = 256,      /* models, endpoints */
    TURN_CLASSES_SINGLE = 16,      /* turn 1 to 16 */
    TURN_CLASSES = 80,             /* more than any number of turns needs */
    TALLY_EXACT_TOTAL = 10000,     /* values kept as they are: of all turns */
    TALLY_EXACT_GROUP = 2000,      /* of a group */
    TALLY_GROUPS_BYTES = 24 << 20, /* for the percentiles of all groups */
    TALLY_NAMES_MAX = 1 << 20,     /* conversations told apart; then "at least" */
    ENDINGS_MAX = 32
};

/* How conversations ended, as far as that was told. */
struct ending {
    char reason[WORD_SIZE]; /* harmless; the last row, "others", takes the rest */
    int64_t conversations;
};

struct tally_options {
    struct goodput goodput; /* its limits */
    struct warmup warmup;   /* what is left out */
    enum speech_mode speech;
};

/* Who wants each turn that is counted, one by one; the turn is borrowed. */
struct tally_tap {
    void (*on_turn)(void *owner, const struct message *turn); /* NULL: nobody */
    void *owner;
};

struct tally {
    struct group total;
    struct group_table *personas; /* all in the order they were met */
    struct group_table *models;
    struct group_table *endpoints;
    struct group *turn_indexes[TURN_CLASSES]; /* owned; NULL: no such turn */
    struct group_table *conversations;
    int64_t conversation_count; /* also those without a row */
    bool more_conversations;    /* there are at least so many */
    struct calls calls;
    struct cache cache;
    struct goodput goodput;
    struct warmup warmup;
    struct ending endings[ENDINGS_MAX];
    size_t ending_count;
    struct activity *activity;
    bool activity_from_calls; /* else from the turns' own times */
    struct speech *speech;    /* NULL: not wanted */
    struct ration total_ration;
    struct ration group_ration;
    struct names *names; /* conversations met */
    struct kin {         /* where the last turn of each seat belonged */
        struct group *persona, *model, *endpoint; /* NULL: not known */
    } kin[SEATS_MAX + 1];
    struct buf key; /* scratch, as `room` */
    char *room;
    size_t room_bytes;
    struct tally_tap tap; /* may be set before the first turn */
};

/* NULL: no limits, no warm-up, a sample of the talk. */
struct tally *tally_new(const struct tally_options *options);
void tally_free(struct tally *tally); /* NULL is fine */

/* Scratch memory of at least so many bytes, for whoever reads a message to give here;
 * valid until the next call. */
char *tally_room(struct tally *tally, size_t bytes);
/* Turns are counted; story and personas only tell of a conversation and its time. */
void tally_message(struct tally *tally, const struct message *message);
/* A record of calls will come behind the messages: what ran at once is taken from
 * there, not from the turns' own times. Before the first message. */
void tally_calls_follow(struct tally *tally);
/* There is a record of calls, perhaps an empty one: 0 from now on, not unknown. */
void tally_expect_calls(struct tally *tally);
/* See calls_take. */
void tally_call(struct tally *tally, const struct call *call);
/* Who wrote it is gone without an end: a conversation that had not ended is in no state
 * that is known. */
void tally_cut_off(struct tally *tally);
/* How a conversation stands; a later call replaces an earlier one, empty texts do not
 * replace anything. */
void tally_state(struct tally *tally, struct str conversation, struct str state,
                 struct str reason);
/* When a conversation's first turn was asked for (UTC): its time begins there. */
void tally_begin(struct tally *tally, struct str conversation, int64_t at_us);

#endif

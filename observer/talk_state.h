/* talk_state.h - one conversation as an observer knows it: entries of its streams and
 * its hash in, sights out. Pure: no socket, no clock.
 *
 * The transcript is the truth. Live entries are shown only for the turn that comes next
 * and only of the call that began last, so that each word is shown once whatever was
 * asked again, came late or was read twice.
 */
#ifndef PARLEY_TALK_STATE_H
#define PARLEY_TALK_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "proto/keys.h"
#include "sight.h"

struct talk_state {
    char id[CONVERSATION_SIZE];
    void (*on_sight)(void *owner, const struct sight *sight);
    void *owner;
    struct talk_facts facts;
    char **names; /* owned; by seat, from 1; NULL unknown */
    size_t name_count;
    int64_t last_turn; /* of the transcript; 0 before the first */
    int64_t live_turn; /* being spoken; -1 nobody speaks */
    int64_t live_seat;
    char *live_call;        /* owned; NULL: nobody speaks */
    int64_t wait_turn;      /* it waits for a server; 0: none does */
    int64_t wait_seat;      /* whose; 0: the story, before turn 1 */
    int64_t wait_at_us;     /* as was told last */
    int64_t wait_shown_us;  /* and shown last */
    char wait_servers[128]; /* "local, cloud" */
};

/* `id` must be a valid one (conversation_id_valid). */
void talk_state_init(struct talk_state *talk, const char *id,
                     void (*on_sight)(void *owner, const struct sight *sight),
                     void *owner);
void talk_state_done(struct talk_state *talk);

/* An entry of K:transcript:<id>: its fields `kind` and `message`. A kind that we do not
 * know is passed over. */
void talk_state_transcript(struct talk_state *talk, struct str kind,
                           struct str document);

/* An entry of K:live:<id>; fields that are not there are empty or -1. */
struct talk_live {
    struct str kind; /* begin, delta, withdrawn, end, waiting */
    struct str call;
    int64_t turn;
    int64_t seat;
    struct str author;
    struct str text;
    struct str outcome;
    struct str servers;
    struct str reason;
    int64_t at_us; /* Redis time */
};
void talk_state_live(struct talk_state *talk, const struct talk_live *live);
/* Nobody reads the live stream any more: what is being spoken comes as a whole. */
void talk_state_mute(struct talk_state *talk);
void talk_state_facts(struct talk_state *talk, const struct talk_facts *facts);
/* The transcript now ends with this turn (0: none), earlier than we knew. */
void talk_state_rewound(struct talk_state *talk, int64_t last_turn);

bool talk_state_ended(const struct talk_state *talk);
/* The persona's name as it came, "seat 2" while it is not known. `ret` holds at least
 * TALK_NAME_SIZE bytes. */
enum { TALK_NAME_SIZE = 256 };
void talk_state_speaker(const struct talk_state *talk, int64_t seat, char *ret);
/* "Ada Quill is thinking... 3.2 s   turn 5 of 12   2:41 left", harmless; empty when
 * there is nothing to say. A wait for servers is told again while it lasts: what is old
 * does not count. now_us is Redis' time. */
void talk_state_status(const struct talk_state *talk, int64_t now_us, struct buf *into);
/* "1:02:03", "2:41", "0:07". */
bool talk_state_clock(int64_t ms, struct buf *into);

#endif

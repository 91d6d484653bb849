/* talk.h - one conversation as the observer's screen knows it: sights in, lines out.
 *
 * Pure: no Redis, no clock, no terminal. A source (observer/source) tells what it sees
 * (talk_take.h); what is lacking the talk asks of its reader. Of a long conversation it
 * keeps a window of lines, at most TALK_LINES_MAX and TALK_BYTES_MAX: what lies
 * farthest from what is being looked at goes first, and is read again when somebody
 * scrolls there (notes, which stand in no transcript, are not). TALK_LINES_KEPT are
 * kept however large they are: the line that is looked at always has its neighbours.
 */
#ifndef PARLEY_OBSERVER_TALK_H
#define PARLEY_OBSERVER_TALK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "observer/model/talk_line.h"
#include "observer/model/talk_seat.h"
#include "proto/keys.h"
#include "proto/message.h"

enum {
    TALK_LINES_MAX = 1500,
    TALK_BYTES_MAX = 8 << 20,
    TALK_LINES_KEPT = 3,
    TALK_PAGE = 100 /* entries that a reader gives at a time */
};

enum talk_presence {
    TALK_ASKED,   /* nothing is known yet */
    TALK_HERE,    /* it is there */
    TALK_UNKNOWN, /* the source knows none of that id */
    TALK_LOST,    /* it was there, and is no more */
    TALK_PRESENCE_COUNT
};
const char *talk_presence_name(enum talk_presence presence);

/* The request of a seat's last call, as it was sent. */
struct talk_asked {
    int64_t seat;    /* 0: none was wanted */
    bool answered;   /* the source has said what it has */
    struct buf text; /* JSON, as stored: not harmless; empty: there is none */
};

/* Who reads what is lacking, and answers later (or at once) by talk_take.h. */
struct talk_reader {
    /* At most TALK_PAGE entries before (else behind) that one. */
    void (*page)(void *owner, bool older, const struct tail_id *from);
    void (*asked)(void *owner, int64_t seat); /* NULL: it cannot tell */
    void *owner;
};

struct talk {
    char id[CONVERSATION_SIZE];
    struct talk_facts facts; /* `state` is empty while nothing is known */
    enum talk_presence presence;
    struct talk_line **lines; /* owned, by serial: the window */
    size_t count;
    size_t bytes;
    bool has_head;         /* the window begins where the transcript begins */
    bool has_tail;         /* it ends with what came last */
    bool paging;           /* a page was asked for and is not here yet, */
    bool paging_older;     /* this one */
    struct tail_id newest; /* the last entry taken */
    int64_t taken;         /* turns that came, of all that were taken */
    int64_t counted_from;  /* turns in the seats' sums; 0: none yet */
    int64_t counted_to;
    struct talk_seat seats[SEATS_MAX]; /* seats[0] is seat 1 */
    size_t seat_count;
    struct buf setting;      /* the story: setting, then situation */
    struct buf waiting;      /* servers the turn waits for, "local, cloud"; or empty */
    int64_t waiting_turn;    /* which turn that is */
    int64_t waiting_seat;    /* and whose; 0: the story's, before turn 1 */
    struct talk_asked asked; /* what talk_want_asked brought */
    int64_t watched;         /* serial of the line looked at: it stays */
    int64_t next_serial;
    const struct talk_reader *reader; /* borrowed; NULL: nobody watches */
    void (*on_changed)(void *owner);
    /* A page is whole, the next may be asked for from here. Set by who wants to know;
     * may be called from inside talk_want_page. */
    void (*on_page)(void *owner);
    void *owner;
};

/* The caller owns it (talk_free). `id` must be a valid one. on_changed (or NULL) is
 * called at each change from inside the functions of talk_take.h. */
struct talk *talk_new(const char *id, void (*on_changed)(void *owner), void *owner);
void talk_free(struct talk *talk); /* NULL is fine */
/* A replay that goes back: as new, but for id, reader and owner. Serials go on. */
void talk_forget(struct talk *talk);

/* ---- for screens ---- */

/* The line that is looked at. Asks for a page where the window ends near it; so not
 * from inside on_changed. */
void talk_watch(struct talk *talk, int64_t serial);
/* Index of the line of that serial, else of the next lower one, else 0. */
size_t talk_find(const struct talk *talk, int64_t serial);
/* Asks for a page whatever is looked at. False: there is none, nobody to ask, or one
 * is on its way already. */
bool talk_want_page(struct talk *talk, bool older);
/* Lets go of the window; the new one begins behind that entry: {0} is the transcript's
 * begin, NULL stands for its last page. False: nobody to ask; nothing happened. */
bool talk_jump(struct talk *talk, const struct tail_id *behind);
/* Asks for the request of a seat's last call: talk->asked. */
void talk_want_asked(struct talk *talk, int64_t seat);
/* The persona's name, "seat 2" while it is not known, into `into`. */
void talk_name(const struct talk *talk, int64_t seat, struct buf *into);
bool talk_ended(const struct talk *talk);
/* The line of the turn being spoken; NULL: nobody speaks. */
struct talk_line *talk_speaking(const struct talk *talk);

#endif

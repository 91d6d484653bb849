/* live_talk_inside.h - the inside of live_talk.h, for live_talk.c and live_talk_ask.c.
 */
#ifndef PARLEY_LIVE_TALK_INSIDE_H
#define PARLEY_LIVE_TALK_INSIDE_H

#include <stdbool.h>
#include <stddef.h>

#include "net/loop.h"
#include "net/redis.h"
#include "observer/model/talk_take.h"
#include "observer/source/live_talk.h"
#include "observer/tail.h"
#include "observer/talk_state.h"

/* What becomes of the sights that talk_state makes of an entry. */
enum live_talk_use {
    USE_TAKE, /* it came */
    USE_CAST, /* story and personas, to be known */
    USE_PAGE  /* an answer to reader.page */
};

struct live_talk {
    struct live_talk_options options;
    struct tail *tail;
    struct loop_timer tick;
    struct talk_reader reader;
    struct talk *talk; /* borrowed; NULL: nothing is watched */
    struct talk_state state;
    struct talk_facts ended; /* told when all before it was read */
    struct tail_stream *transcript;
    struct tail_stream *words;
    struct tail_id seen; /* of the transcript, taken up to here */
    enum live_talk_use use;
    struct talk_from from; /* of the sights that are being made */
    bool page_full;
    bool asking;  /* the hash was asked for */
    bool reading; /* the first or the last entries were */
    bool loaded;
    bool has_cast;     /* the cast was read since the conversation began */
    bool ending;       /* the hash says ended */
    bool emptied;      /* the stream is empty, the hash tells what that means */
    unsigned requests; /* asked for and not answered: the last one is wanted */
};

/* Of the transcript. */
struct live_range {
    bool backwards;             /* the last one first */
    const struct tail_id *from; /* behind (before) that one; NULL: from the border */
    int count;
};

/* In live_talk_ask.c. False, and no answer: it was not asked. */
bool live_talk_ask(struct live_talk *live, const struct str *words, size_t count,
                   redis_on_answer *on_answer);
bool live_talk_range(struct live_talk *live, const struct live_range *range,
                     redis_on_answer *on_answer);
struct str live_talk_key(const struct live_talk *live, const char *what,
                         char key[KEY_SIZE]);
/* Item `i` of a reply to XRANGE or XREVRANGE; false: it is none. */
bool live_talk_entry(const struct redis_value *reply, size_t i, struct tail_id *ret_id,
                     const struct redis_value **ret_fields);
/* An entry's sights, by live->use. */
void live_talk_read(struct live_talk *live, struct talk_state *state,
                    const struct tail_id *id, const struct redis_value *fields);
void live_talk_ask_cast(struct live_talk *live);
/* For struct talk_reader. */
void live_talk_want_page(void *owner, bool older, const struct tail_id *from);
void live_talk_want_asked(void *owner, int64_t seat);

/* In live_talk.c, for talk_state. */
void live_talk_on_sight(void *owner, const struct sight *sight);

#endif

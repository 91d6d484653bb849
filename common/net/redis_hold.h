/* redis_hold.h - calls that Redis refused for the time being, and when to ask again.
 *
 * Internal to redis.c. A call that may be asked again and was refused by something that
 * passes (redis_error.h: WAIT, MOVE) is kept here; its owner hears nothing of it. After
 * a jittered back-off, 50 ms to 1 s, the oldest is sent as a probe (MOVE: over a new
 * connection). When it gets through the others follow, in their order. Calls made
 * meanwhile are sent as ever: a full Redis still takes what does not grow.
 *
 * Flow: CALM -(refused)-> WAITING -(timer)-> TRYING -(refused)-> WAITING ...
 *       TRYING -(probe passed)-> all are sent; 2 s without a refusal -> CALM
 */
#ifndef PARLEY_REDIS_HOLD_H
#define PARLEY_REDIS_HOLD_H

#include "base/episode.h"
#include "net/loop.h"
#include "net/redis_error.h"
#include "net/redis_queue.h"

enum { HOLD_TEXT_SIZE = 160 };

enum hold_state {
    HOLD_CALM,    /* nothing is refused */
    HOLD_WAITING, /* refused; the timer will try again */
    HOLD_TRYING   /* the probe is on its way or, where there is none, all may be well */
};
struct redis_hold {
    struct redis_queue calls; /* owned; in the order of sending */
    struct loop_timer timer;
    enum hold_state state;
    enum redis_class error;            /* of the last refusal */
    char text[HOLD_TEXT_SIZE];         /* its words, harmless, cut to fit */
    const struct redis_pending *probe; /* in the queue of the connection; NULL none */
    unsigned tries;                    /* since it was calm */
    int64_t refused_ms;                /* when the last refusal came; monotonic */
    struct episode told[REDIS_CLASS_COUNT];
};

void hold_init(struct redis *redis);
void hold_done(struct redis *redis); /* the calls must have been answered */
/* Redis refused the call with a WAIT or MOVE. True: it is kept, and owned here. */
bool hold_take(struct redis *redis, struct redis_pending *pending,
               enum redis_class error, struct str text);
/* The call was answered, well or not, by something that is no reason to wait. */
void hold_passed(struct redis *redis, const struct redis_pending *pending);
/* The call goes on as another one, with its script's text. */
void hold_replaced(struct redis *redis, const struct redis_pending *before,
                   const struct redis_pending *after);

#endif

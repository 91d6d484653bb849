/* redis_watch.h - sees to it that who reads a group is given what waits there.
 *
 * A connection may look alive and deliver nothing: a reader that was never resumed, a
 * proxy that lost its other side. So whoever could take work and got none for 3 s asks
 * XINFO GROUPS, over another connection and at most every 2 s, whether entries wait
 * undelivered, and where it says so XRANGE whether that is true. Twice yes: the reader
 * connects anew; if that does not help, again, and an error is logged once a minute. It
 * never takes an entry itself.
 *
 * Flow: on_tick -> look -> on_groups, on_unread ... -> judge -> redis_reconnect(reader)
 */
#ifndef PARLEY_REDIS_WATCH_H
#define PARLEY_REDIS_WATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/episode.h"
#include "net/loop.h"
#include "proto/keys.h"

struct redis;

enum { REDIS_WATCH_STREAMS_MAX = 32 };

struct redis_watch_options {
    struct redis *redis;  /* borrowed: asks */
    struct redis *reader; /* borrowed: is watched */
    const char *group;
    int64_t quiet_ms; /* nothing delivered for so long is suspicious; 0: 3000 */
    /* It would take something if it were given it. */
    bool (*wants)(void *owner);
    /* Puts the keys of the streams it reads into `keys`; returns how many. */
    size_t (*streams)(void *owner, char keys[REDIS_WATCH_STREAMS_MAX][KEY_SIZE]);
    void *owner;
};
struct redis_watch {
    struct redis_watch_options options;
    struct loop_timer timer;
    bool delivered;   /* since the last tick */
    int64_t since_ms; /* nothing was delivered, though wanted; monotonic */
    int64_t asked_ms; /* the last look */
    char keys[REDIS_WATCH_STREAMS_MAX][KEY_SIZE]; /* of this look */
    size_t answered;                              /* of them */
    size_t asking;                                /* answers awaited */
    size_t waiting;       /* streams with undelivered entries, as this look found */
    unsigned behind;      /* looks in a row that saw some */
    unsigned reconnects;  /* since something was last delivered */
    struct episode stuck; /* connecting anew did not help */
};

void redis_watch_start(struct redis_watch *watch, struct loop *loop,
                       const struct redis_watch_options *options);
/* Entries came. */
void redis_watch_delivered(struct redis_watch *watch);
void redis_watch_stop(struct redis_watch *watch);

#endif

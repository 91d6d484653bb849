/* redis_conn.h - what the files of the connection share: its body and its steps.
 *
 * Internal. redis.c holds the functions of redis.h and the timer, redis_conn.c begins
 * and ends connections, redis_talk.c writes and reads on one.
 *
 * A connection is ended in two steps: conn_break closes it at once, wherever we are,
 * and calls nobody; conn_lost, from the timer at the next turn of the loop, answers
 * what is lost. So no callback comes from inside redis_send or redis_reconnect, and the
 * read loop need only look at the state after each callback.
 *
 * Flow: WAITING -(timer)-> conn_start -> CONNECTING -(writable)-> conn_greet -> HELLO
 *       -(INFO answered)-> conn_ready -> READY -> conn_flush, conn_read, ...
 *       any of the three -> conn_break -> BROKEN -(timer)-> conn_lost -> WAITING
 */
#ifndef PARLEY_REDIS_CONN_H
#define PARLEY_REDIS_CONN_H

#include "base/rng.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_hello.h"
#include "net/redis_hold.h"
#include "net/redis_queue.h"
#include "net/redis_socket.h"

struct redis_reader;

enum redis_state {
    RS_WAITING,    /* no connection; the timer will start one */
    RS_CONNECTING, /* connect() is under way */
    RS_HELLO,      /* connected; the greeting is not answered yet */
    RS_READY,      /* calls go out */
    RS_BROKEN,     /* closed; the timer will tell who waits */
    RS_CLOSING,    /* redis_free is at work */
    RS_STATE_COUNT
};

struct redis {
    struct loop *loop;          /* borrowed */
    struct redis_target target; /* owned */
    char *where;                /* owned; the target without its password */
    char *name;                 /* owned or NULL */
    int64_t connect_timeout_ms;
    int64_t greeting_timeout_ms;
    int64_t command_timeout_ms;
    size_t queue_max;
    void (*on_ready)(void *owner, bool restarted);
    void (*on_down)(void *owner, const struct err *err);
    void (*on_fatal)(void *owner, const struct err *err);
    void *owner;

    enum redis_state state;
    int fd; /* -1: none */
    struct loop_io io;
    struct loop_timer timer;
    struct loop_hook hook;
    struct redis_route route;
    struct redis_reader *reader; /* owned; made anew for each connection */
    struct redis_queue greeting; /* the calls of redis_hello */
    struct redis_queue calls;    /* those of the users */
    struct redis_queue lost;     /* about to be answered REDIS_LOST */
    struct redis_hold hold;      /* refused for now */
    struct redis_hello hello;
    char run_id[REDIS_RUN_ID_SIZE]; /* of the server before; "" at first */

    struct err reason;   /* why it was broken; ERR_NONE: because we were asked to */
    bool at_once;        /* reconnect without back-off */
    bool proved;         /* this connection answered a call */
    bool fatal_told;     /* on_fatal was called */
    unsigned failures;   /* attempts and short-lived connections in a row */
    int64_t ready_ms;    /* when READY was reached */
    int64_t arrival_us;  /* when bytes last came */
    int64_t progress_us; /* last answer; last write of a call no answer is awaited of */
    int64_t alarm_us;    /* when the timer fires in READY; INT64_MAX: it does not run */
    int in_callback;     /* depth: redis_free asserts on it */
    struct rng rng;      /* for the jitter */
};

/* ---- redis_conn.c ---- */
/* One attempt, at the first address of the target. */
void conn_start(struct redis *redis);
/* This address does not work: the next one, or the end of the attempt. */
void conn_failed(struct redis *redis, const char *reason);
/* connect() has come to its end, well or not. */
void conn_greet(struct redis *redis);
/* The greeting is answered. */
void conn_ready(struct redis *redis);
/* Closes now; who waits is told at the next turn. With a reason of NULL nothing went
 * wrong: somebody asked for it. */
void conn_break(struct redis *redis, const struct err *reason);
void conn_break_saying(struct redis *redis, const char *format, ...) PRINTF_LIKE(2, 3);
/* The second step of the end: answers REDIS_LOST, tells on_down. */
void conn_lost(struct redis *redis);
void conn_close(struct redis *redis); /* the descriptor alone */
/* Tells on_fatal, the first time. */
void conn_fatal(struct redis *redis, const struct err *err);
void conn_set_state(struct redis *redis, enum redis_state state); /* and traces it */
bool conn_is_open(const struct redis *redis);

/* ---- redis_talk.c ---- */
/* Gives the kernel what it takes. Calls nobody. */
void conn_flush(struct redis *redis);
/* Reads what is there and answers what it completes. */
void conn_read(struct redis *redis);
/* The call goes to its owner, or to the log. Not freed. */
void conn_answer(struct redis *redis, const struct redis_pending *pending,
                 enum redis_outcome outcome, const struct redis_value *value);
/* All calls of the queue, which is empty afterwards. */
void conn_answer_all(struct redis *redis, struct redis_queue *queue,
                     enum redis_outcome outcome);

#endif

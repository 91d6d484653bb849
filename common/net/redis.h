/* redis.h - one connection to Redis on the loop, that comes back by itself.
 *
 * hiredis' formatter and reader under a connection of our own: its async layer aborts
 * the process on a surplus reply and has no deadlines (docs/architecture.md tells
 * more). RESP2 only. A program uses two: one for commands, one for blocking reads.
 *
 * Every call is answered exactly once, in the order of sending (a script the server had
 * to be taught is sent again, behind the calls that followed it). Calls of one turn of
 * the loop leave together, before the loop waits. A connection that is lost, or whose
 * oldest call is overdue, is closed; calls marked `again` (scripts: all of ours may be
 * asked twice) are kept and sent anew, in order, after the reconnect, the others are
 * answered REDIS_LOST: they may have run or not. Calls marked `again` that the server
 * refuses for a reason that passes (redis_error.h: loading, out of memory, read-only)
 * are kept too, and sent anew with back-off until they are taken; the others are
 * answered REDIS_REFUSED. Reconnects use jittered back-off, 50 to 500 ms. Calls made
 * while there is no connection wait in a bounded queue, as long as it takes. Callbacks
 * come from the loop only, never from inside a function of this header but redis_free;
 * inside one, all functions but redis_free may be called.
 *
 * Flow: redis_new -> connecting -> hello (AUTH, SELECT, CLIENT SETNAME, INFO server)
 *       -> ready -> ... -> lost -> back-off -> connecting -> ...
 */
#ifndef PARLEY_REDIS_H
#define PARLEY_REDIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/str.h"
#include "net/redis_target.h"
#include "net/redis_value.h"

struct loop;
struct redis;

enum redis_outcome {
    REDIS_OK,        /* value is the reply (never REDIS_ERROR at the top) */
    REDIS_REFUSED,   /* value is the error reply */
    REDIS_LOST,      /* no reply: may have run or not; value is NULL */
    REDIS_CANCELLED, /* redis_free while it waited; value is NULL */
    REDIS_OUTCOME_COUNT
};
const char *redis_outcome_name(enum redis_outcome outcome);

struct redis_answer {
    enum redis_outcome outcome;
    const struct redis_value *value;
    int64_t round_trip_us; /* from the write of the call's last sending to the reply */
};
typedef void redis_on_answer(void *owner, const struct redis_answer *answer);

/* ---- asking ---- */
struct redis_call {
    size_t argc;
    const struct str *argv; /* borrowed during redis_send; bytes may hold anything */
    redis_on_answer *on_answer; /* NULL: nobody cares (a refusal is logged) */
    void *owner;
    int64_t timeout_ms; /* 0: command_timeout_ms; from the sending or, if that came
                         * later, from the reply before */
    bool again;         /* may be sent twice: is kept over a lost connection and over
                         * a refusal that passes */
};
/* False (and no callback) only when the queue is full or the connection is closing. */
MUST_USE bool redis_send(struct redis *redis, const struct redis_call *call);

/* A Lua script: EVALSHA first, EVAL when the server does not know it. */
struct redis_script {
    const char *name;
    const char *text;
    size_t text_len;
    const char *sha1; /* 40 hex digits */
};
/* argv: keys then arguments; always `again`. */
struct redis_eval {
    const struct redis_script *script;
    size_t keys;
    size_t argc; /* keys and arguments together */
    const struct str *argv;
    redis_on_answer *on_answer;
    void *owner;
};
MUST_USE bool redis_eval(struct redis *redis, const struct redis_eval *eval);

/* Calls of this owner are answered no more (it goes away). They still run. */
void redis_forget(struct redis *redis, const void *owner);

/* ---- the connection ---- */
struct redis_options {
    const struct redis_target *target; /* copied */
    const char *name;                  /* CLIENT SETNAME; copied; NULL none */
    int64_t connect_timeout_ms;        /* 0: 2000, and 5000 for the greeting */
    int64_t command_timeout_ms;        /* 0: 5000 */
    size_t queue_max;                  /* calls waiting or in flight; 0: 100000 */
    /* Ready to be used, first time or again. `restarted`: the server's run_id is
     * another than before. May be NULL. */
    void (*on_ready)(void *owner, bool restarted);
    /* Not reachable, or refuses us (wrong password); tried again all the same. Called
     * at each failed attempt and at each loss: ERR_REDIS, "<url>: <reason>". */
    void (*on_down)(void *owner, const struct err *err);
    /* The server refuses us for good (password, rights, a cluster): ERR_DENIED, "<url>:
     * <reason>". Once; the program should end. May be NULL. */
    void (*on_fatal)(void *owner, const struct err *err);
    void *owner;
};
/* Begins to connect at the next turn of the loop. A host that is not an address is
 * looked up with getaddrinfo, which blocks: at each attempt until that worked once,
 * then when all its addresses failed, at most every 10 s. */
struct redis *redis_new(struct loop *loop, const struct redis_options *options);
/* Answers what waits with REDIS_CANCELLED, closes. Not inside a callback of its own.
 * NULL is fine. */
void redis_free(struct redis *redis);
bool redis_ready(const struct redis *redis);
/* Connected, and its greeting not answered yet. */
bool redis_greeting(const struct redis *redis);
size_t redis_waiting(const struct redis *redis); /* calls not answered yet */
/* True after an attempt that failed because the server does not want us (password,
 * database, not a Redis): trying again will hardly help. */
bool redis_refused(const struct redis *redis);
/* Drops the connection and connects again at once (a stuck reader, another server);
 * on_down is not called for it. Not from on_down: that would spin. */
void redis_reconnect(struct redis *redis);
/* Writes are refused for now (out of memory, disk trouble, read-only, no replica): take
 * no new work whose result could not be stored. */
bool redis_refuses_writes(const struct redis *redis);
/* What the server says while it refuses calls for now, harmless to show; NULL: it does
 * not. Valid until the next turn of the loop. */
const char *redis_refusal(const struct redis *redis);
/* on_down, on_ready and their owner; on_fatal is dropped when the owner is NULL. */
void redis_set_handlers(struct redis *redis,
                        void (*on_ready)(void *owner, bool restarted),
                        void (*on_down)(void *owner, const struct err *err),
                        void *owner);

#endif

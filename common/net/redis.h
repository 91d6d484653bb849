/* redis.h - one connection to Redis on the loop, that comes back by itself.
 *
 * hiredis' formatter and reader under a connection of our own: its async layer aborts
 * the process on a surplus reply and has no deadlines (docs/architecture.md tells
 * more). RESP2 only. A program uses two: one for commands, one for blocking reads,
 * since a blocked connection can do nothing else.
 *
 * Every call is answered exactly once, in the order of sending. A connection that is
 * lost, or whose oldest call is overdue, is closed; calls marked `again` (scripts: all
 * of ours may be asked twice) are kept and sent anew after the reconnect, the others
 * are answered REDIS_LOST: they may have run or not. Reconnects use jittered back-off,
 * 50 ms to 2 s. Calls made while there is no connection wait in a bounded queue.
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

struct loop;
struct redis;

/* ---- where ---- */
struct redis_target {
    char *host; /* owned; NULL for a Unix socket */
    int port;
    char *path;     /* owned; Unix socket, else NULL */
    char *user;     /* owned or NULL */
    char *password; /* owned or NULL */
    int db;
};
/* redis://[user[:password]@]host[:port][/db], redis://host?db=n,
 * unix:///path?db=n or redis+unix://..., percent-escapes decoded. */
MUST_USE bool redis_target_parse(const char *url, struct redis_target *ret_target,
                                 struct err *err);
void redis_target_done(struct redis_target *target);
/* The URL without its password, for people and logs; caller frees. */
char *redis_target_text(const struct redis_target *target);

/* ---- what came back: valid inside the callback only ---- */
enum redis_kind {
    REDIS_NIL,
    REDIS_TEXT, /* bulk or status */
    REDIS_INTEGER,
    REDIS_ARRAY,
    REDIS_ERROR
};
struct redis_value {
    enum redis_kind kind;
    int64_t integer;
    struct str text; /* REDIS_TEXT, REDIS_ERROR */
    size_t count;
    const struct redis_value *const *items; /* REDIS_ARRAY */
};
/* Item i of an array, or a REDIS_NIL value when there is none. Never NULL. */
const struct redis_value *redis_item(const struct redis_value *value, size_t i);
/* The text of item i; integers are not converted; empty when it is something else. */
struct str redis_item_text(const struct redis_value *value, size_t i);
/* An integer item, or a text item that is a whole number; `otherwise` else. */
int64_t redis_item_i64(const struct redis_value *value, size_t i, int64_t otherwise);
/* In an array of field, value, field, value...: the value's text, empty if missing. */
struct str redis_field(const struct redis_value *pairs, const char *field);
int64_t redis_field_i64(const struct redis_value *pairs, const char *field,
                        int64_t otherwise);

enum redis_outcome {
    REDIS_OK,       /* value is the reply (never REDIS_ERROR at the top) */
    REDIS_REFUSED,  /* value is the error reply */
    REDIS_LOST,     /* no reply: may have run or not; value is NULL */
    REDIS_CANCELLED /* redis_free while it waited; value is NULL */
};
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
    int64_t timeout_ms; /* 0: the connection's command_timeout_ms */
    bool again;         /* may be sent twice: is kept over a lost connection */
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

/* Calls of this owner are not answered any more (the owner goes away). They still run.
 */
void redis_forget(struct redis *redis, const void *owner);

/* ---- the connection ---- */
struct redis_options {
    const struct redis_target *target; /* copied */
    const char *name;                  /* CLIENT SETNAME; copied; NULL none */
    int64_t connect_timeout_ms;        /* 0: 2000 */
    int64_t command_timeout_ms;        /* 0: 5000 */
    size_t queue_max;                  /* calls waiting or in flight; 0: 100000 */
    /* Ready to be used, first time or again. `restarted`: the server's run_id is
     * another than before. May be NULL. */
    void (*on_ready)(void *owner, bool restarted);
    /* Not reachable, or refuses us (wrong password); tried again all the same. Called
     * at each failed attempt and at each loss. May be NULL. */
    void (*on_down)(void *owner, const struct err *err);
    void *owner;
};
struct redis *redis_new(struct loop *loop, const struct redis_options *options);
/* Answers what waits with REDIS_CANCELLED, closes. Not inside a callback of its own. */
void redis_free(struct redis *redis);
bool redis_ready(const struct redis *redis);
size_t redis_waiting(const struct redis *redis); /* calls not answered yet */
/* Drops the connection and connects again at once (a stuck reader, another server). */
void redis_reconnect(struct redis *redis);

#endif

/* redis_queue.h - calls on their way: formatted, sent in order, awaiting an answer.
 *
 * Internal to redis.c. A call and its bytes are one allocation; the bytes go from there
 * to the kernel (gather) and stay until the answer, so that a call can be sent again.
 * Formatted by twenty lines of ours rather than by hiredis: that would cost a second
 * allocation and a copy for each call. RESP2, redis.io "Redis serialization protocol".
 */
#ifndef PARLEY_REDIS_QUEUE_H
#define PARLEY_REDIS_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/redis.h"

struct iovec;

struct redis_pending {
    struct redis_pending *next;
    redis_on_answer *on_answer; /* NULL: nobody cares */
    void *owner;
    const struct redis_script *script; /* borrowed; NULL for a plain command */
    int64_t timeout_us;
    int64_t sent_us; /* when its first byte was offered to the kernel; 0 not yet */
    bool again;      /* may be sent twice */
    bool taught;     /* sent as EVAL, text and all */
    size_t words;    /* of the command, for the EVAL made from an EVALSHA */
    size_t rest_at;  /* where the words behind the script begin in bytes */
    size_t len;
    char bytes[];
};

/* In the order of sending: [head ... those fully sent][unsent ... tail]. */
struct redis_queue {
    struct redis_pending *head;   /* owned, as all that follow it */
    struct redis_pending *tail;   /* NULL when empty */
    struct redis_pending *unsent; /* NULL when all were sent */
    size_t written;               /* bytes of `unsent` the kernel has taken */
    size_t count;
};

/* Owned by the caller, to be given to free(). timeout_ms stands for a 0 in the call. */
struct redis_pending *redis_pending_new(const struct redis_call *call,
                                        int64_t timeout_ms);
struct redis_pending *redis_pending_eval(const struct redis_eval *eval,
                                         int64_t timeout_ms);
/* The same call as EVAL, with the script's text. */
struct redis_pending *redis_pending_teach(const struct redis_pending *pending);
/* The script's name or the command's first word, for the log. */
struct str redis_pending_name(const struct redis_pending *pending);

void redis_queue_push_take(struct redis_queue *queue, struct redis_pending *pending);
/* Before all others; of a queue nothing of which was sent. */
void redis_queue_push_front_take(struct redis_queue *queue,
                                 struct redis_pending *pending);
/* The oldest call that was fully sent, NULL if there is none; the caller owns it. */
struct redis_pending *redis_queue_pop_sent(struct redis_queue *queue);
/* The oldest of all, NULL when empty; the caller owns it. */
struct redis_pending *redis_queue_pop(struct redis_queue *queue);
/* Fills up to max pieces with what is to be sent; returns how many. Calls touched for
 * the first time are stamped with now_us. */
int redis_queue_gather(struct redis_queue *queue, struct iovec *pieces, int max,
                       int64_t now_us);
/* The kernel took that many bytes. */
void redis_queue_wrote(struct redis_queue *queue, size_t bytes);
/* The connection is gone: all is unsent again, but calls that were fully sent and may
 * not be repeated move to `lost`. */
void redis_queue_rewind(struct redis_queue *queue, struct redis_queue *lost);
/* Clears on_answer of this owner's calls. */
void redis_queue_forget(struct redis_queue *queue, const void *owner);
/* Frees the calls without answering them. */
void redis_queue_clear(struct redis_queue *queue);

#endif

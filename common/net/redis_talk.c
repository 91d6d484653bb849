/* redis_talk.c - bytes out, bytes in, answers to their owners; see redis_conn.h. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/redis_conn.h"
#include "net/redis_reader.h"

enum {
    FLUSH_PIECES = 256, /* calls in one sendmsg */
    READ_BYTES = 16384, /* hiredis shifts what is left after each feed: small feeds */
    READ_ROUNDS = 32    /* then the others of the loop have their turn */
};

/* ---- writing ---- */

static struct redis_queue *queue_to_write(struct redis *redis)
{
    if (redis->state == RS_READY)
        return &redis->calls;
    return redis->state == RS_HELLO ? &redis->greeting : NULL;
}

/* Passes the fault points of scripts that are wholly sent now; `from` was the first
 * that was not. */
static bool cut_when_sent(const struct redis_queue *queue,
                          const struct redis_pending *from)
{
    bool cut = false;

    for (; FAULTS_BUILT && from != queue->unsent; from = from->next)
        cut |= from->script && fault_script(from->script->name, "sent") == FAULT_CUT;
    return cut;
}

/* Gives the kernel what it takes; WRITE is watched only while it does not take all. */
void conn_flush(struct redis *redis)
{
    struct redis_queue *queue = queue_to_write(redis);
    struct iovec pieces[FLUSH_PIECES];

    while (queue && queue->unsent) {
        const struct redis_pending *first = queue->unsent;
        int64_t now_us = clock_mono_us();
        int count = redis_queue_gather(queue, pieces, FLUSH_PIECES, now_us);
        struct msghdr message = {.msg_iov = pieces, .msg_iovlen = (size_t)count};
        ssize_t n = sendmsg(redis->fd, &message, MSG_NOSIGNAL);

        if (n >= 0) {
            /* While something awaits its answer, only answers are progress. */
            if (queue->head == queue->unsent)
                redis->progress_us = now_us;
            redis_queue_wrote(queue, (size_t)n);
            if (cut_when_sent(queue, first)) {
                conn_break_saying(redis, "cut by a fault");
                return;
            }
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            conn_break_saying(redis, "writing: %s", strerror(errno));
            return;
        }
    }
    if (queue)
        loop_io_watch(&redis->io, redis->fd,
                      queue->unsent ? LOOP_READ | LOOP_WRITE : LOOP_READ);
}

/* ---- answering ---- */

/* Told of already, once a minute: redis_hold.c. */
static bool passes(struct str text)
{
    enum redis_remedy remedy = redis_class_remedy(redis_class_of(text));

    return remedy == REDIS_WAIT || remedy == REDIS_MOVE;
}

void conn_answer(struct redis *redis, const struct redis_pending *pending,
                 enum redis_outcome outcome, const struct redis_value *value)
{
    struct redis_answer result = {.outcome = outcome,
                                  .value = value,
                                  .round_trip_us =
                                      value ? redis->arrival_us - pending->sent_us : 0};

    assert(value || outcome == REDIS_LOST || outcome == REDIS_CANCELLED);
    if (pending->on_answer) {
        redis->in_callback++;
        pending->on_answer(pending->owner, &result);
        redis->in_callback--;
    } else if (outcome == REDIS_REFUSED && !passes(value->text)) {
        struct str name = redis_pending_name(pending);

        log_warn("redis", "refused call=%.*s text=\"%s\"", (int)name.len, name.at,
                 log_safe(value->text));
    }
}

void conn_answer_all(struct redis *redis, struct redis_queue *queue,
                     enum redis_outcome outcome)
{
    struct redis_pending *pending;

    while ((pending = redis_queue_pop(queue)) != NULL) {
        conn_answer(redis, pending, outcome, NULL);
        free(pending);
    }
}

/* ---- reading ---- */

static void hello_answered(struct redis *redis, const struct redis_value *value)
{
    struct redis_pending *asked = redis_queue_pop_sent(&redis->greeting);
    struct err err = {0};

    if (fault_point("redis.hello") == FAULT_CUT) {
        conn_break_saying(redis, "cut by a fault");
        free(asked);
        return;
    }
    if (!asked) {
        conn_break_saying(redis, "a reply nobody asked for");
        return;
    }
    if (!redis_hello_judge(&redis->hello, asked, value, &err))
        conn_break(redis, &err);
    else if (!redis->greeting.head)
        conn_ready(redis);
    free(asked);
}

/* The reply of a script is lost at the last moment; the call stays where it is. */
static bool cut_before_told(struct redis *redis)
{
    const struct redis_pending *oldest = redis->calls.head;

    if (!oldest || oldest == redis->calls.unsent || !oldest->script
        || fault_script(oldest->script->name, "answered") != FAULT_CUT)
        return false;
    conn_break_saying(redis, "cut by a fault");
    return true;
}

static void teach(struct redis *redis, const struct redis_pending *pending)
{
    struct redis_pending *whole = redis_pending_teach(pending);

    hold_replaced(redis, pending, whole);
    redis_queue_push_take(&redis->calls, whole);
    if (fault_point("redis.teach") == FAULT_CUT)
        conn_break_saying(redis, "cut by a fault");
}

/* Takes the call: it is sent again, kept for later, or answered and freed. */
static void call_refused(struct redis *redis, struct redis_pending *pending,
                         const struct redis_value *value)
{
    enum redis_class error = redis_class_of(value->text);
    enum redis_remedy remedy = redis_class_remedy(error);
    struct err err = {0};

    if ((remedy == REDIS_WAIT || remedy == REDIS_MOVE)
        && hold_take(redis, pending, error, value->text))
        return;
    if (remedy == REDIS_TEACH && pending->script && !pending->taught) {
        teach(redis, pending);
        free(pending);
        return;
    }
    hold_passed(redis, pending);
    conn_answer(redis, pending, REDIS_REFUSED, value);
    if (remedy == REDIS_FATAL) {
        struct str name = redis_pending_name(pending);

        redis_class_explain(error, value->text, &err);
        err_wrap(&err, "%s: %.*s refused", redis->where, (int)name.len, name.at);
        conn_fatal(redis, &err);
    }
    free(pending);
}

static void call_answered(struct redis *redis, const struct redis_value *value)
{
    struct redis_pending *pending;

    if (cut_before_told(redis))
        return;
    pending = redis_queue_pop_sent(&redis->calls);
    if (!pending) {
        conn_break_saying(redis, "a reply nobody asked for");
        return;
    }
    redis->proved = true;
    redis->progress_us = redis->arrival_us;
    if (value->kind == REDIS_ERROR) {
        call_refused(redis, pending, value);
        return;
    }
    hold_passed(redis, pending);
    conn_answer(redis, pending, REDIS_OK, value);
    free(pending);
}

/* Takes bytes in and answers what they complete. */
static void conn_take(struct redis *redis, struct str bytes)
{
    const struct redis_value *value = NULL;
    struct err err = {0};
    bool ok = redis_reader_feed(redis->reader, bytes, &err);

    redis->arrival_us = clock_mono_us();
    while (ok && conn_is_open(redis)) {
        ok = redis_reader_next(redis->reader, &value, &err);
        if (!ok || !value)
            break;
        if (redis->state == RS_HELLO)
            hello_answered(redis, value);
        else
            call_answered(redis, value);
    }
    if (!ok)
        conn_break_saying(redis, "%s", err.msg);
}

void conn_read(struct redis *redis)
{
    char bytes[READ_BYTES];

    if (conn_is_open(redis) && fault_point("redis.read") == FAULT_CUT) {
        conn_break_saying(redis, "cut by a fault");
        return;
    }
    for (int i = 0; i < READ_ROUNDS && conn_is_open(redis); i++) {
        ssize_t n = recv(redis->fd, bytes, sizeof(bytes), 0);

        if (n > 0) {
            conn_take(redis, str_make(bytes, (size_t)n));
            if ((size_t)n < sizeof(bytes))
                return;
        } else if (n == 0) {
            conn_break_saying(redis, "closed by the server");
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            return;
        } else if (errno != EINTR) {
            conn_break_saying(redis, "reading: %s", strerror(errno));
        }
    }
}

/* redis_queue.c - see redis_queue.h.
 *
 * Flow: pending_new/eval -> push_take -> gather, wrote (perhaps in pieces) -> pop_sent;
 *       or, when the connection goes: rewind, and gather again.
 */
#include "net/redis_queue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "base/alloc.h"

enum { EVAL_HEAD_WORDS = 2 }; /* EVALSHA <sha1>, or EVAL <text> */

/* The words of a command: a few of ours, then the caller's. */
struct words {
    size_t head_count;
    const struct str *head;
    size_t rest_count;
    const struct str *rest;
};

/* ---- formatting ---- */

static size_t digits_of(size_t number)
{
    size_t digits = 1;

    while (number >= 10) {
        number /= 10;
        digits++;
    }
    return digits;
}

static size_t word_size(struct str word)
{
    return 1 + digits_of(word.len) + 2 + word.len + 2;
}

static size_t words_size(const struct str *words, size_t count)
{
    size_t size = 0;

    for (size_t i = 0; i < count; i++)
        size += word_size(words[i]);
    return size;
}

/* "*12\r\n" or "$12\r\n". */
static char *put_count(char *at, char mark, size_t number)
{
    size_t digits = digits_of(number);

    *at++ = mark;
    for (size_t i = digits; i-- > 0; number /= 10)
        at[i] = (char)('0' + number % 10);
    at += digits;
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

static char *put_words(char *at, const struct str *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        at = put_count(at, '$', words[i].len);
        if (words[i].len > 0)
            memcpy(at, words[i].at, words[i].len);
        at += words[i].len;
        *at++ = '\r';
        *at++ = '\n';
    }
    return at;
}

static struct redis_pending *pending_make(const struct words *words)
{
    size_t count = words->head_count + words->rest_count;
    size_t head_size =
        1 + digits_of(count) + 2 + words_size(words->head, words->head_count);
    size_t size = head_size + words_size(words->rest, words->rest_count);
    struct redis_pending *pending = x_malloc(sizeof(*pending) + size);
    char *at = pending->bytes;

    assert(count > 0);
    *pending =
        (struct redis_pending){.words = count, .rest_at = head_size, .len = size};
    at = put_count(at, '*', count);
    at = put_words(at, words->head, words->head_count);
    at = put_words(at, words->rest, words->rest_count);
    assert(at == pending->bytes + size);
    return pending;
}

struct redis_pending *redis_pending_new(const struct redis_call *call,
                                        int64_t timeout_ms)
{
    struct words words = {.rest_count = call->argc, .rest = call->argv};
    struct redis_pending *pending = pending_make(&words);

    pending->on_answer = call->on_answer;
    pending->owner = call->owner;
    pending->again = call->again;
    pending->timeout_us = (call->timeout_ms > 0 ? call->timeout_ms : timeout_ms) * 1000;
    return pending;
}

struct redis_pending *redis_pending_eval(const struct redis_eval *eval,
                                         int64_t timeout_ms)
{
    char keys[24];
    struct str head[EVAL_HEAD_WORDS + 1] = {str_of("EVALSHA"),
                                            str_make(eval->script->sha1, 40)};
    struct words words = {EVAL_HEAD_WORDS + 1, head, eval->argc, eval->argv};
    struct redis_pending *pending;

    assert(eval->keys <= eval->argc);
    fmt_into(keys, sizeof(keys), "%zu", eval->keys);
    head[EVAL_HEAD_WORDS] = str_of(keys);
    pending = pending_make(&words);
    /* An EVAL begins to differ at the sha1 and is the same from the key count on. */
    pending->rest_at -= word_size(head[EVAL_HEAD_WORDS]);
    pending->script = eval->script;
    pending->on_answer = eval->on_answer;
    pending->owner = eval->owner;
    pending->again = true;
    pending->timeout_us = timeout_ms * 1000;
    return pending;
}

struct redis_pending *redis_pending_teach(const struct redis_pending *pending)
{
    const struct redis_script *script = pending->script;
    struct str head[EVAL_HEAD_WORDS] = {str_of("EVAL"),
                                        str_make(script->text, script->text_len)};
    size_t rest_size = pending->len - pending->rest_at;
    size_t head_size =
        1 + digits_of(pending->words) + 2 + words_size(head, EVAL_HEAD_WORDS);
    struct redis_pending *whole = x_malloc(sizeof(*whole) + head_size + rest_size);
    char *at = whole->bytes;

    *whole = *pending;
    whole->next = NULL;
    whole->taught = true;
    whole->sent_us = 0;
    whole->rest_at = head_size;
    whole->len = head_size + rest_size;
    at = put_count(at, '*', whole->words);
    at = put_words(at, head, EVAL_HEAD_WORDS);
    assert(at == whole->bytes + head_size);
    memcpy(at, pending->bytes + pending->rest_at, rest_size);
    return whole;
}

struct str redis_pending_name(const struct redis_pending *pending)
{
    struct str line;
    struct str rest = str_make(pending->bytes, pending->len);

    if (pending->script)
        return str_of(pending->script->name);
    str_cut(rest, '\n', &rest); /* *2\r\n$4\r\nPING\r\n... */
    str_cut(rest, '\n', &rest);
    line = str_cut(rest, '\r', &rest);
    return line;
}

/* ---- the queue ---- */

void redis_queue_push_take(struct redis_queue *queue, struct redis_pending *pending)
{
    pending->next = NULL;
    if (queue->tail)
        queue->tail->next = pending;
    else
        queue->head = pending;
    queue->tail = pending;
    if (!queue->unsent)
        queue->unsent = pending;
    queue->count++;
}

void redis_queue_push_front_take(struct redis_queue *queue,
                                 struct redis_pending *pending)
{
    assert(queue->unsent == queue->head && queue->written == 0);
    pending->next = queue->head;
    queue->head = queue->unsent = pending;
    if (!queue->tail)
        queue->tail = pending;
    queue->count++;
}

struct redis_pending *redis_queue_pop(struct redis_queue *queue)
{
    struct redis_pending *oldest = queue->head;

    if (!oldest)
        return NULL;
    if (queue->unsent == oldest) {
        queue->unsent = oldest->next;
        queue->written = 0;
    }
    queue->head = oldest->next;
    if (!queue->head)
        queue->tail = NULL;
    queue->count--;
    return oldest;
}

struct redis_pending *redis_queue_pop_sent(struct redis_queue *queue)
{
    return queue->head == queue->unsent ? NULL : redis_queue_pop(queue);
}

int redis_queue_gather(struct redis_queue *queue, struct iovec *pieces, int max,
                       int64_t now_us)
{
    size_t skip = queue->written;
    int n = 0;

    for (struct redis_pending *at = queue->unsent; at && n < max; at = at->next) {
        if (at->sent_us == 0)
            at->sent_us = now_us;
        pieces[n].iov_base = at->bytes + skip;
        pieces[n].iov_len = at->len - skip;
        skip = 0;
        n++;
    }
    return n;
}

void redis_queue_wrote(struct redis_queue *queue, size_t bytes)
{
    while (bytes > 0) {
        size_t left = queue->unsent->len - queue->written;

        if (bytes < left) {
            queue->written += bytes;
            return;
        }
        bytes -= left;
        queue->unsent = queue->unsent->next;
        queue->written = 0;
    }
}

void redis_queue_rewind(struct redis_queue *queue, struct redis_queue *lost)
{
    struct redis_queue all = *queue;
    struct redis_pending *pending;

    *queue = (struct redis_queue){0};
    while ((pending = redis_queue_pop_sent(&all)) != NULL) {
        pending->sent_us = 0;
        redis_queue_push_take(pending->again ? queue : lost, pending);
    }
    /* What was sent in part cannot have run: a command is read whole or not at all. */
    while ((pending = redis_queue_pop(&all)) != NULL) {
        pending->sent_us = 0;
        redis_queue_push_take(queue, pending);
    }
}

void redis_queue_forget(struct redis_queue *queue, const void *owner)
{
    for (struct redis_pending *at = queue->head; at; at = at->next)
        if (at->owner == owner)
            at->on_answer = NULL;
}

void redis_queue_clear(struct redis_queue *queue)
{
    struct redis_pending *pending;

    while ((pending = redis_queue_pop(queue)) != NULL)
        free(pending);
}

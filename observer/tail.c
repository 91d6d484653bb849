/* tail.c - see tail.h. */
#include "tail.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/loop.h"
#include "net/redis.h"
#include "proto/keys.h"

enum {
    FEW_STREAMS = 8,   /* more are read at a measured pace: */
    PACE_MS = 100,     /* each reading costs Redis a look at every stream */
    REFUSED_MS = 1000, /* wait after an error reply (LOADING, a foreign key) */
    HEAD_WORDS = 6     /* XREAD COUNT n BLOCK ms STREAMS */
};

struct tail_stream {
    struct tail *tail;
    const struct tail_kind *kind;
    void *owner;
    char key[KEY_SIZE];
    struct tail_id seen;    /* given out up to here */
    struct tail_id checked; /* as `seen` was when its end was asked for */
    bool asked;             /* the reading on its way asks for this stream */
    bool dropped;           /* freed before the next reading */
};

struct tail {
    struct loop *loop;
    struct redis *redis;
    struct tail_stream **streams; /* owned, as what it points to; in order of adding */
    size_t count;
    struct loop_timer again; /* the next reading */
    bool reading;            /* an XREAD is on its way */
    size_t checking;         /* looks at stream ends on their way */
    bool held;
    bool greeted; /* was connected before */
    void (*on_denied)(void *owner, const struct err *err);
    void *owner;
};

static void tail_read(struct tail *tail);

static void read_soon(struct tail *tail, int64_t after_ms)
{
    if (!tail->reading && tail->checking == 0)
        loop_timer_start(&tail->again, after_ms);
}

static void on_again(struct loop_timer *timer, void *owner)
{
    (void)timer;
    tail_read(owner);
}

/* ---- entries ---- */

/* One that was added meanwhile is not meant, though it may have the key of one that was
 * dropped: it is read from an id of its own. */
static struct tail_stream *find_key(struct tail *tail, struct str key)
{
    for (size_t i = 0; i < tail->count; i++)
        if (tail->streams[i]->asked && !tail->streams[i]->dropped
            && str_is(key, tail->streams[i]->key))
            return tail->streams[i];
    return NULL;
}

static void give_entries(struct tail_stream *stream, const struct redis_value *entries)
{
    for (size_t i = 0; i < entries->count && !stream->dropped; i++) {
        const struct redis_value *entry = redis_item(entries, i);
        struct tail_id id;

        if (!tail_id_parse(redis_item_text(entry, 0), &id)
            || tail_id_compare(&id, &stream->seen) <= 0)
            continue;
        stream->seen = id;
        stream->kind->on_entry(stream->owner, &id, redis_item(entry, 1));
    }
}

static void on_answer(void *owner, const struct redis_answer *answer)
{
    struct tail *tail = owner;

    tail->reading = false;
    switch (answer->outcome) {
    case REDIS_OK:
        for (size_t i = 0; i < answer->value->count; i++) {
            const struct redis_value *item = redis_item(answer->value, i);
            struct tail_stream *stream = find_key(tail, redis_item_text(item, 0));

            if (stream != NULL)
                give_entries(stream, redis_item(item, 1));
        }
        read_soon(tail, tail->count > FEW_STREAMS ? PACE_MS : 0);
        break;
    case REDIS_REFUSED:
        log_warn("tail", "reading streams refused, trying again error=%s",
                 log_safe(answer->value->text));
        read_soon(tail, REFUSED_MS);
        break;
    default: /* lost: the reconnect reads on; cancelled: the end */
        break;
    }
}

static void sweep(struct tail *tail)
{
    size_t kept = 0;

    for (size_t i = 0; i < tail->count; i++) {
        if (tail->streams[i]->dropped)
            free(tail->streams[i]);
        else
            tail->streams[kept++] = tail->streams[i];
    }
    tail->count = kept;
}

/* Key and id of each stream, behind the head of the command. */
static bool send_read(struct tail *tail, struct str *words, char (*ids)[TAIL_ID_SIZE])
{
    static const char *const head[HEAD_WORDS] = {"XREAD", "COUNT", "100",
                                                 "BLOCK", "500",   "STREAMS"};
    struct redis_call call = {.argc = HEAD_WORDS + 2 * tail->count,
                              .argv = words,
                              .on_answer = on_answer,
                              .owner = tail};

    for (size_t i = 0; i < HEAD_WORDS; i++)
        words[i] = str_of(head[i]);
    for (size_t i = 0; i < tail->count; i++) {
        tail->streams[i]->asked = true;
        tail_id_format(&tail->streams[i]->seen, ids[i]);
        words[HEAD_WORDS + i] = str_of(tail->streams[i]->key);
        words[HEAD_WORDS + tail->count + i] = str_of(ids[i]);
    }
    return redis_send(tail->redis, &call);
}

static void tail_read(struct tail *tail)
{
    struct str *words;
    char(*ids)[TAIL_ID_SIZE];

    if (tail->reading || tail->checking > 0 || tail->held || !redis_ready(tail->redis))
        return;
    sweep(tail);
    if (tail->count == 0)
        return;
    words = x_calloc(HEAD_WORDS + 2 * tail->count, sizeof *words);
    ids = x_calloc(tail->count, sizeof *ids);
    tail->reading = send_read(tail, words, ids);
    free(words);
    free(ids);
}

/* ---- after a reconnect ---- */

/* Of the newest lines that are left the first that is a turn: it tells how far the talk
 * has come; else the newest line. */
static const struct redis_value *newest_turn(const struct redis_value *entries)
{
    for (size_t i = 0; i < entries->count; i++) {
        const struct redis_value *fields = redis_item(redis_item(entries, i), 1);

        if (redis_field(fields, "turn").len > 0)
            return fields;
    }
    return redis_item(redis_item(entries, 0), 1);
}

static void on_checked(void *owner, const struct redis_answer *answer)
{
    struct tail_stream *stream = owner;
    struct tail *tail = stream->tail;
    struct tail_id last = {0};

    assert(tail->checking > 0);
    tail->checking--;
    /* What was read meanwhile lies behind what was asked about: it tells by itself. */
    if (answer->outcome == REDIS_OK && !stream->dropped
        && tail_id_compare(&stream->seen, &stream->checked) == 0) {
        const struct redis_value *entry = redis_item(answer->value, 0);
        bool is_empty = answer->value->count == 0;

        if ((is_empty || tail_id_parse(redis_item_text(entry, 0), &last))
            && tail_id_compare(&last, &stream->seen) < 0) {
            stream->seen = last;
            stream->kind->on_rewound(stream->owner, &last, newest_turn(answer->value));
        }
    }
    read_soon(tail, 0);
}

static void check(struct tail_stream *stream)
{
    char seen[TAIL_ID_SIZE];
    /* Not the stream's end: by now it may have grown past what we have seen. */
    struct str words[] = {str_of("XREVRANGE"), str_of(stream->key), {0},
                          str_of("-"),         str_of("COUNT"),     str_of("20")};
    struct redis_call call = {.argc = sizeof words / sizeof *words,
                              .argv = words,
                              .on_answer = on_checked,
                              .owner = stream};

    tail_id_format(&stream->seen, seen);
    words[2] = str_of(seen);
    stream->checked = stream->seen;
    if (redis_send(stream->tail->redis, &call))
        stream->tail->checking++;
}

static void on_ready(void *owner, bool restarted)
{
    struct tail *tail = owner;

    (void)restarted; /* a failover may rewind history without a new run id */
    if (tail->greeted)
        for (size_t i = 0; i < tail->count; i++)
            if (!tail->streams[i]->dropped)
                check(tail->streams[i]);
    tail->greeted = true;
    read_soon(tail, 0);
}

static void on_denied_here(void *owner, const struct err *err)
{
    struct tail *tail = owner;

    tail->on_denied(tail->owner, err);
}

/* ---- life ---- */

struct tail *tail_new(struct loop *loop, const struct redis_target *target,
                      void (*on_denied)(void *owner, const struct err *err),
                      void *owner)
{
    struct tail *tail = x_calloc(1, sizeof *tail);
    struct redis_options options = {.target = target,
                                    .name = "observer-reader",
                                    .on_ready = on_ready,
                                    .on_fatal = on_denied_here,
                                    .owner = tail};

    tail->loop = loop;
    tail->on_denied = on_denied;
    tail->owner = owner;
    loop_timer_init(&tail->again, loop, on_again, tail);
    tail->redis = redis_new(loop, &options);
    return tail;
}

void tail_free(struct tail *tail)
{
    if (tail == NULL)
        return;
    for (size_t i = 0; i < tail->count; i++)
        tail->streams[i]->dropped = true;
    redis_free(tail->redis);
    loop_timer_stop(&tail->again);
    sweep(tail);
    free(tail->streams);
    free(tail);
}

struct tail_stream *tail_add(struct tail *tail, const struct tail_kind *kind,
                             void *owner, struct str key, const struct tail_id *after)
{
    struct tail_stream *stream = x_calloc(1, sizeof *stream);

    assert(key.len < sizeof stream->key);
    *stream = (struct tail_stream){
        .tail = tail, .kind = kind, .owner = owner, .seen = *after};
    fmt_into(stream->key, sizeof stream->key, "%.*s", (int)key.len, key.at);
    tail->streams =
        x_realloc(tail->streams, (tail->count + 1) * sizeof(*tail->streams));
    tail->streams[tail->count++] = stream;
    read_soon(tail, 0);
    return stream;
}

void tail_drop(struct tail_stream *stream)
{
    if (stream != NULL)
        stream->dropped = true;
}

void tail_hold(struct tail *tail, bool held)
{
    tail->held = held;
    if (!held)
        read_soon(tail, 0);
}

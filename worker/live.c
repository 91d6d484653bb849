/* live.c - see live.h. */
#include "worker/live.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "net/redis.h"
#include "proto/asked.h"

enum {
    LIVE_MAX_ENTRIES = 4096,
    LIVE_EXPIRE_SECONDS = 600,
    FIELDS_MAX = 16,
    WORDS_MAX_BYTES = 1 << 20
};

/* Nobody waits for these: no callback, not sent again. */
static void send(struct live *live, const struct str *argv, size_t argc)
{
    struct redis_call call = {.argc = argc, .argv = argv};

    if (!redis_ready(live->redis) || redis_refuses_writes(live->redis))
        return;
    if (!redis_send(live->redis, &call)) {
        /* The queue is full: the live view is the first to be given up. */
    }
}

static void add_entry(struct live *live, const char *kind, const struct str *more,
                      size_t more_count)
{
    char key[KEY_SIZE];
    char max[24];
    char turn[24];
    char seat[24];
    struct str argv[FIELDS_MAX + 8];
    size_t n = 0;

    fmt_into(max, sizeof max, "%d", LIVE_MAX_ENTRIES);
    fmt_into(turn, sizeof turn, "%lld", (long long)live->turn);
    fmt_into(seat, sizeof seat, "%lld", (long long)live->seat);
    argv[n++] = str_of("XADD");
    argv[n++] = key_make(live->keys, "live", live->conversation, key);
    if (strcmp(kind, "begin") != 0 && strcmp(kind, "waiting") != 0)
        argv[n++] = str_of("NOMKSTREAM"); /* one that was deleted stays so */
    argv[n++] = str_of("MAXLEN");
    argv[n++] = str_of("~");
    argv[n++] = str_of(max);
    argv[n++] = str_of("*");
    argv[n++] = str_of("kind");
    argv[n++] = str_of(kind);
    argv[n++] = str_of("call");
    argv[n++] = str_of(live->call);
    argv[n++] = str_of("turn");
    argv[n++] = str_of(turn);
    argv[n++] = str_of("seat");
    argv[n++] = str_of(seat);
    for (size_t i = 0; i < more_count; i++)
        argv[n++] = more[i];
    send(live, argv, n);
}

static void expire(struct live *live, const char *what)
{
    char key[KEY_SIZE];
    char seconds[16];
    struct str words[3];

    fmt_into(seconds, sizeof seconds, "%d", LIVE_EXPIRE_SECONDS);
    words[0] = str_of("EXPIRE");
    words[1] = key_make(live->keys, what, live->conversation, key);
    words[2] = str_of(seconds);
    send(live, words, 3);
}

static void announce(struct live *live)
{
    const struct str author[] = {str_of("author"), str_of(live->author)};

    add_entry(live, "begin", author, 2);
    expire(live, "live");
    live->begun = true;
}

static void flush(struct live *live)
{
    const struct str text[] = {str_of("text"), buf_str(&live->words)};

    if (!live->begun)
        announce(live);
    add_entry(live, "delta", text, 2);
    buf_clear(&live->words);
    loop_timer_stop(&live->timer);
}

static void on_due(struct loop_timer *timer, void *owner)
{
    (void)timer;
    flush(owner);
}

void live_init(struct live *live, struct loop *loop, struct redis *redis,
               const struct keys *keys)
{
    *live = (struct live){.redis = redis, .keys = keys};
    loop_timer_init(&live->timer, loop, on_due, live);
    buf_init(&live->words, WORDS_MAX_BYTES);
}

void live_done(struct live *live)
{
    loop_timer_stop(&live->timer);
    buf_done(&live->words);
}

void live_begin(struct live *live, const char *conversation, const char *call)
{
    live->conversation = conversation;
    live->call = call;
    live->begun = false;
    buf_clear(&live->words);
}

/* All calls of a process write at the same beats, never later than update_ms after the
 * words came: the batches of many streams are one wake-up and one write. */
static int64_t until_beat_us(int64_t update_ms)
{
    int64_t beat_us = update_ms * 1000;

    return beat_us <= 0 ? 0 : beat_us - clock_mono_us() % beat_us;
}

void live_add(struct live *live, struct str words)
{
    if (words.len == 0)
        return;
    if (!buf_add_str(&live->words, words)) {
        flush(live); /* cannot grow for ever: what came before is written first */
        (void)buf_add_str(&live->words, words); /* larger than any reply: left out */
    }
    if (live->words.len >= live->chunk_bytes)
        flush(live);
    else if (!loop_timer_running(&live->timer))
        loop_timer_start_us(&live->timer, until_beat_us(live->update_ms));
}

void live_restart(struct live *live)
{
    loop_timer_stop(&live->timer);
    buf_clear(&live->words);
    if (live->begun)
        add_entry(live, "withdrawn", NULL, 0);
    live->begun = false; /* the next words come behind a `begin` */
}

void live_waiting(struct live *live, const char *conversation, const char *servers,
                  const char *reason)
{
    const struct str fields[] = {str_of("servers"), str_of(servers), str_of("reason"),
                                 str_of(reason)};

    live_begin(live, conversation, "");
    add_entry(live, "waiting", fields, 4);
    expire(live, "live");
}

void live_asked(struct live *live, const char *url, struct str body)
{
    const struct asked_sent sent = {
        .call = live->call, .url = url, .body = body, .turn = live->turn};
    char key[KEY_SIZE];
    char seat[24];
    struct buf asked;

    if (!redis_ready(live->redis) || redis_refuses_writes(live->redis))
        return;
    buf_init(&asked, ASKED_MAX_BYTES);
    fmt_into(seat, sizeof seat, "%lld", (long long)live->seat);
    if (asked_format(&sent, &asked)) {
        const struct str words[] = {
            str_of("HSET"), key_make(live->keys, "asked", live->conversation, key),
            str_of(seat), buf_str(&asked)};

        send(live, words, sizeof words / sizeof *words);
        expire(live, "asked");
    }
    buf_done(&asked);
}

void live_end(struct live *live, const char *outcome)
{
    const struct str fields[] = {str_of("outcome"), str_of(outcome)};
    bool taken_back = strcmp(outcome, "done") != 0;

    loop_timer_stop(&live->timer);
    if (!live->begun)
        return;
    if (taken_back)
        add_entry(live, "withdrawn", fields, 2);
    else if (live->words.len > 0)
        flush(live);
    add_entry(live, "end", fields, 2);
    expire(live, "live");
    live->begun = false;
}

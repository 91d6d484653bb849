/* redis_watch.c - see redis_watch.h. */
#include "net/redis_watch.h"

#include "base/clock.h"
#include "base/log.h"
#include "net/redis.h"

enum { QUIET_MS = 3000, LOOKS_TO_ACT = 2, AFTER_SIZE = 48 };

/* All is well, or nobody can say that it is not: begins to count anew. */
static void calm(struct redis_watch *watch, int64_t now_ms)
{
    watch->since_ms = now_ms;
    watch->behind = 0;
}

static void delivered_again(struct redis_watch *watch, int64_t now_ms)
{
    if (watch->reconnects > 0)
        log_info("watch", "requests are delivered again group=%s after_ms=%lld",
                 watch->options.group, (long long)(now_ms - watch->since_ms));
    watch->delivered = false;
    watch->reconnects = 0;
    (void)episode_over(&watch->stuck); /* the line above has told it */
    calm(watch, now_ms);
}

static void act(struct redis_watch *watch)
{
    int64_t now_ms = clock_mono_ms();
    long long waited_ms = (long long)(now_ms - watch->since_ms);

    if (watch->reconnects == 0)
        log_warn("watch",
                 "entries of %zu streams wait and none is delivered: connecting anew "
                 "group=%s for_ms=%lld",
                 watch->waiting, watch->options.group, waited_ms);
    else if (episode_on(&watch->stuck, now_ms))
        log_error("watch",
                  "entries of %zu streams wait and none is delivered, though the "
                  "connection is new group=%s for_ms=%lld",
                  watch->waiting, watch->options.group, waited_ms);
    watch->reconnects++;
    watch->behind = 0;
    redis_reconnect(watch->options.reader);
}

/* One look may fall between two reads; two in a row do not. */
static void judge(struct redis_watch *watch)
{
    if (watch->delivered)
        return;
    watch->behind = watch->waiting > 0 ? watch->behind + 1 : 0;
    if (watch->behind >= LOOKS_TO_ACT)
        act(watch);
}

static void on_unread(void *owner, const struct redis_answer *answer)
{
    struct redis_watch *watch = owner;

    watch->asking--;
    if (answer->outcome == REDIS_CANCELLED)
        return;
    watch->waiting += answer->outcome == REDIS_OK && answer->value->count > 0;
    if (watch->asking == 0)
        judge(watch);
}

/* Redis 7.0 counts `lag` wrongly once it has read its file again, and goes on so for
 * ever where all is read: the stream itself tells. */
static void ask_unread(struct redis_watch *watch, const char *key, struct str delivered)
{
    char after[AFTER_SIZE];
    struct str words[] = {str_of("XRANGE"), str_of(key),     str_of(""),
                          str_of("+"),      str_of("COUNT"), str_of("1")};
    const struct redis_call call = {
        .argc = 6, .argv = words, .on_answer = on_unread, .owner = watch};

    if (delivered.len == 0 || delivered.len >= sizeof after - 1)
        return;
    fmt_into(after, sizeof after, "(%.*s", (int)delivered.len, delivered.at);
    words[2] = str_of(after);
    watch->asking += redis_send(watch->options.redis, &call);
}

static void on_groups(void *owner, const struct redis_answer *answer)
{
    struct redis_watch *watch = owner;
    const struct redis_value *groups = answer->value;
    const char *key = watch->keys[watch->answered++]; /* in the order of asking */

    watch->asking--;
    if (answer->outcome == REDIS_CANCELLED)
        return;
    /* No answer, or no such stream: nothing is known to wait there. */
    for (size_t i = 0; answer->outcome == REDIS_OK && i < groups->count; i++) {
        const struct redis_value *group = redis_item(groups, i);

        if (str_is(redis_field(group, "name"), watch->options.group)
            && redis_field_i64(group, "lag", 1) != 0)
            ask_unread(watch, key, redis_field(group, "last-delivered-id"));
    }
    if (watch->asking == 0)
        judge(watch);
}

static void look(struct redis_watch *watch, int64_t now_ms)
{
    size_t count = watch->options.streams(watch->options.owner, watch->keys);

    watch->asked_ms = now_ms;
    watch->waiting = watch->answered = 0;
    for (size_t i = 0; i < count; i++) {
        const struct str words[] = {str_of("XINFO"), str_of("GROUPS"),
                                    str_of(watch->keys[i])};
        const struct redis_call call = {
            .argc = 3, .argv = words, .on_answer = on_groups, .owner = watch};

        if (!redis_send(watch->options.redis, &call))
            return; /* the queue is full */
        watch->asking++;
    }
}

static int64_t look_every_ms(const struct redis_watch *watch)
{
    return watch->options.quiet_ms * 2 / 3;
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct redis_watch *watch = owner;
    const struct redis_watch_options *options = &watch->options;
    int64_t now_ms = clock_mono_ms();

    loop_timer_start(timer, look_every_ms(watch) / 2);
    if (watch->delivered)
        delivered_again(watch, now_ms);
    else if (!redis_ready(options->redis) || redis_refusal(options->redis)
             || !options->wants(options->owner))
        calm(watch, now_ms);
    else if (now_ms - watch->since_ms >= options->quiet_ms && watch->asking == 0
             && now_ms - watch->asked_ms >= look_every_ms(watch))
        look(watch, now_ms);
}

void redis_watch_start(struct redis_watch *watch, struct loop *loop,
                       const struct redis_watch_options *options)
{
    *watch = (struct redis_watch){.options = *options, .since_ms = clock_mono_ms()};
    if (watch->options.quiet_ms == 0)
        watch->options.quiet_ms = QUIET_MS;
    loop_timer_init(&watch->timer, loop, on_tick, watch);
    loop_timer_start(&watch->timer, look_every_ms(watch) / 2);
}

void redis_watch_delivered(struct redis_watch *watch)
{
    watch->delivered = true;
}

void redis_watch_stop(struct redis_watch *watch)
{
    loop_timer_stop(&watch->timer);
    if (watch->asking > 0)
        redis_forget(watch->options.redis, watch);
    watch->asking = 0;
}

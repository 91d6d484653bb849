/* live_named.c - see live_named.h. */
#include "observer/source/live_named.h"

#include "base/clock.h"
#include "net/redis.h"
#include "proto/keys.h"

enum { LOOK_EACH_MS = 250, MISSED_MS = 1000 };

static void give_up(struct live_named *named)
{
    struct err err = {0};

    loop_timer_stop(&named->timer);
    err_set(&err, ERR_TIMEOUT, "there is no conversation %s (--wait waits for it)",
            named->ids[named->there]);
    named->there = named->id_count;
    named->on_missed(named->owner, &err);
}

static void look(struct live_named *named);

static void on_exists(void *owner, const struct redis_answer *answer)
{
    struct live_named *named = owner;

    named->asking = false;
    if (answer->outcome != REDIS_OK || named->there == named->id_count)
        return; /* looked for again at the next beat, or over */
    if (answer->value->integer > 0) {
        named->there++;
        look(named);
    } else if (clock_mono_ms() - named->started_ms >= MISSED_MS) {
        give_up(named);
    }
}

static void look(struct live_named *named)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of("EXISTS"), {0}};
    struct redis_call call = {
        .argc = 2, .argv = words, .on_answer = on_exists, .owner = named};

    if (named->there == named->id_count)
        loop_timer_stop(&named->timer);
    if (named->there == named->id_count || named->asking)
        return;
    words[1] = key_make(named->keys, "conversation", named->ids[named->there], key);
    named->asking = redis_send(named->redis, &call); /* else at the next beat */
}

static void on_beat(struct loop_timer *timer, void *owner)
{
    loop_timer_start(timer, LOOK_EACH_MS);
    look(owner);
}

void live_named_init(struct live_named *named, struct loop *loop)
{
    loop_timer_init(&named->timer, loop, on_beat, named);
}

void live_named_done(struct live_named *named)
{
    loop_timer_stop(&named->timer);
    redis_forget(named->redis, named);
}

void live_named_start(struct live_named *named)
{
    if (named->started_ms == 0)
        named->started_ms = clock_mono_ms();
    loop_timer_start(&named->timer, LOOK_EACH_MS);
    look(named);
}

/* live.c - see live.h: the connection, and who gets what. */
#include "live.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "base/utf8.h"
#include "live_fleet.h"
#include "live_named.h"
#include "live_order.h"
#include "live_talk.h"
#include "live_wall.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "proto/keys.h"

enum { FIRST_CONTACT_MS = 4000 /* Redis must be there by then */ };
static const char layout_known[] = "1";

struct live {
    struct live_options options;
    struct redis *redis;
    struct redis_clock clock;
    struct loop_timer contact;
    struct live_wall *wall;
    struct live_fleet *fleet;
    struct live_orders *orders;
    struct live_talk *talk;
    struct live_named named; /* looked for, unless they are waited for */
    bool was_ready;
    bool down;      /* its loss was told */
    bool failed;    /* on_failed was called */
    struct err why; /* what the connection said last */
};

static void fail(struct live *live, const struct err *err)
{
    if (live->failed)
        return;
    live->failed = true;
    live->options.events->on_failed(live->options.events->owner, err);
}

static void notice(const struct live *live, enum pen pen, const char *text)
{
    live->options.events->on_notice(live->options.events->owner, pen, text);
}

/* ---- the connection ---- */

static void on_layout(void *owner, const struct redis_answer *answer)
{
    struct live *live = owner;
    struct err err = {0};

    if (answer->outcome != REDIS_OK || answer->value->kind != REDIS_TEXT
        || str_is(answer->value->text, layout_known))
        return;
    err_set(&err, ERR_USAGE, "the keys in Redis have layout %s, this program knows %s",
            log_safe(answer->value->text), layout_known);
    fail(live, &err);
}

static void ask_layout(struct live *live)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of("HGET"),
                          key_make(live->options.keys, "meta", NULL, key),
                          str_of("layout")};
    struct redis_call call = {
        .argc = 3, .argv = words, .on_answer = on_layout, .owner = live};

    if (!redis_send(live->redis, &call))
        log_debug("live", "the queue is full: asked anew when Redis is back");
}

static void on_ready(void *owner, bool restarted)
{
    struct live *live = owner;

    if (live->down)
        notice(live, PEN_GOOD, "Redis is back");
    live->down = false;
    live->was_ready = true;
    ask_layout(live);
    live_wall_ready(live->wall);
    live_fleet_ready(live->fleet, restarted);
    live_talk_ready(live->talk);
    if (!live->options.wait)
        live_named_start(&live->named);
}

static void on_down(void *owner, const struct err *err)
{
    struct live *live = owner;
    char text[sizeof err->msg + 32];

    live->why = *err;
    live_wall_down(live->wall, err->msg);
    if (live->down || !live->was_ready)
        return;
    live->down = true;
    fmt_into(text, sizeof text, "Redis is lost, trying on: %s", err->msg);
    notice(live, PEN_BAD, text);
}

static void on_denied(void *owner, const struct err *err)
{
    fail(owner, err);
}

static void on_contact(struct loop_timer *timer, void *owner)
{
    struct live *live = owner;
    struct err err = live->why;

    if (live->was_ready)
        return;
    if (err.code == ERR_NONE && redis_greeting(live->redis)) {
        loop_timer_start(timer, FIRST_CONTACT_MS); /* it is there, but slow */
        return;
    }
    if (err.code == ERR_NONE)
        err_set(&err, ERR_REDIS, "no answer from Redis");
    err.code = err.code == ERR_DENIED ? ERR_DENIED : ERR_REDIS;
    fail(live, &err);
}

static void on_order(void *owner, bool done, const char *text)
{
    const struct live *live = owner;

    live->options.events->on_answer(live->options.events->owner, done, text);
}

/* ---- the source ---- */

static int64_t live_now_us(void *self)
{
    const struct live *live = self;

    return redis_clock_now_us(&live->clock);
}

static void live_watch_wall(void *self, struct wall *wall)
{
    struct live *live = self;

    live_wall_watch(live->wall, wall);
}

static void live_watch_fleet(void *self, struct fleet *fleet)
{
    struct live *live = self;

    live_fleet_watch(live->fleet, fleet);
}

static void live_watch_talk(void *self, struct talk *talk)
{
    struct live *live = self;

    live_talk_watch(live->talk, talk);
}

static bool live_is_loaded(void *self)
{
    const struct live *live = self;

    return live->was_ready && live_wall_is_loaded(live->wall)
           && live_fleet_is_loaded(live->fleet) && live_talk_is_loaded(live->talk);
}

static bool live_command(void *self, const struct order *order, struct err *err)
{
    struct live *live = self;

    if (live->options.read_only)
        return err_set(err, ERR_USAGE, "read-only: no commands are given");
    return live_order_give(live->orders, order, err);
}

static void live_free(void *self)
{
    struct live *live = self;

    live->failed = true; /* nothing is told any more */
    loop_timer_stop(&live->contact);
    live_orders_free(live->orders);
    live_fleet_free(live->fleet);
    live_talk_free(live->talk);
    live_named_done(&live->named);
    live_wall_free(live->wall);
    redis_clock_stop(&live->clock);
    redis_free(live->redis);
    free(live);
}

static const struct source_ops live_ops = {
    .name = "live",
    .now_us = live_now_us,
    .watch_wall = live_watch_wall,
    .watch_fleet = live_watch_fleet,
    .watch_talk = live_watch_talk,
    .is_loaded = live_is_loaded,
    .command = live_command,
    .free = live_free,
};

static struct live_talk *make_talk(struct live *live)
{
    const struct live_talk_options options = {.loop = live->options.loop,
                                              .target = live->options.target,
                                              .keys = live->options.keys,
                                              .redis = live->redis,
                                              .clock = &live->clock,
                                              .on_denied = on_denied,
                                              .owner = live};

    return live_talk_new(&options);
}

struct source live_source(const struct live_options *options)
{
    struct live *live = x_calloc(1, sizeof *live);
    struct redis_options redis = {.target = options->target,
                                  .name = "observer",
                                  .on_ready = on_ready,
                                  .on_down = on_down,
                                  .on_fatal = on_denied,
                                  .owner = live};
    struct live_wall_options wall;

    live->options = *options;
    live->redis = redis_new(options->loop, &redis);
    redis_clock_start(&live->clock, options->loop, live->redis);
    wall = (struct live_wall_options){.loop = options->loop,
                                      .redis = live->redis,
                                      .clock = &live->clock,
                                      .keys = options->keys,
                                      .ids = options->ids,
                                      .id_count = options->id_count};
    live->wall = live_wall_new(&wall);
    live->fleet = live_fleet_new(&(struct live_fleet_options){.loop = options->loop,
                                                              .redis = live->redis,
                                                              .clock = &live->clock,
                                                              .keys = options->keys});
    live->orders = live_orders_new(&(struct live_orders_options){.loop = options->loop,
                                                                 .redis = live->redis,
                                                                 .clock = &live->clock,
                                                                 .keys = options->keys,
                                                                 .on_answer = on_order,
                                                                 .owner = live});
    live->talk = make_talk(live);
    live->named = (struct live_named){.redis = live->redis,
                                      .keys = options->keys,
                                      .ids = options->ids,
                                      .id_count = options->id_count,
                                      .on_missed = on_denied,
                                      .owner = live};
    live_named_init(&live->named, options->loop);
    loop_timer_init(&live->contact, options->loop, on_contact, live);
    loop_timer_start(&live->contact, FIRST_CONTACT_MS);
    return (struct source){&live_ops, live};
}

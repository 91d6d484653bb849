/* live_order.c - see live_order.h. */
#include "observer/source/live_order.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "observer/source/live_asks.h"
#include "observer/source/order.h"
#include "scripts/command.h"

enum {
    TICK_MS = 100,
    LATE_MS = 1500, /* the answer may be on its way when the command becomes void */
    ARGS_MAX_BYTES = 64 << 10,
    TOLD_SIZE = COMMAND_TEXT_SIZE + ORDER_RECORD_SIZE + 8
};

struct waiting {
    char id[COMMAND_ID_LETTERS + 1]; /* the command's; "": free */
    enum order_kind kind;
    char about[ORDER_RECORD_SIZE]; /* the conversation, or the record */
    int64_t until_ms;              /* monotonic */
};

struct live_orders {
    struct live_orders_options options;
    struct live_asks asks;
    struct loop_timer tick;
    struct waiting waiting[LIVE_ORDERS_MAX];
    size_t count;
};

static void tell(struct live_orders *orders, size_t i, bool done, const char *words)
{
    struct waiting *waiting = &orders->waiting[i];
    char text[TOLD_SIZE];

    fmt_into(text, sizeof text, "%s: %s", waiting->about, words);
    waiting->id[0] = '\0';
    orders->count--;
    orders->options.on_answer(orders->options.owner, done, text);
}

/* `number`: whose answer it is; it may have been told meanwhile, and its place given to
 * another: then `id` differs. */
static void on_looked(void *owner, const struct live_ask *ask,
                      const struct redis_answer *answer)
{
    struct live_orders *orders = owner;
    size_t i = (size_t)ask->number;
    char words[COMMAND_TEXT_SIZE];
    bool done;

    if (!str_is(str_of(ask->id), orders->waiting[i].id) || answer->outcome != REDIS_OK
        || answer->value->count == 0)
        return;
    done = command_told(order_command(orders->waiting[i].kind),
                        redis_item_text(answer->value, 0), words);
    tell(orders, i, done, words);
}

static void look(struct live_orders *orders, size_t i)
{
    struct live_ask ask = {.number = (int64_t)i};
    char key[KEY_SIZE];
    struct str words[] = {
        str_of("LRANGE"),
        key_make(orders->options.keys, "answer", orders->waiting[i].id, key),
        str_of("0"), str_of("0")};

    fmt_into(ask.id, sizeof ask.id, "%s", orders->waiting[i].id);
    /* No room: then at the next tick. */
    (void)live_asks_send(&orders->asks, &ask, words, sizeof words / sizeof *words);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct live_orders *orders = owner;
    bool ask = orders->asks.count == 0 && redis_ready(orders->options.redis);

    for (size_t i = 0; i < LIVE_ORDERS_MAX; i++) {
        if (orders->waiting[i].id[0] == '\0')
            continue;
        if (clock_mono_ms() >= orders->waiting[i].until_ms)
            tell(orders, i, false,
                 redis_ready(orders->options.redis)
                     ? "no manager took it within 5 s: it is void. Is one running?"
                     : "Redis is lost: whether it was carried out is not known");
        else if (ask)
            look(orders, i);
    }
    if (orders->count > 0)
        loop_timer_start(timer, TICK_MS);
}

static size_t free_place(const struct live_orders *orders)
{
    size_t i = 0;

    while (i < LIVE_ORDERS_MAX && orders->waiting[i].id[0] != '\0')
        i++;
    return i;
}

static bool send(struct live_orders *orders, const struct order *order,
                 struct waiting *into, struct err *err)
{
    struct command_ask ask = {.keys = orders->options.keys,
                              .command = order_command(order->kind),
                              .conversation = order->conversation,
                              .valid_ms = COMMAND_VALID_MS};
    char id[COMMAND_ID_LETTERS + 1];
    struct buf args;
    bool ok;

    buf_init(&args, ARGS_MAX_BYTES);
    ok = order_args(order, &args, err);
    ask.args = buf_str(&args);
    ok = ok
         && command_send(orders->options.redis, &ask,
                         redis_clock_now_us(orders->options.clock), id, err);
    buf_done(&args);
    if (ok)
        fmt_into(into->id, sizeof into->id, "%s", id);
    return ok;
}

bool live_order_give(struct live_orders *orders, const struct order *order,
                     struct err *err)
{
    size_t i = free_place(orders);
    struct waiting *waiting = &orders->waiting[i];

    if (i == LIVE_ORDERS_MAX)
        return err_set(err, ERR_LIMIT, "too many commands wait for their answers");
    if (!redis_ready(orders->options.redis))
        return err_set(err, ERR_REDIS, "Redis is not there: nothing was asked");
    if (!send(orders, order, waiting, err))
        return false;
    waiting->kind = order->kind;
    waiting->until_ms = clock_mono_ms() + COMMAND_VALID_MS + LATE_MS;
    fmt_into(waiting->about, sizeof waiting->about, "%s",
             order->kind == ORDER_DROP ? order->record : order->conversation);
    orders->count++;
    loop_timer_start(&orders->tick, TICK_MS);
    return true;
}

struct live_orders *live_orders_new(const struct live_orders_options *options)
{
    struct live_orders *orders = x_calloc(1, sizeof *orders);

    orders->options = *options;
    orders->asks.redis = options->redis;
    orders->asks.on_answer = on_looked;
    orders->asks.owner = orders;
    loop_timer_init(&orders->tick, options->loop, on_tick, orders);
    return orders;
}

void live_orders_free(struct live_orders *orders)
{
    if (orders == NULL)
        return;
    loop_timer_stop(&orders->tick);
    live_asks_done(&orders->asks);
    free(orders);
}

/* live_fleet.c - see live_fleet.h.
 *
 * The lists of who there is are read in live_fleet_lists.c.
 */
#include "observer/source/live_fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "net/redis_error.h"
#include "observer/source/live_fleet_inside.h"
#include "observer/source/live_fleet_read.h"

enum {
    TICK_MS = 1000,
    EVENTS_PAGE = 200, /* the last ones at first, then so many a round at most */
    CALLS_PAGE = 2000
};

int64_t live_fleet_now_us(const struct live_fleet *live)
{
    return redis_clock_now_us(live->options.clock);
}

void live_fleet_ask(struct live_fleet *live, enum live_fleet_asked kind, int64_t number,
                    const struct str *words, size_t count)
{
    struct live_ask what = {.kind = kind, .number = number};

    /* No room: then in the next round. */
    (void)live_asks_send(&live->asks, &what, words, count);
}

void live_fleet_ask_key(struct live_fleet *live, enum live_fleet_asked kind,
                        const char *command, const char *what)
{
    char key[KEY_SIZE];
    struct str words[] = {str_of(command),
                          key_make(live->options.keys, what, NULL, key)};

    live_fleet_ask(live, kind, 0, words, 2);
}

/* ---- streams ---- */

/* Behind the last one that was read; at first the last of them, newest first. */
static void ask_stream(struct live_fleet *live, enum live_fleet_asked kind,
                       const char *what, const char *last, int page)
{
    char key[KEY_SIZE];
    char from[LIVE_ENTRY_SIZE + 1];
    char count[16];
    struct str words[] = {str_of(last[0] == '\0' ? "XREVRANGE" : "XRANGE"),
                          key_make(live->options.keys, what, NULL, key),
                          {0},
                          str_of(last[0] == '\0' ? "-" : "+"),
                          str_of("COUNT"),
                          {0}};

    if (last[0] == '\0')
        fmt_into(from, sizeof from, "+");
    else
        fmt_into(from, sizeof from, "(%s", last);
    fmt_into(count, sizeof count, "%d", page);
    words[2] = str_of(from);
    words[5] = str_of(count);
    live_fleet_ask(live, kind, last[0] == '\0', words, sizeof words / sizeof *words);
}

/* A page in the order of time; `reversed`: it came newest first. */
static const struct redis_value *entry_at(const struct redis_value *page, size_t i,
                                          bool reversed)
{
    return redis_item(page, reversed ? page->count - 1 - i : i);
}

static void take_events(struct live_fleet *live, const struct redis_value *page,
                        bool reversed)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct redis_value *entry = entry_at(page, i, reversed);
        struct fleet_event event;

        live_fleet_event(entry, &event);
        fleet_take_event(live->fleet, &event);
        live_fleet_copy(live->last_event, sizeof live->last_event,
                        redis_item_text(entry, 0));
    }
}

static void take_calls(struct live_fleet *live, const struct redis_value *page,
                       bool reversed)
{
    for (size_t i = 0; i < page->count; i++) {
        const struct redis_value *entry = entry_at(page, i, reversed);
        struct fleet_call call;

        live_fleet_call(entry, &call);
        if (call.at_us >= 0)
            fleet_take_call(live->fleet, &call);
        live_fleet_copy(live->last_call, sizeof live->last_call,
                        redis_item_text(entry, 0));
    }
    /* A full page: there are more before the oldest, or behind the newest of them. */
    if (page->count >= CALLS_PAGE)
        fleet_take_calls_cut(live->fleet, live_fleet_entry_us(redis_item_text(
                                              redis_item(page, page->count - 1), 0)));
}

static void ask_dead(struct live_fleet *live)
{
    live_fleet_ask_key(live, ASKED_DEAD_COUNT, "XLEN", "dead");
    ask_stream(live, ASKED_DEAD, "dead", "", FLEET_DEAD_MAX);
}

static void take_dead(struct live_fleet *live, const struct redis_value *page)
{
    static struct fleet_dead dead[FLEET_DEAD_MAX];
    size_t count = page->count < FLEET_DEAD_MAX ? page->count : FLEET_DEAD_MAX;

    for (size_t i = 0; i < count; i++)
        live_fleet_dead(redis_item(page, i), &dead[i]);
    fleet_take_dead(live->fleet, dead, count,
                    live->dead_known > count ? live->dead_known - count : 0);
}

/* ---- Redis ---- */

/* "<number>:<name>:<nonce>". */
static void take_leader(struct live_fleet *live, struct str token)
{
    struct str rest;

    (void)str_cut(token, ':', &rest);
    live_fleet_copy(live->totals.leader, FLEET_NAME_SIZE, str_cut(rest, ':', &rest));
}

static void take_probe(struct live_fleet *live, const struct redis_answer *answer)
{
    bool refuses = answer->outcome == REDIS_REFUSED
                   && redis_class_refuses_writes(redis_class_of(answer->value->text));

    live_fleet_copy(live->totals.refusal, FLEET_TEXT_SIZE,
                    refuses ? answer->value->text : str_of(""));
    fleet_take_totals(live->fleet, &live->totals);
}

static void ask_redis(struct live_fleet *live)
{
    char key[KEY_SIZE];
    struct str info[] = {str_of("INFO"), str_of("memory"), str_of("stats")};
    /* With XX of a key that is never there it writes nothing, and is refused where a
     * write would be. */
    struct str probe[] = {str_of("SET"),
                          key_make(live->options.keys, "probe", NULL, key), str_of("-"),
                          str_of("XX")};

    live_fleet_ask_key(live, ASKED_LEADER, "GET", "leader");
    live_fleet_ask_key(live, ASKED_CONVERSATIONS, "ZCARD", "conversations");
    live_fleet_ask(live, ASKED_INFO, 0, info, sizeof info / sizeof *info);
    live_fleet_ask(live, ASKED_PROBE, 0, probe, sizeof probe / sizeof *probe);
}

/* ---- answers ---- */

static void take_list(struct live_fleet *live, const struct live_ask *asked,
                      const struct redis_value *value)
{
    bool reversed = asked->number == 1;

    if (live_fleet_take_list(live, asked, value))
        return;
    if (asked->kind == ASKED_DEAD)
        take_dead(live, value);
    else if (asked->kind == ASKED_EVENTS)
        take_events(live, value, reversed);
    else if (asked->kind == ASKED_CALLS)
        take_calls(live, value, reversed);
}

static void take_number(struct live_fleet *live, const struct live_ask *asked,
                        int64_t number)
{
    if (live_fleet_take_count(live, asked, number))
        return;
    if (asked->kind == ASKED_DEAD_COUNT)
        live->dead_known = (size_t)number;
    else if (asked->kind == ASKED_CONVERSATIONS)
        live->totals.conversations = number;
}

static void take(struct live_fleet *live, const struct live_ask *asked,
                 const struct redis_answer *answer)
{
    bool refused = answer->outcome == REDIS_REFUSED;

    if (asked->kind == ASKED_PROBE && (answer->outcome == REDIS_OK || refused))
        take_probe(live, answer);
    if (answer->outcome != REDIS_OK || asked->kind == ASKED_PROBE)
        return; /* refused: nobody has led here yet */
    if (asked->kind == ASKED_LEADER)
        take_leader(live, answer->value->text);
    else if (asked->kind == ASKED_INFO)
        live_fleet_info(answer->value->text, &live->totals);
    else if (answer->value->kind == REDIS_ARRAY)
        take_list(live, asked, answer->value);
    else if (answer->value->kind == REDIS_INTEGER)
        take_number(live, asked, answer->value->integer);
}

static void on_answer(void *owner, const struct live_ask *asked,
                      const struct redis_answer *answer)
{
    struct live_fleet *live = owner;

    if (live->skipping || live->fleet == NULL) {
        live->skipping = live->skipping && live->asks.count > 0;
        return; /* of an earlier watch, or nobody looks any more */
    }
    take(live, asked, answer);
    if (live->asks.count > 0 || answer->outcome == REDIS_LOST
        || answer->outcome == REDIS_CANCELLED)
        return;
    live_fleet_tell_lanes(live); /* the round is over */
    live->loaded = true;
}

/* ---- rounds ---- */

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct live_fleet *live = owner;
    bool other = live->rounds % 2 == 0;

    loop_timer_start(timer, TICK_MS);
    if (live->fleet == NULL || live->asks.count > 0
        || !redis_ready(live->options.redis))
        return;
    live->rounds++;
    live_fleet_ask_members(live);
    if (other) {
        live_fleet_ask_servers(live);
        ask_dead(live);
    }
    live_fleet_ask_lanes(live);
    ask_stream(live, ASKED_EVENTS, "events", live->last_event, EVENTS_PAGE);
    ask_stream(live, ASKED_CALLS, "calls", live->last_call, CALLS_PAGE);
    ask_redis(live);
}

static void begin(struct live_fleet *live)
{
    live->loaded = false;
    live->skipping = live->asks.count > 0;
    live->rounds = 0;
    live->last_event[0] = live->last_call[0] = '\0';
    live->totals = (struct fleet_totals){.memory_bytes = -1,
                                         .memory_max_bytes = -1,
                                         .conversations = -1,
                                         .redis_commands = -1};
    if (live->fleet != NULL)
        fleet_forget(live->fleet);
    loop_timer_start(&live->tick, 0);
}

struct live_fleet *live_fleet_new(const struct live_fleet_options *options)
{
    struct live_fleet *live = x_calloc(1, sizeof *live);

    live->options = *options;
    live->asks.redis = options->redis;
    live->asks.on_answer = on_answer;
    live->asks.owner = live;
    loop_timer_init(&live->tick, options->loop, on_tick, live);
    return live;
}

void live_fleet_free(struct live_fleet *live)
{
    if (live == NULL)
        return;
    loop_timer_stop(&live->tick);
    live_asks_done(&live->asks);
    free(live);
}

void live_fleet_watch(struct live_fleet *live, struct fleet *fleet)
{
    live->fleet = fleet;
    if (fleet != NULL)
        begin(live);
    else
        loop_timer_stop(&live->tick);
}

bool live_fleet_is_loaded(const struct live_fleet *live)
{
    return live->fleet == NULL || live->loaded;
}

void live_fleet_ready(struct live_fleet *live, bool restarted)
{
    if (live->fleet != NULL && restarted)
        begin(live);
}

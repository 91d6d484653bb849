/* follow.c - see follow.h: which conversations there are, and the shared connections.
 */
#include "follow.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "follow_talk.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "proto/keys.h"

enum {
    TICK_MS = 250,
    ASKED_A_TICK = 8,     /* hashes looked at without an occasion */
    KEEP_OVER_MS = 10000, /* a late event must not bring an ended one back */
    MISSED_MS = 1000,
    FIRST_CONTACT_MS = 4000 /* Redis must be there by then */
};
static const char layout_known[] = "1";

struct follow {
    struct follow_options options; /* ids and target are not kept */
    struct follow_ways ways;
    struct redis *redis;
    struct redis_clock clock;
    struct tail *tail;
    struct follow_talk **talks; /* owned, as what it points to */
    size_t count;
    size_t next_asked; /* whose turn it is at the next tick */
    struct loop_timer tick;
    int64_t started_ms;
    bool named;        /* only the conversations given */
    bool was_ready;    /* Redis was there once */
    bool down;         /* its loss was told */
    bool many;         /* on_many was called */
    bool ended;        /* on_done or on_failed was called */
    bool events;       /* the tail reads K:events */
    int64_t missed_ms; /* when one that is named was not there first, monotonic; or 0 */
    struct err why;    /* what the connection said last */
};

/* ---- conversations ---- */

/* It is on the screen, or about to be. */
static bool is_shown(const struct follow_talk *talk)
{
    return !talk->over && (talk->talk.facts.state[0] != '\0' || talk->ending);
}

static void tell_many(struct follow *follow)
{
    if (follow->many)
        return;
    follow->many = true;
    follow->options.on_many(follow->options.owner);
}

static void on_sight(void *owner, const struct sight *sight)
{
    struct follow *follow = owner;
    size_t shown = 0;

    for (size_t i = 0; !follow->many && i < follow->count; i++)
        shown += is_shown(follow->talks[i]);
    if (shown > 1)
        tell_many(follow);
    follow->options.on_sight(follow->options.owner, sight);
}

const struct talk_state *follow_single(const struct follow *follow)
{
    const struct talk_state *single = NULL;

    if (follow->many)
        return NULL;
    for (size_t i = 0; i < follow->count; i++)
        if (!follow->talks[i]->over)
            single = &follow->talks[i]->talk;
    return single;
}

/* Live words are for one conversation at a time, unless wanted of all. */
static void choose_live(struct follow *follow)
{
    bool live = follow->options.live == FOLLOW_LIVE_ALWAYS
                || (follow->options.live == FOLLOW_LIVE_SINGLE && !follow->many);

    for (size_t i = 0; i < follow->count; i++)
        follow_talk_listen(follow->talks[i], live);
}

static void on_caught_up(void *owner)
{
    choose_live(owner);
}

static void on_over(void *owner)
{
    struct follow *follow = owner;

    if (!follow->named || follow->ended)
        return;
    for (size_t i = 0; i < follow->count; i++)
        if (!follow->talks[i]->over)
            return;
    follow->ended = true;
    follow->options.on_done(follow->options.owner);
}

static void on_absent(void *owner, const char *id)
{
    struct follow *follow = owner;
    char text[CONVERSATION_SIZE + 64];

    if (!follow->options.wait) {
        if (follow->missed_ms == 0)
            follow->missed_ms = clock_mono_ms();
        return;
    }
    fmt_into(text, sizeof text, "there is no conversation %s yet: waiting for it", id);
    follow->options.on_notice(follow->options.owner, text);
}

static struct follow_talk *find_talk(const struct follow *follow, struct str id)
{
    for (size_t i = 0; i < follow->count; i++)
        if (str_is(id, follow->talks[i]->talk.id))
            return follow->talks[i];
    return NULL;
}

static void add_talk(struct follow *follow, struct str id, bool patient)
{
    char text[CONVERSATION_SIZE];

    if (!conversation_id_valid(id) || find_talk(follow, id) != NULL)
        return;
    fmt_into(text, sizeof text, "%.*s", (int)id.len, id.at);
    follow->talks =
        x_realloc(follow->talks, (follow->count + 1) * sizeof(*follow->talks));
    follow->talks[follow->count++] = follow_talk_new(&follow->ways, text, patient);
}

static void sweep(struct follow *follow)
{
    int64_t now_ms = clock_mono_ms();
    size_t kept = 0;

    for (size_t i = 0; i < follow->count; i++) {
        struct follow_talk *talk = follow->talks[i];

        if (talk->over && !follow->named && !follow_talk_busy(talk)
            && now_ms - talk->over_ms > KEEP_OVER_MS)
            follow_talk_free(talk);
        else
            follow->talks[kept++] = talk;
    }
    follow->count = kept;
}

/* ---- those that come ---- */

static void on_event(void *owner, const struct tail_id *id,
                     const struct redis_value *fields)
{
    struct follow *follow = owner;
    struct str conversation = redis_field(fields, "conversation");
    struct follow_talk *talk = find_talk(follow, conversation);

    (void)id;
    if (talk != NULL)
        follow_talk_ask(talk);
    else if (str_is(redis_field(fields, "event"), "dialogue.open"))
        add_talk(follow, conversation, true);
}

static void on_events_rewound(void *owner, const struct tail_id *id,
                              const struct redis_value *fields)
{
    (void)owner; /* the list of conversations is read at each connection anyway */
    (void)id;
    (void)fields;
}

static const struct tail_kind events_kind = {on_event, on_events_rewound};

static void on_events_end(void *owner, const struct redis_answer *answer)
{
    struct follow *follow = owner;
    struct tail_id last = {0};
    char key[KEY_SIZE];

    if (answer->outcome != REDIS_OK || follow->events)
        return;
    if (answer->value->count > 0
        && !tail_id_parse(redis_item_text(redis_item(answer->value, 0), 0), &last))
        return;
    follow->events = true;
    (void)tail_add(follow->tail, &events_kind, follow,
                   key_make(follow->ways.keys, "events", NULL, key), &last);
}

static void on_list(void *owner, const struct redis_answer *answer)
{
    struct follow *follow = owner;

    if (answer->outcome != REDIS_OK)
        return;
    for (size_t i = answer->value->count; i > 0; i--)
        add_talk(follow, redis_item_text(answer->value, i - 1), false);
}

static void ask(struct follow *follow, size_t argc, const struct str *words,
                redis_on_answer *on_answer)
{
    struct redis_call call = {
        .argc = argc, .argv = words, .on_answer = on_answer, .owner = follow};

    if (!redis_send(follow->redis, &call))
        log_debug("follow", "the queue is full: asked anew when Redis is back");
}

/* The end of the events first: what is opened after that comes as an event. */
static void discover(struct follow *follow)
{
    char key[KEY_SIZE];
    struct str end[] = {
        str_of("XREVRANGE"), key_make(follow->ways.keys, "events", NULL, key),
        str_of("+"),         str_of("-"),
        str_of("COUNT"),     str_of("1")};
    struct str list[] = {str_of("ZREVRANGE"), {0}, str_of("0"), str_of("999")};

    if (!follow->events)
        ask(follow, sizeof end / sizeof *end, end, on_events_end);
    list[1] = key_make(follow->ways.keys, "conversations", NULL, key);
    ask(follow, sizeof list / sizeof *list, list, on_list);
}

/* ---- the connection ---- */

static void fail(struct follow *follow, const struct err *err)
{
    if (follow->ended)
        return;
    follow->ended = true;
    follow->options.on_failed(follow->options.owner, err);
}

static void on_layout(void *owner, const struct redis_answer *answer)
{
    struct follow *follow = owner;
    struct err err = {0};

    if (answer->outcome != REDIS_OK || answer->value->kind != REDIS_TEXT
        || str_is(answer->value->text, layout_known))
        return;
    err_set(&err, ERR_USAGE, "the keys in Redis have layout %s, this program knows %s",
            log_safe(answer->value->text), layout_known);
    fail(follow, &err);
}

static void on_ready(void *owner, bool restarted)
{
    struct follow *follow = owner;
    char key[KEY_SIZE];
    struct str words[] = {str_of("HGET"),
                          key_make(follow->ways.keys, "meta", NULL, key),
                          str_of("layout")};

    (void)restarted;
    if (follow->down)
        follow->options.on_notice(follow->options.owner, "Redis is back");
    follow->down = false;
    follow->was_ready = true;
    ask(follow, sizeof words / sizeof *words, words, on_layout);
    if (!follow->named)
        discover(follow);
    for (size_t i = 0; i < follow->count; i++)
        follow_talk_ask(follow->talks[i]);
}

static void on_down(void *owner, const struct err *err)
{
    struct follow *follow = owner;
    struct buf text;

    follow->why = *err;
    if (follow->down || !follow->was_ready)
        return;
    follow->down = true;
    buf_init(&text, 2 * sizeof err->msg);
    (void)buf_add_text(&text, "Redis is lost, trying on: ");
    (void)utf8_harmless(str_of(err->msg), false, &text);
    follow->options.on_notice(follow->options.owner, buf_text(&text));
    buf_done(&text);
}

static void on_denied(void *owner, const struct err *err)
{
    fail(owner, err);
}

static void check_contact(struct follow *follow)
{
    struct err err = follow->why;

    if (follow->was_ready || clock_mono_ms() - follow->started_ms < FIRST_CONTACT_MS)
        return;
    if (err.code == ERR_NONE && redis_greeting(follow->redis))
        return; /* it is there, but slow */
    if (err.code == ERR_NONE)
        err_set(&err, ERR_REDIS, "no answer from Redis");
    err.code = err.code == ERR_DENIED ? ERR_DENIED : ERR_REDIS;
    fail(follow, &err);
}

/* One that was opened a moment ago may be asked for before it is there. */
static void check_missed(struct follow *follow)
{
    struct err err = {0};

    if (follow->missed_ms == 0 || clock_mono_ms() - follow->missed_ms < MISSED_MS)
        return;
    for (size_t i = 0; i < follow->count; i++) {
        const struct follow_talk *talk = follow->talks[i];

        if (!talk->absent || talk->ending || talk->talk.facts.state[0] != '\0')
            continue;
        err_set(&err, ERR_TIMEOUT, "there is no conversation %s (--wait waits for it)",
                talk->talk.id);
        fail(follow, &err);
        return;
    }
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct follow *follow = owner;

    check_contact(follow);
    check_missed(follow);
    sweep(follow);
    for (size_t i = 0; i < follow->count && i < ASKED_A_TICK; i++) {
        follow->next_asked = (follow->next_asked + 1) % follow->count;
        follow_talk_ask(follow->talks[follow->next_asked]);
    }
    loop_timer_start(timer, TICK_MS);
}

/* ---- life ---- */

static struct redis *connect(struct follow *follow)
{
    struct redis_options options = {.target = follow->options.target,
                                    .name = "observer",
                                    .on_ready = on_ready,
                                    .on_down = on_down,
                                    .on_fatal = on_denied,
                                    .owner = follow};

    return redis_new(follow->options.loop, &options);
}

struct follow *follow_new(const struct follow_options *options)
{
    struct follow *follow = x_calloc(1, sizeof *follow);

    follow->options = *options;
    follow->named = options->id_count > 0;
    follow->started_ms = clock_mono_ms();
    follow->redis = connect(follow);
    follow->tail = tail_new(options->loop, options->target, on_denied, follow);
    follow->ways = (struct follow_ways){
        .redis = follow->redis,
        .tail = follow->tail,
        .keys = options->keys,
        .on_sight = on_sight,
        .on_caught_up = on_caught_up,
        .on_over = on_over,
        .on_absent = on_absent,
        .owner = follow,
    };
    for (size_t i = 0; i < options->id_count; i++)
        add_talk(follow, str_of(options->ids[i]), true);
    if (follow->count > 1)
        tell_many(follow);
    redis_clock_start(&follow->clock, options->loop, follow->redis);
    loop_timer_init(&follow->tick, options->loop, on_tick, follow);
    loop_timer_start(&follow->tick, TICK_MS);
    return follow;
}

void follow_free(struct follow *follow)
{
    if (follow == NULL)
        return;
    follow->ended = true; /* nothing is told any more */
    loop_timer_stop(&follow->tick);
    redis_clock_stop(&follow->clock);
    tail_free(follow->tail);
    redis_free(follow->redis);
    for (size_t i = 0; i < follow->count; i++)
        follow_talk_free(follow->talks[i]);
    free(follow->talks);
    free(follow);
}

void follow_hold(struct follow *follow, bool held)
{
    if (follow->ways.held == held)
        return;
    follow->ways.held = held;
    tail_hold(follow->tail, held);
    for (size_t i = 0; !held && i < follow->count; i++)
        if (!follow->talks[i]->caught_up || follow->talks[i]->ending)
            follow_talk_ask(follow->talks[i]); /* its past was not read to the end */
}

int64_t follow_now_us(const struct follow *follow)
{
    return redis_clock_now_us(&follow->clock);
}

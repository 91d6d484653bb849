/* live_wall.c - see live_wall.h.
 *
 * Ids: at first all of them by rank, page after page, the newest first; then each
 * second those with the highest score seen or a higher one, and a page by rank, round
 * and round, for the case that a clock was set back. Who has no hash any more goes.
 */
#include "observer/source/live_wall.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "net/loop.h"
#include "net/redis.h"
#include "net/redis_clock.h"
#include "observer/model/wall.h"
#include "observer/source/live_lanes.h"
#include "observer/source/live_read.h"
#include "proto/keys.h"

enum {
    TICK_MS = 500,
    SECOND_TICKS = 2, /* once a second */
    PAGE = 500,       /* ids, while the list is read for the first time */
    PAGE_LATER = 100,
    IN_SIGHT_MAX = 256,   /* rows on any screen */
    FIRST_SIGHT = 100,    /* rows on a screen of unknown size */
    FIRST_A_TICK = 1000,  /* hashes never read yet */
    SWEEP_A_TICK = 200,   /* hashes of rows out of sight */
    SWEEP_STEPS = 2000,   /* rows looked at for that */
    CASTS_A_TICK = 20,    /* casts of rows out of sight */
    FRESH_US = 1000000,   /* what was read since need not be read again */
    ENDED_US = 30000000,  /* the same of an ended one: it may be cleaned away */
    LIVE_ASKED_MS = 2500, /* from then on a turn may wait for a server */
    NUMBER_SIZE = 24
};

enum asked {
    ASKED_COUNT,
    ASKED_PAGE,
    ASKED_NEW,
    ASKED_ROW,
    ASKED_CAST,
    ASKED_TURN,
    ASKED_LIVE
};

struct live_wall {
    struct live_wall_options options;
    struct live_asks asks;
    struct live_lanes lanes;
    struct loop_timer tick;
    struct wall *wall; /* borrowed; NULL: nobody looks */
    unsigned ticks;
    bool listed;        /* all ids were read once */
    int64_t rank;       /* where the next page begins */
    int64_t last_score; /* the highest seen, ms */
    size_t at_last;     /* so many ids were seen that have it */
    size_t cursor;      /* the next row out of sight */
    size_t known;       /* conversations in Redis, as was told last */
};

static int64_t now_us(const struct live_wall *live)
{
    return redis_clock_now_us(live->options.clock);
}

static bool ask(struct live_wall *live, const struct live_ask *what,
                const struct str *words, size_t count)
{
    return live_asks_send(&live->asks, what, words, count);
}

static struct live_ask about(enum asked kind, const struct wall_row *row,
                             int64_t number)
{
    struct live_ask what = {.kind = kind, .number = number};

    fmt_into(what.id, sizeof what.id, "%s", row->id);
    return what;
}

/* ---- which conversations there are ---- */

static void ask_count(struct live_wall *live)
{
    struct live_ask what = {.kind = ASKED_COUNT};
    char key[KEY_SIZE];
    struct str words[] = {str_of("ZCARD"),
                          key_make(live->options.keys, "conversations", NULL, key)};

    (void)ask(live, &what, words, sizeof words / sizeof *words);
}

static void ask_page(struct live_wall *live)
{
    struct live_ask what = {.kind = ASKED_PAGE};
    int64_t size = live->listed ? PAGE_LATER : PAGE;
    char key[KEY_SIZE];
    char from[NUMBER_SIZE];
    char to[NUMBER_SIZE];
    struct str words[] = {str_of("ZRANGE"),
                          key_make(live->options.keys, "conversations", NULL, key),
                          {0},
                          {0},
                          str_of("REV"),
                          str_of("WITHSCORES")};

    fmt_into(from, sizeof from, "%" PRId64, live->rank);
    fmt_into(to, sizeof to, "%" PRId64, live->rank + size - 1);
    words[2] = str_of(from);
    words[3] = str_of(to);
    what.number = size;
    (void)ask(live, &what, words, sizeof words / sizeof *words);
}

static void ask_new(struct live_wall *live)
{
    struct live_ask what = {.kind = ASKED_NEW};
    char key[KEY_SIZE];
    char from[NUMBER_SIZE];
    char skip[NUMBER_SIZE];
    char most[NUMBER_SIZE];
    struct str words[] = {str_of("ZRANGE"),
                          key_make(live->options.keys, "conversations", NULL, key),
                          {0},
                          str_of("+inf"),
                          str_of("BYSCORE"),
                          str_of("LIMIT"),
                          {0},
                          {0},
                          str_of("WITHSCORES")};

    fmt_into(from, sizeof from, "%" PRId64, live->last_score);
    fmt_into(skip, sizeof skip, "%zu", live->at_last);
    fmt_into(most, sizeof most, "%d", PAGE);
    words[2] = str_of(from);
    words[6] = str_of(skip);
    words[7] = str_of(most);
    (void)ask(live, &what, words, sizeof words / sizeof *words);
}

/* `tallied`: none of them came before, so that they count for the highest score. */
static void take_ids(struct live_wall *live, const struct redis_value *pairs,
                     bool tallied)
{
    for (size_t i = 0; i + 1 < pairs->count; i += 2) {
        int64_t score = redis_item_i64(pairs, i + 1, 0);

        (void)wall_take_id(live->wall, redis_item_text(pairs, i), score);
        if (!tallied || score < live->last_score)
            continue;
        live->at_last = score == live->last_score ? live->at_last + 1 : 1;
        live->last_score = score;
    }
}

static void take_page(struct live_wall *live, const struct redis_value *pairs,
                      int64_t size)
{
    bool is_last = (int64_t)pairs->count < 2 * size;

    take_ids(live, pairs, !live->listed);
    live->rank = is_last ? 0 : live->rank + size;
    if (!is_last && !live->listed)
        ask_page(live);
    live->listed = live->listed || is_last;
}

static void take_new(struct live_wall *live, const struct redis_value *pairs)
{
    take_ids(live, pairs, true);
    if (pairs->count / 2 == PAGE)
        ask_new(live);
}

static void take_count(struct live_wall *live, int64_t count)
{
    live->known = count < 0 ? 0 : (size_t)count;
    wall_take_count(live->wall, count, now_us(live));
    if (count == 0) {
        live->last_score = 0;
        live->at_last = 0;
        live->rank = 0;
    }
}

static void look_for_ids(struct live_wall *live)
{
    if (live->options.id_count > 0) {
        for (size_t i = 0; i < live->options.id_count; i++)
            (void)wall_take_id(live->wall, str_of(live->options.ids[i]), 0);
        wall_take_count(live->wall, (int64_t)live->options.id_count, now_us(live));
        live->listed = true;
        return;
    }
    ask_count(live);
    if (live->listed)
        ask_new(live);
    ask_page(live);
}

/* ---- rows ---- */

static void ask_row(struct live_wall *live, const struct wall_row *row)
{
    struct live_ask what = about(ASKED_ROW, row, 0);
    char key[KEY_SIZE];
    struct str words[2 + LIVE_READ_FACTS] = {
        str_of("HMGET"), key_make(live->options.keys, "conversation", row->id, key)};

    for (size_t i = 0; i < LIVE_READ_FACTS; i++)
        words[2 + i] = str_of(live_read_fact(i));
    (void)ask(live, &what, words, sizeof words / sizeof *words);
}

static bool wants_cast(const struct wall_row *row)
{
    return row->facts.cast >= 0 && row->cast_version != row->facts.cast;
}

static bool wants_turn(const struct wall_row *row)
{
    return row->facts.talk.turns > 0 && row->turn.turn != row->facts.talk.turns;
}

static void ask_cast(struct live_wall *live, const struct wall_row *row)
{
    struct live_ask what = about(ASKED_CAST, row, row->facts.cast);
    int64_t seats = row->facts.seats;
    char key[KEY_SIZE];
    char names[WALL_NAMES][NUMBER_SIZE];
    struct str words[4 + WALL_NAMES] = {
        str_of("HMGET"), key_make(live->options.keys, "cast", row->id, key),
        str_of("wish"), str_of("story")};

    seats = seats < 0 ? 0 : seats > WALL_NAMES ? WALL_NAMES : seats;
    for (int64_t i = 0; i < seats; i++) {
        fmt_into(names[i], NUMBER_SIZE, "seat:%" PRId64, i + 1);
        words[4 + i] = str_of(names[i]);
    }
    (void)ask(live, &what, words, 4 + (size_t)seats);
}

static void ask_last(struct live_wall *live, const struct live_ask *what,
                     const char *stream)
{
    char key[KEY_SIZE];
    struct str words[] = {
        str_of("XREVRANGE"), key_make(live->options.keys, stream, what->id, key),
        str_of("+"),         str_of("-"),
        str_of("COUNT"),     str_of("1")};

    (void)ask(live, what, words, sizeof words / sizeof *words);
}

static bool may_wait(const struct wall_row *row, int64_t now)
{
    if (strcmp(row->facts.talk.state, "preparing") == 0)
        return true; /* for its story */
    return row->facts.talk.next >= 0 && !row->facts.calling
           && wall_row_asked_ms(row, now) > LIVE_ASKED_MS;
}

/* What is asked of a row beyond its hash, while it can be seen. */
static void ask_details(struct live_wall *live, const struct wall_row *row, bool second)
{
    struct live_ask turn = about(ASKED_TURN, row, row->facts.talk.turns);
    struct live_ask waiting = about(ASKED_LIVE, row, row->facts.talk.next);

    if (wants_cast(row))
        ask_cast(live, row);
    if (wants_turn(row))
        ask_last(live, &turn, "transcript");
    if (second && may_wait(row, now_us(live)))
        ask_last(live, &waiting, "live");
}

/* Row i of those in sight; while nothing was drawn yet, of the first to come. NULL: no
 * more. */
static const struct wall_row *in_sight(const struct live_wall *live, size_t i)
{
    const struct wall *wall = live->wall;

    if (wall_rows(wall) == 0)
        return i < wall_count(wall) && i < FIRST_SIGHT ? wall_nth(wall, i) : NULL;
    if (i >= wall_rows(wall) || i >= IN_SIGHT_MAX
        || wall_top(wall) + i >= wall_shown(wall))
        return NULL;
    return wall_at(wall, wall_top(wall) + i);
}

static void read_sight(struct live_wall *live, bool second)
{
    const struct wall_row *row;

    for (size_t i = 0; (row = in_sight(live, i)) != NULL; i++) {
        if (second || !wall_row_ended(row))
            ask_row(live, row);
        ask_details(live, row, second);
    }
}

static bool is_stale(const struct live_wall *live, const struct wall_row *row,
                     int64_t now)
{
    /* Fewer in Redis than here: some were cleaned away, and those had ended. */
    bool some_went =
        live->options.id_count == 0 && live->known < wall_count(live->wall);
    bool rests = wall_row_ended(row) && !some_went;

    return row->read_at_us >= 0
           && now - row->read_at_us >= (rests ? ENDED_US : FRESH_US);
}

/* Rows never read come first. */
static void read_unread(struct live_wall *live)
{
    size_t rows = FIRST_A_TICK;

    if (wall_age_us(live->wall, now_us(live)) >= 0)
        return;
    for (size_t i = 0; rows > 0 && i < wall_count(live->wall); i++) {
        const struct wall_row *row = wall_nth(live->wall, i);

        if (row->read_at_us >= 0)
            continue;
        ask_row(live, row);
        rows--;
    }
}

/* The others by turns, at most so many a tick. */
static void sweep(struct live_wall *live)
{
    size_t count = wall_count(live->wall);
    size_t steps = count < SWEEP_STEPS ? count : SWEEP_STEPS;
    size_t rows = SWEEP_A_TICK;
    size_t casts = CASTS_A_TICK;
    int64_t now = now_us(live);

    for (; steps > 0 && rows > 0; steps--) {
        const struct wall_row *row = wall_nth(live->wall, live->cursor++ % count);

        if (is_stale(live, row, now)) {
            ask_row(live, row);
            rows--;
        }
        if (casts > 0 && wants_cast(row)) {
            ask_cast(live, row);
            casts--;
        }
    }
    live->cursor = count == 0 ? 0 : live->cursor % count;
}

/* ---- answers ---- */

static void take_row(struct live_wall *live, const struct live_ask *asked,
                     const struct redis_value *fields)
{
    struct wall_facts facts;

    if (live_read_row(fields, &facts))
        wall_take_facts(live->wall, str_of(asked->id), &facts, now_us(live));
    else if (live->options.id_count == 0)
        wall_take_gone(live->wall, str_of(asked->id));
}

static void take_stream(struct live_wall *live, const struct live_ask *asked,
                        const struct redis_value *entries)
{
    struct wall_turn turn;
    int64_t waits_turn;
    struct str servers;

    if (asked->kind == ASKED_TURN) {
        live_read_turn(entries, asked->number, &turn);
        wall_take_turn(live->wall, str_of(asked->id), &turn);
        return;
    }
    servers = live_read_waiting(entries, now_us(live), &waits_turn);
    wall_take_waiting(live->wall, str_of(asked->id), waits_turn, servers);
}

static void on_answer(void *owner, const struct live_ask *asked,
                      const struct redis_answer *answer)
{
    struct live_wall *live = owner;

    if (answer->outcome != REDIS_OK || live->wall == NULL)
        return; /* asked again at a later tick */
    switch ((enum asked)asked->kind) {
    case ASKED_COUNT:
        take_count(live, answer->value->integer);
        break;
    case ASKED_PAGE:
        take_page(live, answer->value, asked->number);
        break;
    case ASKED_NEW:
        take_new(live, answer->value);
        break;
    case ASKED_ROW:
        take_row(live, asked, answer->value);
        break;
    case ASKED_CAST:
        live_read_cast(answer->value, live->wall, str_of(asked->id), asked->number);
        break;
    case ASKED_TURN:
    case ASKED_LIVE:
        take_stream(live, asked, answer->value);
        break;
    }
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct live_wall *live = owner;
    bool second = live->ticks++ % SECOND_TICKS == 0;

    loop_timer_start(timer, TICK_MS);
    if (!redis_ready(live->options.redis) || live->asks.count > 0)
        return;
    if (second) {
        look_for_ids(live);
        live_lanes_ask(&live->lanes, now_us(live));
    }
    read_sight(live, second);
    read_unread(live);
    sweep(live);
}

/* ---- life ---- */

struct live_wall *live_wall_new(const struct live_wall_options *options)
{
    struct live_wall *live = x_calloc(1, sizeof *live);

    live->options = *options;
    live->asks = (struct live_asks){
        .redis = options->redis, .on_answer = on_answer, .owner = live};
    live_lanes_init(&live->lanes, options->redis, options->keys);
    loop_timer_init(&live->tick, options->loop, on_tick, live);
    return live;
}

void live_wall_free(struct live_wall *live)
{
    if (live == NULL)
        return;
    loop_timer_stop(&live->tick);
    live_asks_done(&live->asks);
    live_lanes_done(&live->lanes);
    free(live);
}

void live_wall_watch(struct live_wall *live, struct wall *wall)
{
    live->wall = wall;
    live->lanes.wall = wall;
    live->ticks = 0;
    if (wall == NULL)
        loop_timer_stop(&live->tick);
    else
        loop_timer_start(&live->tick, 0);
}

bool live_wall_is_loaded(const struct live_wall *live)
{
    const struct wall_row *row;

    if (live->wall == NULL)
        return true;
    if (!live->listed || wall_age_us(live->wall, now_us(live)) < 0)
        return false;
    for (size_t i = 0; (row = in_sight(live, i)) != NULL; i++)
        if (wants_cast(row) || (row->facts.talk.turns > 0 && row->turn.turn < 0))
            return false;
    return live->asks.count == 0 && live->lanes.asks.count == 0;
}

void live_wall_ready(struct live_wall *live)
{
    if (live->wall == NULL)
        return;
    wall_take_redis(live->wall, true, str_of("Redis connected"));
    live->ticks = 0;
    loop_timer_start(&live->tick, 0);
}

void live_wall_down(struct live_wall *live, const char *why)
{
    struct buf text;

    if (live->wall == NULL)
        return;
    buf_init(&text, 2 * WALL_REDIS_SIZE);
    (void)buf_printf(&text, "Redis lost, trying on: %s", why);
    wall_take_redis(live->wall, false, buf_str(&text));
    buf_done(&text);
}

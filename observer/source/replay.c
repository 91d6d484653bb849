/* replay.c - see replay.h.
 *
 * Flow: watch -> tick: play what is due by the clock, for a while -> on_changed
 *       -> wait for what is due next (or the next frame) -> tick
 *       a jump back -> all that is watched is rewound -> tick
 */
#include "observer/source/replay.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/loop.h"
#include "observer/model/talk.h"
#include "observer/source/replay_clock.h"
#include "observer/source/replay_fleet.h"
#include "observer/source/replay_show.h"
#include "observer/source/replay_wall.h"

enum {
    FRAME_US = 33000,    /* the screens are drawn no more often */
    BUDGET_US = 20000,   /* of playing at a time, so that keys are heard */
    STEPS_A_LOOK = 64,   /* between two looks at the time */
    FRESHEN_US = 500000, /* the wall's values */
    STEP_BACK_US =
        1000000, /* so shortly behind a turn's end, "<" means the one before */
    WORDS_MAX_BYTES = 200
};

struct replay {
    struct loop *loop;
    struct replay_record *record; /* owned */
    const struct source_events *events;
    struct replay_clock clock;
    struct loop_timer tick;
    struct replay_wall wall;
    struct replay_fleet fleet;
    struct replay_show show;
    int64_t freshened_us; /* monotonic */
    bool loaded;          /* all that is watched has been played up to the clock */
};

/* ---- playing ---- */

/* What is watched: at most three. */
static size_t plays_of(struct replay *replay, struct replay_play *plays[3])
{
    size_t count = 0;

    if (replay->wall.wall != NULL)
        plays[count++] = &replay->wall.play;
    if (replay->fleet.fleet != NULL)
        plays[count++] = &replay->fleet.play;
    if (replay->show.talk != NULL && replay->show.known)
        plays[count++] = &replay->show.play;
    return count;
}

/* When something is due again; INT64_MAX: never. */
static int64_t due_of(struct replay *replay)
{
    struct replay_play *plays[3];
    size_t count = plays_of(replay, plays);
    int64_t due_us = INT64_MAX;

    for (size_t i = 0; i < count; i++)
        if (replay_play_due(plays[i]) < due_us)
            due_us = replay_play_due(plays[i]);
    return due_us;
}

/* False: there is more to play than fits into one time. */
static bool play_until(struct replay *replay, int64_t until_us)
{
    int64_t stop_us = clock_mono_us() + BUDGET_US;
    struct replay_play *plays[3];
    size_t count = plays_of(replay, plays);

    for (size_t i = 0; i < count; i++) {
        unsigned steps = 0;

        while (replay_play_step(plays[i], until_us))
            if (++steps % STEPS_A_LOOK == 0 && clock_mono_us() >= stop_us)
                return false;
    }
    return true;
}

static void freshen(struct replay *replay, int64_t now_us, int64_t mono_us)
{
    if (replay->wall.wall != NULL && replay->loaded
        && mono_us - replay->freshened_us >= FRESHEN_US) {
        replay->freshened_us = mono_us;
        replay_wall_freshen(&replay->wall, now_us);
    }
    if (replay->fleet.fleet != NULL)
        replay_fleet_flush(&replay->fleet, now_us);
}

/* Where everything is as fast as can be, the clock shows how far it is. */
static void follow_play(struct replay *replay, int64_t mono_us)
{
    int64_t due_us = replay->loaded ? replay->clock.last_us : due_of(replay);

    if (due_us > replay->clock.at_us)
        replay_clock_seek(&replay->clock, due_us, mono_us);
}

static void wait_for_more(struct replay *replay, int64_t mono_us)
{
    int64_t wait_us;

    if (!replay->loaded) {
        loop_timer_start(&replay->tick, 0);
        return;
    }
    wait_us = replay_clock_wait_us(&replay->clock, due_of(replay), mono_us);
    /* The clock itself is shown, so it ticks until its end. */
    if (wait_us < 0 && !replay->clock.paused
        && !replay_clock_over(&replay->clock, mono_us))
        wait_us = FRESHEN_US;
    if (wait_us < 0)
        return;
    if (wait_us > FRESHEN_US)
        wait_us = FRESHEN_US;
    loop_timer_start_us(&replay->tick, wait_us < FRAME_US ? FRAME_US : wait_us);
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct replay *replay = owner;
    int64_t mono_us = clock_mono_us();
    bool fastest = replay->clock.speed == REPLAY_SPEED_MAX && !replay->clock.paused;
    int64_t now_us = replay_clock_now(&replay->clock, mono_us);

    (void)timer;
    replay->loaded = play_until(replay, fastest ? replay->clock.last_us : now_us);
    if (fastest)
        follow_play(replay, mono_us);
    now_us = replay_clock_now(&replay->clock, mono_us);
    freshen(replay, now_us, mono_us);
    replay->events->on_changed(replay->events->owner);
    wait_for_more(replay, mono_us);
}

/* Something else is watched, or the clock was moved on. */
static void play_on(struct replay *replay)
{
    replay->loaded = false;
    replay->freshened_us = 0;
    loop_timer_start(&replay->tick, 0);
}

static void jump(struct replay *replay, int64_t to_us)
{
    int64_t mono_us = clock_mono_us();
    bool back = to_us < replay_clock_now(&replay->clock, mono_us);

    replay_clock_seek(&replay->clock, to_us, mono_us);
    if (back && replay->wall.wall != NULL)
        replay_wall_rewind(&replay->wall, replay->clock.at_us);
    if (back && replay->fleet.fleet != NULL)
        replay_fleet_rewind(&replay->fleet);
    if (back)
        replay_show_rewind(&replay->show);
    play_on(replay);
}

/* ---- turns ---- */

/* Entries of a conversation before that time (or at it, if `at` is set). */
static size_t entries_before(struct replay_span span, int64_t at_us, bool at)
{
    size_t low = 0;
    size_t high = span.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (span.at[middle].at_us < at_us || (at && span.at[middle].at_us == at_us))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static int64_t line_after(struct replay_span span, int64_t at_us)
{
    size_t i = entries_before(span, at_us, true);

    while (i < span.count && replay_entry_what(&span.at[i]) != REPLAY_SAID)
        i++;
    return i < span.count ? span.at[i].at_us : INT64_MAX;
}

static int64_t line_before(struct replay_span span, int64_t at_us)
{
    size_t i = entries_before(span, at_us, false);

    while (i > 0 && replay_entry_what(&span.at[i - 1]) != REPLAY_SAID)
        i--;
    return i > 0 ? span.at[i - 1].at_us : INT64_MIN;
}

static void jump_to_turn(struct replay *replay, bool after)
{
    const struct replay_clock *clock = &replay->clock;
    bool one = replay->show.talk != NULL && replay->show.known;
    size_t count = one ? 1 : replay_record_talks(replay->record);
    int64_t from_us = replay_clock_now(clock, clock_mono_us());
    int64_t to_us = after ? INT64_MAX : INT64_MIN;

    if (!after && !clock->paused && clock->speed != REPLAY_SPEED_MAX)
        from_us -= STEP_BACK_US / REPLAY_SPEED_ONE * clock->speed;
    for (size_t i = 0; i < count; i++) {
        struct replay_span span =
            one ? replay->show.span : replay_record_span(replay->record, i);
        int64_t at_us = after ? line_after(span, from_us) : line_before(span, from_us);

        if (after ? at_us < to_us : at_us > to_us)
            to_us = at_us;
    }
    jump(replay, to_us); /* the clock stays within the record */
}

/* ---- the table ---- */

static int64_t on_now(void *self)
{
    const struct replay *replay = self;

    return replay_clock_now(&replay->clock, clock_mono_us());
}

static void on_watch_wall(void *self, struct wall *wall)
{
    struct replay *replay = self;

    replay_wall_done(&replay->wall);
    if (wall != NULL)
        replay_wall_init(&replay->wall, replay->record, wall);
    play_on(replay);
}

static void on_watch_talk(void *self, struct talk *talk)
{
    struct replay *replay = self;

    replay_show_done(&replay->show);
    if (talk != NULL)
        replay_show_init(&replay->show, replay->record, talk);
    play_on(replay);
}

static void on_watch_fleet(void *self, struct fleet *fleet)
{
    struct replay *replay = self;

    replay_fleet_done(&replay->fleet);
    if (fleet != NULL)
        replay_fleet_init(&replay->fleet, replay->record, fleet);
    play_on(replay);
}

static bool on_is_loaded(void *self)
{
    const struct replay *replay = self;

    return replay->loaded;
}

static void halt(struct replay *replay)
{
    int64_t mono_us = clock_mono_us();

    if (replay_clock_over(&replay->clock, mono_us))
        jump(replay, replay->clock.first_us);
    else
        replay_clock_pause(&replay->clock, !replay->clock.paused, mono_us);
    play_on(replay);
}

static bool on_act(void *self, enum action action)
{
    struct replay *replay = self;

    switch (action) {
    case ACTION_HALT:
        halt(replay);
        return true;
    case ACTION_FASTER:
        replay_clock_faster(&replay->clock, clock_mono_us());
        break;
    case ACTION_SLOWER:
        replay_clock_slower(&replay->clock, clock_mono_us());
        break;
    case ACTION_TURN_AFTER:
    case ACTION_TURN_BEFORE:
        jump_to_turn(replay, action == ACTION_TURN_AFTER);
        return true;
    default:
        return false;
    }
    play_on(replay);
    return true;
}

static void on_status(void *self, struct buf *into)
{
    const struct replay *replay = self;

    replay_clock_words(&replay->clock, clock_mono_us(), into);
    if (!replay->loaded && replay->clock.speed != REPLAY_SPEED_MAX)
        (void)buf_add_text(into, " reading");
}

static void on_free(void *self)
{
    struct replay *replay = self;

    loop_timer_stop(&replay->tick);
    replay_wall_done(&replay->wall);
    replay_fleet_done(&replay->fleet);
    replay_show_done(&replay->show);
    replay_record_free(replay->record);
    free(replay);
}

static void on_note(void *owner, const char *text)
{
    struct replay *replay = owner;

    replay->events->on_notice(replay->events->owner, PEN_WARN, text);
}

struct source replay_new(const struct replay_options *options)
{
    static const struct source_ops ops = {.name = "replay",
                                          .now_us = on_now,
                                          .watch_wall = on_watch_wall,
                                          .watch_talk = on_watch_talk,
                                          .watch_fleet = on_watch_fleet,
                                          .is_loaded = on_is_loaded,
                                          .act = on_act,
                                          .status = on_status,
                                          .free = on_free};
    struct replay *replay = x_calloc(1, sizeof *replay);
    int64_t mono_us = clock_mono_us();

    replay->loop = options->loop;
    replay->record = options->record;
    replay->events = options->events;
    replay_clock_init(&replay->clock, replay_record_first_us(options->record),
                      replay_record_last_us(options->record), options->speed, mono_us);
    replay_clock_seek(&replay->clock, options->start_us, mono_us);
    replay_clock_pause(&replay->clock, options->still, mono_us);
    replay_record_tell(options->record, on_note, replay);
    loop_timer_init(&replay->tick, options->loop, on_tick, replay);
    loop_timer_start(&replay->tick, 0);
    return (struct source){&ops, replay};
}

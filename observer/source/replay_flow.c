/* replay_flow.c - see replay_flow.h.
 *
 * Flow: tick -> replay_play_step -> talk_state -> on_sight; all played -> on_done
 */
#include "observer/source/replay_flow.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "net/loop.h"
#include "observer/source/replay_clock.h"
#include "observer/source/replay_play.h"
#include "observer/talk_state.h"

enum { TICK_US = 33000, BUDGET_US = 20000, STEPS_A_LOOK = 64 };

struct replay_flow {
    struct replay_flow_options options;
    struct replay_record *record; /* owned */
    struct replay_clock clock;
    struct replay_play play;
    struct talk_state *states; /* owned; by the play's number */
    struct loop_timer tick;
    bool many_told;
    bool held;
    bool done;
};

/* ---- what is played ---- */

static struct talk_state *state_of(struct replay_flow *flow,
                                   const struct replay_talk *talk)
{
    return &flow->states[talk - flow->play.plays];
}

static void on_said(void *owner, const struct replay_talk *talk, struct str kind,
                    struct str document, const struct message *message)
{
    (void)message;
    talk_state_transcript(state_of(owner, talk), kind, document);
}

static void on_live(void *owner, const struct replay_talk *talk,
                    const struct talk_live *live)
{
    talk_state_live(state_of(owner, talk), live);
}

static void on_facts(void *owner, const struct replay_talk *talk)
{
    talk_state_facts(state_of(owner, talk), &talk->facts);
}

/* ---- the clock ---- */

/* False: there is more to tell at once, or it was held meanwhile. */
static bool tell_until(struct replay_flow *flow, int64_t until_us)
{
    int64_t stop_us = clock_mono_us() + BUDGET_US;
    unsigned steps = 0;

    while (!flow->held && replay_play_step(&flow->play, until_us))
        if (++steps % STEPS_A_LOOK == 0 && clock_mono_us() >= stop_us)
            return false;
    return !flow->held;
}

static void on_tick(struct loop_timer *timer, void *owner)
{
    struct replay_flow *flow = owner;
    bool fastest = flow->clock.speed == REPLAY_SPEED_MAX;
    int64_t wait_us;

    if (!flow->many_told && flow->play.count > 1 && flow->options.on_many != NULL)
        flow->options.on_many(flow->options.owner);
    flow->many_told = true;
    if (!tell_until(flow, fastest ? flow->clock.last_us : replay_flow_now_us(flow))) {
        if (!flow->held)
            loop_timer_start(timer, 0);
        return;
    }
    if (replay_play_due(&flow->play) == INT64_MAX) {
        flow->done = true;
        flow->options.on_done(flow->options.owner);
        return;
    }
    wait_us = replay_clock_wait_us(&flow->clock, replay_play_due(&flow->play),
                                   clock_mono_us());
    loop_timer_start_us(timer, wait_us < TICK_US ? TICK_US : wait_us);
}

void replay_flow_hold(struct replay_flow *flow, bool held)
{
    if (held == flow->held)
        return;
    flow->held = held;
    replay_clock_pause(&flow->clock, held, clock_mono_us());
    if (held)
        loop_timer_stop(&flow->tick);
    else if (!flow->done)
        loop_timer_start(&flow->tick, 0);
}

/* ---- life ---- */

/* NULL: all. The caller frees. */
static size_t *find_talks(const struct replay_flow_options *options)
{
    size_t *talks;

    if (options->id_count == 0)
        return NULL;
    talks = x_calloc(options->id_count, sizeof *talks);
    for (size_t i = 0; i < options->id_count; i++) {
        bool found =
            replay_record_find(options->record, str_of(options->ids[i]), &talks[i]);

        assert(found);
    }
    return talks;
}

static void start(struct replay_flow *flow, const size_t *talks)
{
    const struct replay_flow_options *options = &flow->options;
    bool many =
        (talks == NULL ? replay_record_talks(flow->record) : options->id_count) > 1;
    const struct replay_hooks hooks = {
        .owner = flow,
        .on_said = on_said,
        .on_live = many && !options->always_live ? NULL : on_live,
        .on_facts = on_facts};
    int64_t mono_us = clock_mono_us();

    replay_play_init(&flow->play, flow->record, talks, options->id_count, &hooks);
    flow->states = x_calloc(flow->play.count, sizeof *flow->states);
    for (size_t i = 0; i < flow->play.count; i++)
        talk_state_init(&flow->states[i], flow->play.plays[i].id, options->on_sight,
                        options->owner);
    replay_clock_init(&flow->clock, replay_record_first_us(flow->record),
                      replay_record_last_us(flow->record), options->speed, mono_us);
    replay_clock_seek(&flow->clock, options->start_us, mono_us);
    loop_timer_init(&flow->tick, options->loop, on_tick, flow);
    loop_timer_start(&flow->tick, 0);
}

struct replay_flow *replay_flow_new(const struct replay_flow_options *options)
{
    struct replay_flow *flow = x_calloc(1, sizeof *flow);
    size_t *talks = find_talks(options);

    flow->options = *options;
    flow->record = options->record;
    start(flow, talks);
    free(talks);
    return flow;
}

void replay_flow_free(struct replay_flow *flow)
{
    if (flow == NULL)
        return;
    loop_timer_stop(&flow->tick);
    for (size_t i = 0; i < flow->play.count; i++)
        talk_state_done(&flow->states[i]);
    free(flow->states);
    replay_play_done(&flow->play);
    replay_record_free(flow->record);
    free(flow);
}

/* ---- questions ---- */

const struct talk_state *replay_flow_single(const struct replay_flow *flow)
{
    return flow->play.count == 1 && !talk_state_ended(&flow->states[0])
               ? &flow->states[0]
               : NULL;
}

int64_t replay_flow_now_us(const struct replay_flow *flow)
{
    return replay_clock_now(&flow->clock, clock_mono_us());
}

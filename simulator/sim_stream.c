/* sim_stream.c - see sim_stream.h.
 *
 * Flow: sim_stream_start_take [-> blocked: its model is in use, loaded otherwise]
 *       [-> loading] -> waiting -> admit (a slot is free) -> evaluating -> on_due,
 * first token -> speaking -> on_due, token ... -> finish -> over [or -> break_off
 *       -> on_due, comment ...] -> sim_speech_free (from the server's on_gone, in any
 *       state)
 */
#include "simulator/sim_stream.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "net/loop.h"
#include "simulator/flavor.h"
#include "simulator/sim_speech.h"
#include "simulator/sim_wire.h"
#include "simulator/slots.h"

#define US_PER_MS INT64_C(1000)
enum {
    LOAD_MS = 90000,   /* as long as a large model takes from a slow disk */
    BLOCKED_MAX = 512, /* as the real server's OLLAMA_MAX_QUEUE */
    STATUS_BUSY = 503,
    LINE_MAX_BYTES = 128 << 20
};

struct sim_stream *sim_stream_new(struct loop *loop, const struct sim_options *options)
{
    struct sim_stream *stream = x_calloc(1, sizeof(*stream));

    assert(options->parallel >= 1);
    stream->loop = loop;
    stream->options = options;
    stream->slots = slots_new((size_t)options->parallel);
    rng_init(&stream->rng, options->seed);
    TAILQ_INIT(&stream->waiting);
    TAILQ_INIT(&stream->blocked);
    buf_init(&stream->line, LINE_MAX_BYTES);
    return stream;
}

void sim_stream_free(struct sim_stream *stream)
{
    if (stream == NULL)
        return;
    assert(TAILQ_EMPTY(&stream->waiting) && TAILQ_EMPTY(&stream->blocked));
    slots_free(stream->slots);
    buf_done(&stream->line);
    free(stream);
}

/* ---- slots ---- */

static void start_evaluating(struct sim_speech *speech, size_t common)
{
    const struct fault *fault = speech->fault;
    size_t whole = speech->reply.prompt_tokens;
    int64_t wait_us = sim_speak_pace_us(
        speech, (double)(speech->stream->options->first_token_ms * US_PER_MS));

    /* The last token is always evaluated anew: it yields the first of the reply. */
    speech->cached_tokens = common < whole ? common : whole - 1;
    speech->state = SPEECH_EVALUATING;
    speech->admitted_us = clock_mono_us();
    if (fault->kind == FAULT_STALL_FIRST && fault->delay_ms < 0)
        return; /* for ever */
    if (fault->kind == FAULT_STALL_FIRST)
        wait_us += fault->delay_ms * US_PER_MS;
    loop_timer_start_us(&speech->timer, wait_us);
}

/* Gives free slots to those that have waited longest. */
static void admit(struct sim_stream *stream)
{
    struct sim_speech *speech = NULL;

    while ((speech = TAILQ_FIRST(&stream->waiting))) {
        size_t common = 0;

        speech->slot = slots_enter_take(stream->slots, speech->request.model->name,
                                        &speech->reply.prompt, &common);
        if (speech->slot == NULL)
            return;
        TAILQ_REMOVE(&stream->waiting, speech, link);
        start_evaluating(speech, common);
    }
}

static void queue_up(struct sim_speech *speech)
{
    speech->state = SPEECH_WAITING;
    speech->loaded_us = clock_mono_us();
    TAILQ_INSERT_TAIL(&speech->stream->waiting, speech, link);
    admit(speech->stream);
}

/* ---- models ---- */

static void on_loaded(struct sim_speech *speech)
{
    if (speech->request.empty)
        sim_speak_loaded(speech);
    else
        queue_up(speech);
}

static void start_loading(struct sim_speech *speech)
{
    speech->state = SPEECH_LOADING;
    if (speech->fault->kind == FAULT_SLOW_LOAD)
        loop_timer_start(&speech->timer, fault_or(speech->fault->delay_ms, LOAD_MS));
    else if (speech->request.empty)
        loop_timer_start(&speech->timer, 0); /* its answer lets others in: not here */
    else
        on_loaded(speech);
}

static void enter_model(struct sim_speech *speech, enum sim_load load)
{
    const struct sim_request *request = &speech->request;

    sim_model_enter(request->model, &request->runner, request->keep_alive_ms,
                    clock_wall_us());
    speech->entered = true;
    speech->load = load;
    start_loading(speech);
}

static enum sim_load load_needed(const struct sim_speech *speech)
{
    const struct sim_request *request = &speech->request;

    return sim_model_needs(request->model, &request->runner, clock_wall_us());
}

/* In the order of their arrival: the first that must wait holds up those behind it. */
static void unblock(struct sim_stream *stream)
{
    struct sim_speech *speech = NULL;

    while ((speech = TAILQ_FIRST(&stream->blocked))) {
        enum sim_load load = load_needed(speech);

        if (load == SIM_LOAD_CHANGED && speech->request.model->busy > 0)
            return;
        TAILQ_REMOVE(&stream->blocked, speech, link);
        stream->blocked_count--;
        enter_model(speech, load);
    }
}

static void block(struct sim_speech *speech)
{
    struct sim_stream *stream = speech->stream;

    if (stream->blocked_count == BLOCKED_MAX) {
        sim_speak_refuse(speech, STATUS_BUSY,
                         "server busy, please try again.  maximum pending requests "
                         "exceeded");
        return;
    }
    speech->state = SPEECH_BLOCKED;
    TAILQ_INSERT_TAIL(&stream->blocked, speech, link);
    stream->blocked_count++;
}

/* As the real server's scheduler: who needs no loading passes by those who do. */
static void find_model(struct sim_speech *speech)
{
    enum sim_load load = load_needed(speech);
    bool free = load == SIM_LOAD_COLD || speech->request.model->busy == 0;

    if (load == SIM_LOAD_NONE || (free && TAILQ_EMPTY(&speech->stream->blocked)))
        enter_model(speech, load);
    else
        block(speech);
}

void sim_speech_leave(struct sim_speech *speech)
{
    struct sim_stream *stream = speech->stream;

    if (speech->slot)
        slots_leave(speech->slot);
    if (speech->entered)
        sim_model_leave(speech->request.model, clock_wall_us());
    speech->slot = NULL;
    speech->entered = false;
    admit(stream);
    unblock(stream);
}

/* ---- in time ---- */

static void on_ping(struct loop_timer *timer, void *owner)
{
    struct sim_speech *speech = owner;

    sim_speak_ping(speech);
    loop_timer_start(timer, speech->request.flavor->ping_ms);
}

static void start_pings(struct sim_speech *speech)
{
    const struct sim_request *request = &speech->request;

    loop_timer_init(&speech->ping, speech->stream->loop, on_ping, speech);
    if (request->stream && request->flavor && request->flavor->ping)
        loop_timer_start(&speech->ping, request->flavor->ping_ms);
}

static void on_due(struct loop_timer *timer, void *owner)
{
    struct sim_speech *speech = owner;

    (void)timer;
    if (speech->state == SPEECH_LOADING)
        on_loaded(speech);
    else if (speech->state == SPEECH_EVALUATING)
        sim_speak_start(speech);
    else if (speech->state == SPEECH_COMMENTING)
        sim_speak_comment(speech);
    else
        sim_speak_on(speech);
}

/* ---- begin and end ---- */

struct sim_speech *sim_stream_start_take(struct sim_stream *stream,
                                         const struct sim_ask *ask,
                                         struct sim_request *request,
                                         struct sim_reply *reply)
{
    struct sim_speech *speech = x_calloc(1, sizeof(*speech));

    speech->stream = stream;
    speech->out = ask->out;
    speech->fault = ask->fault;
    speech->wire = sim_wire_of(request);
    speech->request = *request;
    speech->reply = *reply;
    speech->arrived_us = ask->arrived_us;
    *request = (struct sim_request){0};
    *reply = (struct sim_reply){0};
    loop_timer_init(&speech->timer, stream->loop, on_due, speech);
    start_pings(speech);
    if (speech->request.flavor != flavor_ollama)
        start_loading(speech); /* such a server has loaded its model long ago */
    else
        find_model(speech);
    return speech;
}

size_t sim_speech_tokens(const struct sim_speech *speech)
{
    return speech->tokens;
}

enum sim_load sim_speech_load(const struct sim_speech *speech)
{
    return speech->load;
}

bool sim_speech_refused(const struct sim_speech *speech)
{
    return speech->refused;
}

void sim_speech_free(struct sim_speech *speech)
{
    loop_timer_stop(&speech->timer);
    loop_timer_stop(&speech->ping);
    if (speech->state == SPEECH_WAITING)
        TAILQ_REMOVE(&speech->stream->waiting, speech, link);
    if (speech->state == SPEECH_BLOCKED) {
        TAILQ_REMOVE(&speech->stream->blocked, speech, link);
        speech->stream->blocked_count--;
    }
    sim_speech_leave(speech);
    sim_request_done(&speech->request);
    sim_reply_done(&speech->reply);
    free(speech);
}

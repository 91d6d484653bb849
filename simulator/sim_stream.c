/* sim_stream.c - see sim_stream.h.
 *
 * Flow: sim_stream_start_take [-> loading] -> waiting -> admit (a slot is free)
 *       -> evaluating -> on_due, first token -> speaking -> on_due, token ... -> finish
 *       -> over [or -> break_off -> on_due, comment ...]
 *       -> sim_speech_free (from the server's on_gone, in any state)
 *
 * The last chunk comes one step after the last token: a model spends that step on the
 * token that ends the text. So eval_count by eval_duration is the speed asked for.
 */
#include "simulator/sim_stream.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/queue.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "net/loop.h"
#include "simulator/flavor.h"
#include "simulator/sim_piece.h"
#include "simulator/sim_wire.h"
#include "simulator/slots.h"
#include "simulator/tokens.h"

#define US_PER_MS INT64_C(1000)
enum {
    BATCH = 64,       /* tokens a turn of the loop, when there is no pace */
    BLOCKED_MS = 10,  /* until a slow reader is tried again */
    COMMENT_MS = 100, /* between signs of life, where the fault does not say */
    LOAD_MS = 90000,  /* as long as a large model takes from a slow disk */
    DEFAULT_TOKENS = 3,
    LINE_MAX_BYTES = 128 << 20
};

enum speech_state {
    SPEECH_LOADING,
    SPEECH_WAITING,
    SPEECH_EVALUATING,
    SPEECH_SPEAKING,
    SPEECH_COMMENTING, /* a fault: signs of life, but no more words */
    SPEECH_OVER
};

struct sim_speech {
    TAILQ_ENTRY(sim_speech) link; /* in waiting */
    struct sim_stream *stream;
    struct sim_out *out; /* borrowed, as the fault */
    const struct fault *fault;
    const struct sim_wire *wire;
    struct sim_request request; /* owned, as the reply */
    struct sim_reply reply;
    struct loop_timer timer;
    struct loop_timer ping; /* while the first token is awaited */
    enum speech_state state;
    struct slot *slot; /* NULL: none */
    size_t cached_tokens;
    size_t thought; /* bytes of the thinking that were told */
    size_t at;      /* bytes of the text that were said */
    size_t tokens;  /* told and said */
    bool begun;     /* the answer's head was sent */
    bool opened;    /* what a stream begins with was written */
    int64_t arrived_us;
    int64_t loaded_us;
    int64_t admitted_us;
    int64_t first_us; /* when the prompt was evaluated */
    int64_t due_us;   /* of the next token */
};

struct sim_stream {
    struct loop *loop;
    const struct sim_options *options;
    struct slots *slots;
    struct rng rng; /* for the jitter */
    TAILQ_HEAD(sim_speeches, sim_speech) waiting;
    struct buf line;
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
    buf_init(&stream->line, LINE_MAX_BYTES);
    return stream;
}

void sim_stream_free(struct sim_stream *stream)
{
    if (stream == NULL)
        return;
    assert(TAILQ_EMPTY(&stream->waiting));
    slots_free(stream->slots);
    buf_done(&stream->line);
    free(stream);
}

/* ---- slots ---- */

/* A time as long as the model takes for it now. */
static int64_t pace_us(const struct sim_speech *speech, double us)
{
    struct sim_stream *stream = speech->stream;
    double factor = 1 + stream->options->jitter * (2 * rng_unit(&stream->rng) - 1);

    if (speech->fault->kind == FAULT_SLOW)
        factor *= speech->fault->factor;
    return (int64_t)(us * factor);
}

static int64_t step_us(const struct sim_speech *speech)
{
    double rate = speech->stream->options->tokens_per_second;

    return rate > 0 ? pace_us(speech, 1e6 / rate) : 0;
}

static void start_evaluating(struct sim_speech *speech, size_t common)
{
    const struct fault *fault = speech->fault;
    struct sim_model *model = speech->request.model;
    size_t whole = speech->reply.prompt_tokens;
    int64_t wait_us =
        pace_us(speech, (double)(speech->stream->options->first_token_ms * US_PER_MS));

    /* The last token is always evaluated anew: it yields the first of the reply. */
    speech->cached_tokens = common < whole ? common : whole - 1;
    model->busy++;
    model->num_ctx = speech->request.num_ctx;
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

static void leave_slot(struct sim_speech *speech)
{
    struct sim_model *model = speech->request.model;
    int64_t keep_ms = speech->request.keep_alive_ms;

    if (speech->slot == NULL)
        return;
    slots_leave(speech->slot);
    speech->slot = NULL;
    model->busy--;
    model->expires_us =
        keep_ms < 0 ? SIM_FOREVER : clock_wall_us() + keep_ms * US_PER_MS;
    admit(speech->stream);
}

/* ---- speaking ---- */

/* An empty piece of the stream, to be filled by the wire's functions. */
static struct buf *new_line(struct sim_speech *speech)
{
    buf_clear(&speech->stream->line);
    speech->request.now_us = clock_wall_us();
    return &speech->stream->line;
}

/* What stands in the line; false when the reader is too slow, or gone. */
static bool write_line(struct sim_speech *speech, enum sim_piece piece)
{
    sim_piece_dress(speech->fault, &speech->request, piece, &speech->stream->line);
    return sim_out_write(speech->out, buf_str(&speech->stream->line), piece);
}

static bool open_stream(struct sim_speech *speech)
{
    struct buf *line = new_line(speech);

    sim_piece_open(speech->wire, speech->fault, &speech->request, line);
    if (line->len > 0 && !write_line(speech, SIM_PIECE_OTHER))
        return false;
    speech->opened = true;
    return true;
}

static bool said_all(const struct sim_speech *speech)
{
    return speech->at == speech->reply.text.len
           && speech->thought == speech->reply.thinking.len;
}

/* The next token; false when the reader is too slow, or gone. */
static bool say_token(struct sim_speech *speech)
{
    bool thought = speech->thought < speech->reply.thinking.len;
    struct str text = buf_str(thought ? &speech->reply.thinking : &speech->reply.text);
    size_t *at = thought ? &speech->thought : &speech->at;
    struct sim_bit bit = {tokens_first(str_make(text.at + *at, text.len - *at)),
                          thought, speech->tokens == 0};

    if (speech->request.stream) {
        speech->wire->token(&speech->request, &bit, new_line(speech));
        if (speech->stream->line.len > 0 && !write_line(speech, SIM_PIECE_TOKEN))
            return false;
    }
    *at += bit.text.len;
    speech->tokens++;
    if (speech->fault->kind == FAULT_ENDLESS && said_all(speech))
        speech->at = 0;
    speech->due_us += step_us(speech);
    return true;
}

static const char *reason_of(const struct sim_speech *speech)
{
    const struct sim_reply *reply = &speech->reply;

    if (reply->tool && speech->request.endpoint == SIM_COMPLETIONS)
        return "tool_calls";
    return reply->load ? "load" : reply->cut ? "length" : "stop";
}

static void count_up(const struct sim_speech *speech, struct sim_figures *ret_figures)
{
    int64_t now_us = clock_mono_us();
    const struct sim_reply *reply = &speech->reply;

    *ret_figures = (struct sim_figures){
        .done_reason = reason_of(speech),
        .counted = !reply->load,
        .total_us = now_us - speech->arrived_us,
        .load_us = speech->loaded_us - speech->arrived_us,
        .prompt_us = speech->first_us - speech->admitted_us,
        .eval_us = now_us - speech->first_us,
        .prompt_tokens = reply->prompt_tokens,
        .cached_tokens = speech->cached_tokens,
        .tokens = reply->tokens,
    };
}

/* The last chunk of a stream; false when the reader is too slow, or gone. */
static bool finish_stream(struct sim_speech *speech, const struct sim_figures *figures)
{
    struct buf *line = new_line(speech);

    if (speech->reply.tool)
        speech->wire->tool(&speech->request, line);
    sim_piece_close(speech->wire, speech->fault, &speech->request, figures, line);
    if (!write_line(speech, SIM_PIECE_END))
        return false;
    sim_out_end(speech->out);
    return true;
}

static bool finish(struct sim_speech *speech)
{
    struct sim_words words = {.text = buf_str(&speech->reply.text),
                              .thinking = buf_str(&speech->reply.thinking),
                              .tool = speech->reply.tool};
    struct sim_figures figures = {0};

    count_up(speech, &figures);
    if (speech->request.stream) {
        if (!finish_stream(speech, &figures))
            return false;
    } else {
        speech->wire->whole(&speech->request, &words, &figures, new_line(speech));
        sim_out_reply(speech->out, 200, "application/json; charset=utf-8",
                      buf_str(&speech->stream->line));
    }
    speech->state = SPEECH_OVER;
    leave_slot(speech);
    return true;
}

/* ---- a fault in the middle ---- */

static bool breaks_now(const struct sim_speech *speech)
{
    const struct fault *fault = speech->fault;

    if (fault->kind != FAULT_ERROR_LINE && fault->kind != FAULT_COMMENTS)
        return false;
    if (fault->after_bytes >= 0
        && (int64_t)sim_out_count(speech->out).bytes >= fault->after_bytes)
        return true;
    return said_all(speech)
           || (fault->after_bytes < 0
               && (int64_t)speech->tokens
                      >= fault_or(fault->after_tokens, DEFAULT_TOKENS));
}

static void comment(struct sim_speech *speech)
{
    speech->wire->comment(speech->fault, new_line(speech));
    /* A reader that takes no more misses one of many. */
    (void)write_line(speech, SIM_PIECE_OTHER);
    loop_timer_start(&speech->timer, fault_or(speech->fault->delay_ms, COMMENT_MS));
}

/* Instead of the next token. A slot is held until the client goes away. */
static void break_off(struct sim_speech *speech)
{
    struct buf *line = new_line(speech);

    if (speech->fault->kind == FAULT_COMMENTS) {
        speech->state = SPEECH_COMMENTING;
        if (speech->request.stream)
            comment(speech);
        return;
    }
    speech->state = SPEECH_OVER;
    sim_out_cut(speech->out);
    if (speech->request.stream) {
        speech->wire->broken(&speech->request, speech->fault, line);
        if (line->len > 0)
            (void)write_line(speech, SIM_PIECE_OTHER); /* lost: it ends without */
        sim_out_end(speech->out);
    } else {
        speech->wire->error(&speech->request, 500,
                            "the model runner has unexpectedly stopped", line);
        sim_out_reply(speech->out, 500, "application/json; charset=utf-8",
                      buf_str(line));
    }
    leave_slot(speech);
}

/* ---- in time ---- */

/* Says all that is due. What was held up by a slow reader is not caught up with. */
static void speak(struct sim_speech *speech)
{
    int64_t now_us = clock_mono_us();
    int batch = 0;
    bool ok = speech->opened || !speech->request.stream || open_stream(speech);

    while (ok && !said_all(speech) && !breaks_now(speech) && speech->due_us <= now_us
           && batch++ < BATCH)
        ok = say_token(speech);
    if (ok && breaks_now(speech)) {
        break_off(speech);
        return;
    }
    if (ok && said_all(speech) && speech->due_us <= now_us)
        ok = finish(speech);
    if (!ok) {
        speech->due_us = now_us + BLOCKED_MS * US_PER_MS;
        loop_timer_start(&speech->timer, BLOCKED_MS);
    } else if (speech->state != SPEECH_OVER) {
        loop_timer_start_us(&speech->timer,
                            speech->due_us > now_us ? speech->due_us - now_us : 0);
    }
}

static void begin_stream(struct sim_speech *speech)
{
    const struct flavor *flavor = speech->request.flavor;

    if (speech->begun)
        return;
    speech->begun = true;
    if (flavor && flavor->native_reason)
        sim_out_header(speech->out, "X-Generation-Id", flavor->id);
    sim_out_begin(speech->out, 200, speech->wire->type);
}

static void start_speaking(struct sim_speech *speech)
{
    speech->state = SPEECH_SPEAKING;
    speech->first_us = clock_mono_us();
    speech->due_us = speech->first_us;
    loop_timer_stop(&speech->ping);
    if (speech->request.stream)
        begin_stream(speech);
    speak(speech);
}

/* Some servers show that they are alive while they think. */
static void on_ping(struct loop_timer *timer, void *owner)
{
    struct sim_speech *speech = owner;
    const struct flavor *flavor = speech->request.flavor;

    begin_stream(speech);
    (void)sim_out_write(speech->out, str_of(flavor->ping),
                        SIM_PIECE_OTHER); /* or not */
    loop_timer_start(timer, flavor->ping_ms);
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
        queue_up(speech);
    else if (speech->state == SPEECH_EVALUATING)
        start_speaking(speech);
    else if (speech->state == SPEECH_COMMENTING)
        comment(speech);
    else
        speak(speech);
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
    if (ask->fault->kind == FAULT_SLOW_LOAD)
        loop_timer_start(&speech->timer, fault_or(ask->fault->delay_ms, LOAD_MS));
    else
        queue_up(speech);
    return speech;
}

size_t sim_speech_tokens(const struct sim_speech *speech)
{
    return speech->tokens;
}

void sim_speech_free(struct sim_speech *speech)
{
    loop_timer_stop(&speech->timer);
    loop_timer_stop(&speech->ping);
    if (speech->state == SPEECH_WAITING)
        TAILQ_REMOVE(&speech->stream->waiting, speech, link);
    leave_slot(speech);
    sim_request_done(&speech->request);
    sim_reply_done(&speech->reply);
    free(speech);
}

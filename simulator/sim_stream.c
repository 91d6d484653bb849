/* sim_stream.c - see sim_stream.h.
 *
 * Flow: sim_stream_start_take -> waiting -> admit (a slot is free) -> evaluating
 *       -> on_due, first token -> speaking -> on_due, token ... -> finish -> over
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
#include "net/serve.h"
#include "simulator/sim_wire.h"
#include "simulator/tokens.h"

#define US_PER_MS INT64_C(1000)
enum {
    BATCH = 64,           /* tokens a turn of the loop, when there is no pace */
    BLOCKED_MS = 10,      /* until a slow reader is tried again */
    SLOTS_LOOKED_AT = 64, /* for a common start */
    LINE_MAX_BYTES = 128 << 20
};

enum speech_state { SPEECH_WAITING, SPEECH_EVALUATING, SPEECH_SPEAKING, SPEECH_OVER };

struct sim_slot {
    bool taken;
    char *model; /* owned, as the prompt: what it was used for last; NULL: nothing */
    char *prompt;
    size_t prompt_len;
};

struct sim_speech {
    TAILQ_ENTRY(sim_speech) link; /* in waiting */
    struct sim_stream *stream;
    struct serve_request *http; /* borrowed */
    struct sim_request request; /* owned, as the reply */
    struct sim_reply reply;
    struct loop_timer timer;
    enum speech_state state;
    struct sim_slot *slot; /* NULL: none */
    size_t cached_tokens;
    size_t at; /* bytes of the text that were said */
    int64_t arrived_us;
    int64_t loaded_us;
    int64_t admitted_us;
    int64_t first_us; /* when the prompt was evaluated */
    int64_t due_us;   /* of the next token */
};

struct sim_stream {
    struct loop *loop;
    const struct sim_options *options;
    struct sim_slot *slots; /* options->parallel of them */
    size_t slot_count;
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
    stream->slot_count = (size_t)options->parallel;
    stream->slots = x_calloc(stream->slot_count, sizeof(*stream->slots));
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
    for (size_t i = 0; i < stream->slot_count; i++) {
        assert(!stream->slots[i].taken);
        free(stream->slots[i].model);
        free(stream->slots[i].prompt);
    }
    free(stream->slots);
    buf_done(&stream->line);
    free(stream);
}

/* ---- slots ---- */

static size_t common_tokens(const struct sim_slot *slot,
                            const struct sim_speech *speech)
{
    if (slot->model == NULL
        || !str_is(str_of(slot->model), speech->request.model->name))
        return 0;
    return sim_prompt_common_tokens(str_make(slot->prompt, slot->prompt_len),
                                    buf_str(&speech->reply.prompt));
}

/* The free slot with the longest common start; NULL when none is free. */
static struct sim_slot *find_slot(struct sim_stream *stream,
                                  const struct sim_speech *speech, size_t *ret_common)
{
    struct sim_slot *best = NULL;
    size_t looked_at = 0;

    for (size_t i = 0; i < stream->slot_count && looked_at < SLOTS_LOOKED_AT; i++) {
        struct sim_slot *slot = &stream->slots[i];
        size_t common = 0;

        if (slot->taken)
            continue;
        common = common_tokens(slot, speech);
        /* An unused one is better than overwriting what another may come back for. */
        if (best == NULL || common > *ret_common
            || (common == *ret_common && best->model && slot->model == NULL)) {
            best = slot;
            *ret_common = common;
        }
        looked_at++;
    }
    return best;
}

static void take_slot(struct sim_speech *speech, struct sim_slot *slot, size_t common)
{
    struct sim_model *model = speech->request.model;
    size_t whole = speech->reply.prompt_tokens;

    slot->taken = true;
    free(slot->model);
    free(slot->prompt);
    slot->model = x_strdup(model->name);
    slot->prompt_len = speech->reply.prompt.len;
    slot->prompt = buf_take(&speech->reply.prompt);
    speech->slot = slot;
    /* The last token is always evaluated anew: it yields the first of the reply. */
    speech->cached_tokens = common < whole ? common : whole - 1;
    model->busy++;
    model->num_ctx = speech->request.num_ctx;
}

static int64_t jittered_us(struct sim_stream *stream, double us)
{
    double factor = 1 + stream->options->jitter * (2 * rng_unit(&stream->rng) - 1);

    return (int64_t)(us * factor);
}

static int64_t step_us(struct sim_stream *stream)
{
    double rate = stream->options->tokens_per_second;

    return rate > 0 ? jittered_us(stream, 1e6 / rate) : 0;
}

/* Gives free slots to those that have waited longest. */
static void admit(struct sim_stream *stream)
{
    struct sim_speech *speech = NULL;
    struct sim_slot *slot = NULL;

    while ((speech = TAILQ_FIRST(&stream->waiting))) {
        size_t common = 0;

        slot = find_slot(stream, speech, &common);
        if (slot == NULL)
            return;
        TAILQ_REMOVE(&stream->waiting, speech, link);
        take_slot(speech, slot, common);
        speech->state = SPEECH_EVALUATING;
        speech->admitted_us = clock_mono_us();
        speech->due_us = speech->admitted_us
                         + jittered_us(stream, (double)(stream->options->first_token_ms
                                                        * US_PER_MS));
        loop_timer_start_us(&speech->timer, speech->due_us - speech->admitted_us);
    }
}

static void leave_slot(struct sim_speech *speech)
{
    struct sim_model *model = speech->request.model;
    int64_t keep_ms = speech->request.keep_alive_ms;

    if (speech->slot == NULL)
        return;
    speech->slot->taken = false;
    speech->slot = NULL;
    model->busy--;
    model->expires_us =
        keep_ms < 0 ? SIM_FOREVER : clock_wall_us() + keep_ms * US_PER_MS;
    admit(speech->stream);
}

/* ---- speaking ---- */

static bool write_line(struct sim_speech *speech)
{
    struct buf *line = &speech->stream->line;

    (void)buf_add_char(line, '\n');
    return serve_write(speech->http, buf_str(line));
}

/* The next token; false when the reader is too slow, or gone. */
static bool say_token(struct sim_speech *speech)
{
    struct str text = buf_str(&speech->reply.text);
    struct str token =
        tokens_first(str_make(text.at + speech->at, text.len - speech->at));

    if (speech->request.stream) {
        buf_clear(&speech->stream->line);
        sim_wire_chunk(&speech->request, token, clock_wall_us(), &speech->stream->line);
        if (!write_line(speech))
            return false;
    }
    speech->at += token.len;
    speech->due_us += step_us(speech->stream);
    return true;
}

static void count_up(const struct sim_speech *speech, struct sim_figures *ret_figures)
{
    int64_t now_us = clock_mono_us();

    *ret_figures = (struct sim_figures){
        .done_reason = speech->reply.cut ? "length" : "stop",
        .counted = true,
        .total_us = now_us - speech->arrived_us,
        .load_us = speech->loaded_us - speech->arrived_us,
        .prompt_us = speech->first_us - speech->admitted_us,
        .eval_us = now_us - speech->first_us,
        .prompt_tokens = speech->reply.prompt_tokens,
        .cached_tokens = speech->cached_tokens,
        .tokens = speech->reply.tokens,
    };
}

/* The last chunk of a stream; false when the reader is too slow, or gone. */
static bool finish_stream(struct sim_speech *speech, const struct sim_figures *figures)
{
    buf_clear(&speech->stream->line);
    sim_wire_end(&speech->request, str_make("", 0), clock_wall_us(), figures,
                 &speech->stream->line);
    if (!write_line(speech))
        return false;
    serve_end(speech->http);
    return true;
}

static bool finish(struct sim_speech *speech)
{
    struct buf *line = &speech->stream->line;
    struct sim_figures figures = {0};

    count_up(speech, &figures);
    if (speech->request.stream) {
        if (!finish_stream(speech, &figures))
            return false;
    } else {
        buf_clear(line);
        sim_wire_end(&speech->request, buf_str(&speech->reply.text), clock_wall_us(),
                     &figures, line);
        serve_reply(speech->http, 200, "application/json; charset=utf-8",
                    buf_str(line));
    }
    speech->state = SPEECH_OVER;
    leave_slot(speech);
    return true;
}

/* Says all that is due. What was held up by a slow reader is not caught up with. */
static void speak(struct sim_speech *speech)
{
    int64_t now_us = clock_mono_us();
    int batch = 0;
    bool ok = true;

    while (ok && speech->at < speech->reply.text.len && speech->due_us <= now_us
           && batch++ < BATCH)
        ok = say_token(speech);
    if (ok && speech->at == speech->reply.text.len && speech->due_us <= now_us)
        ok = finish(speech);
    if (!ok) {
        speech->due_us = now_us + BLOCKED_MS * US_PER_MS;
        loop_timer_start(&speech->timer, BLOCKED_MS);
    } else if (speech->state != SPEECH_OVER) {
        loop_timer_start_us(&speech->timer,
                            speech->due_us > now_us ? speech->due_us - now_us : 0);
    }
}

static void on_due(struct loop_timer *timer, void *owner)
{
    struct sim_speech *speech = owner;

    (void)timer;
    if (speech->state == SPEECH_EVALUATING) {
        speech->state = SPEECH_SPEAKING;
        speech->first_us = clock_mono_us();
        speech->due_us = speech->first_us;
        if (speech->request.stream)
            serve_begin(speech->http, 200, "application/x-ndjson");
    }
    speak(speech);
}

/* ---- begin and end ---- */

struct sim_speech *sim_stream_start_take(struct sim_stream *stream,
                                         struct serve_request *http,
                                         struct sim_request *request,
                                         struct sim_reply *reply, int64_t arrived_us)
{
    struct sim_speech *speech = x_calloc(1, sizeof(*speech));

    speech->stream = stream;
    speech->http = http;
    speech->request = *request;
    speech->reply = *reply;
    speech->arrived_us = arrived_us;
    speech->loaded_us = clock_mono_us();
    *request = (struct sim_request){0};
    *reply = (struct sim_reply){0};
    loop_timer_init(&speech->timer, stream->loop, on_due, speech);
    TAILQ_INSERT_TAIL(&stream->waiting, speech, link);
    admit(stream);
    return speech;
}

void sim_speech_free(struct sim_speech *speech)
{
    loop_timer_stop(&speech->timer);
    if (speech->state == SPEECH_WAITING)
        TAILQ_REMOVE(&speech->stream->waiting, speech, link);
    leave_slot(speech);
    sim_request_done(&speech->request);
    sim_reply_done(&speech->reply);
    free(speech);
}

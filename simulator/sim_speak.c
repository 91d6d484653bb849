/* sim_speak.c - what is said, piece by piece (sim_speech.h).
 *
 * Flow: sim_speak_start -> speak: open_stream -> say_token ... -> finish
 *       [-> break_off -> sim_speak_comment ...]
 *
 * The last chunk comes one step after the last token: a model spends that step on the
 * token that ends the text. So eval_count by eval_duration is the speed asked for.
 */
#include "base/clock.h"
#include "simulator/fault.h"
#include "simulator/flavor.h"
#include "simulator/sim.h"
#include "simulator/sim_out.h"
#include "simulator/sim_piece.h"
#include "simulator/sim_speech.h"
#include "simulator/sim_wire.h"
#include "simulator/tokens.h"

#define US_PER_MS INT64_C(1000)
#define JSON      "application/json; charset=utf-8"
enum {
    BATCH = 64,       /* tokens a turn of the loop, when there is no pace */
    BLOCKED_MS = 10,  /* until a slow reader is tried again */
    COMMENT_MS = 100, /* between signs of life, where the fault does not say */
    DEFAULT_TOKENS = 3
};

int64_t sim_speak_pace_us(const struct sim_speech *speech, double us)
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

    return rate > 0 ? sim_speak_pace_us(speech, 1e6 / rate) : 0;
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
        .thoughts = tokens_count(buf_str(&reply->thinking)),
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
        sim_out_reply(speech->out, 200, JSON, buf_str(&speech->stream->line));
    }
    speech->state = SPEECH_OVER;
    sim_speech_leave(speech);
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

void sim_speak_comment(struct sim_speech *speech)
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
            sim_speak_comment(speech);
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
        sim_out_reply(speech->out, 500, JSON, buf_str(line));
    }
    sim_speech_leave(speech);
}

/* ---- in time ---- */

/* Says all that is due. What was held up by a slow reader is not caught up with. */
void sim_speak_on(struct sim_speech *speech)
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

void sim_speak_start(struct sim_speech *speech)
{
    speech->state = SPEECH_SPEAKING;
    speech->first_us = clock_mono_us();
    speech->due_us = speech->first_us;
    loop_timer_stop(&speech->ping);
    if (speech->request.stream)
        begin_stream(speech);
    sim_speak_on(speech);
}

void sim_speak_ping(struct sim_speech *speech)
{
    begin_stream(speech);
    (void)sim_out_write(speech->out, str_of(speech->request.flavor->ping),
                        SIM_PIECE_OTHER); /* or not */
}

/* ---- without a word ---- */

void sim_speak_loaded(struct sim_speech *speech)
{
    const struct sim_figures figures = {.done_reason = "load"};

    speech->wire->whole(&speech->request, &(struct sim_words){0}, &figures,
                        new_line(speech));
    sim_out_reply(speech->out, 200, JSON, buf_str(&speech->stream->line));
    speech->state = SPEECH_OVER;
    sim_speech_leave(speech);
}

void sim_speak_refuse(struct sim_speech *speech, int status, const char *text)
{
    speech->state = SPEECH_OVER;
    speech->refused = true;
    speech->wire->error(&speech->request, status, text, new_line(speech));
    sim_out_reply(speech->out, status, JSON, buf_str(&speech->stream->line));
}

/* wire_ollama.c - Ollama's own API (sim_wire.h): JSON lines, the last one with counts.
 *
 * As on the real server zero figures are left out, durations are whole nanoseconds, and
 * /api/chat has `message` where /api/generate has `response`. A full buffer shows to
 * the caller as overflowed.
 */
#include "base/clock.h"
#include "proto/json_write.h"
#include "simulator/sim_wire.h"

/* As the real server's, in the place of a model that broke down. */
#define BROKEN "an error was encountered while running the model: unexpected EOF"

static void add_start(const struct sim_request *request, struct buf *into)
{
    char stamp[CLOCK_TEXT_SIZE] = "";

    clock_format_us(request->now_us, stamp);
    (void)buf_add_text(into, "{\"model\":");
    (void)json_write_text(into, request->model_name);
    (void)buf_printf(into, ",\"created_at\":\"%s\",", stamp);
}

static void add_thinking(struct str thinking, struct buf *into)
{
    if (thinking.len == 0)
        return;
    (void)buf_add_text(into, ",\"thinking\":");
    (void)json_write_string(into, thinking);
}

static void add_words(const struct sim_request *request, const struct sim_words *words,
                      struct buf *into)
{
    bool chat = request->endpoint == SIM_CHAT;

    (void)buf_add_text(into, chat ? "\"message\":{\"role\":\"assistant\",\"content\":"
                                  : "\"response\":");
    (void)json_write_string(into, words->text);
    add_thinking(words->thinking, into);
    if (chat && words->tool)
        (void)buf_add_text(into, ",\"tool_calls\":[{\"id\":\"call_0\",\"function\":{"
                                 "\"index\":0,\"name\":\"look_up\",\"arguments\":{"
                                 "\"what\":\"the tide\"}}}]");
    if (chat)
        (void)buf_add_char(into, '}');
}

static void add_chunk(const struct sim_request *request, const struct sim_words *words,
                      struct buf *into)
{
    add_start(request, into);
    add_words(request, words, into);
    (void)buf_add_text(into, ",\"done\":false}\n");
}

static void open_nothing(const struct sim_request *request, struct buf *into)
{
    (void)request;
    (void)into;
}

static void add_token(const struct sim_request *request, const struct sim_bit *bit,
                      struct buf *into)
{
    struct sim_words words = {0};

    if (bit->thought)
        words.thinking = bit->text;
    else
        words.text = bit->text;
    add_chunk(request, &words, into);
}

static void add_tool(const struct sim_request *request, struct buf *into)
{
    add_chunk(request, &(struct sim_words){.tool = true}, into);
}

static void add_blank(const struct sim_request *request, struct buf *into)
{
    add_chunk(request, &(struct sim_words){0}, into);
}

/* ---- the end ---- */

static void add_figure(const char *name, int64_t value, struct buf *into)
{
    if (value != 0)
        (void)buf_printf(into, ",\"%s\":%lld", name, (long long)value);
}

static void add_figures(const struct sim_figures *figures, struct buf *into)
{
    enum { NS_PER_US = 1000 };

    add_figure("total_duration", figures->total_us * NS_PER_US, into);
    add_figure("load_duration", figures->load_us * NS_PER_US, into);
    add_figure("prompt_eval_count", (int64_t)figures->prompt_tokens, into);
    (void)buf_printf(into, ",\"prompt_eval_cached_count\":%zu", figures->cached_tokens);
    add_figure("prompt_eval_duration", figures->prompt_us * NS_PER_US, into);
    add_figure("eval_count", (int64_t)figures->tokens, into);
    add_figure("eval_duration", figures->eval_us * NS_PER_US, into);
}

static void add_whole(const struct sim_request *request, const struct sim_words *words,
                      const struct sim_figures *figures, struct buf *into)
{
    add_start(request, into);
    add_words(request, words, into);
    (void)buf_printf(into, ",\"done\":true,\"done_reason\":\"%s\"",
                     figures->done_reason);
    if (figures->counted)
        add_figures(figures, into);
    (void)buf_add_char(into, '}');
}

/* Reason, counts and mark are one line here. */
static void add_close(const struct sim_request *request,
                      const struct sim_figures *figures, int parts, struct buf *into)
{
    if (!(parts & SIM_END_MARK))
        return;
    add_whole(request, &(struct sim_words){0}, figures, into);
    (void)buf_add_char(into, '\n');
}

/* ---- what goes wrong ---- */

static void add_error(const struct sim_request *request, int status, const char *text,
                      struct buf *into)
{
    (void)request;
    (void)buf_add_text(into, "{\"error\":");
    (void)json_write_text(into, text);
    if (status == 401)
        (void)buf_add_text(into, ",\"signin_url\":\"http://127.0.0.1/connect\"");
    (void)buf_add_char(into, '}');
}

static void add_broken(const struct sim_request *request, const struct fault *fault,
                       struct buf *into)
{
    if (fault_is(fault, "eof"))
        return;
    if (!fault_is(fault, "own") && !fault_is(fault, "line")) {
        sim_wire_broken_sse(fault, BROKEN, into);
        return;
    }
    add_error(request, 500, BROKEN, into);
    (void)buf_add_char(into, '\n');
}

static void add_comment(const struct fault *fault, struct buf *into)
{
    (void)fault; /* JSON lines have no comments, only blank lines */
    (void)buf_add_char(into, '\n');
}

const struct sim_wire wire_ollama = {
    .type = "application/x-ndjson",
    .open = open_nothing,
    .token = add_token,
    .tool = add_tool,
    .close = add_close,
    .whole = add_whole,
    .error = add_error,
    .broken = add_broken,
    .comment = add_comment,
    .blank = add_blank,
};

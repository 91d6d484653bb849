/* wire_openai.c - OpenAI's chat completions (sim_wire.h): server-sent events, each with
 * a chunk, in the dialect of the request's flavor. Without a stream the whole is one
 * object.
 *
 * Flow of a stream: open (the role) -> token ... -> close: the finish_reason, the
 * usage, [DONE]. A full buffer shows to the caller as overflowed.
 */
#include <limits.h>
#include <string.h>

#include "proto/json_write.h"
#include "simulator/flavor.h"
#include "simulator/sim_wire.h"

#define BROKEN "the model runner has unexpectedly stopped"

/* ---- a chunk ---- */

static void add_text(const char *key, const char *value, struct buf *into)
{
    (void)buf_printf(into, ",\"%s\":", key);
    (void)json_write_text(into, value);
}

static void add_start(const struct sim_request *request, const char *object,
                      struct buf *into)
{
    const struct flavor *flavor = request->flavor;

    (void)buf_printf(into, "{\"id\":\"%s%llu\",\"object\":\"%s\",\"created\":%lld",
                     flavor->id, (unsigned long long)request->number, object,
                     (long long)(request->arrived_wall_us / 1000000));
    add_text("model", request->model_name, into);
    if (flavor->fingerprint)
        add_text("system_fingerprint", flavor->fingerprint, into);
    if (flavor->refusal)
        add_text("service_tier", "default", into);
}

static void start_chunk(const struct sim_request *request, struct buf *into)
{
    (void)buf_add_text(into, "data: ");
    add_start(request, "chat.completion.chunk", into);
}

static void end_chunk(const struct sim_request *request, struct buf *into)
{
    /* Padding against listeners who count bytes. */
    if (strcmp(request->flavor->name, "openai") == 0 && request->obfuscate)
        add_text("obfuscation", "k3v9q2", into);
    (void)buf_add_text(into, "}\n\n");
}

static void start_delta(const struct sim_request *request, bool role, struct buf *into)
{
    start_chunk(request, into);
    (void)buf_add_text(into, ",\"choices\":[{\"index\":0,\"delta\":{");
    if (role)
        (void)buf_add_text(into, "\"role\":\"assistant\"");
}

static void end_delta(const struct sim_request *request, const char *reason,
                      struct buf *into)
{
    (void)buf_add_text(into, "},\"logprobs\":null");
    add_text("finish_reason", reason, into);
    if (request->flavor->native_reason)
        add_text("native_finish_reason", reason, into);
    (void)buf_add_text(into, "}]");
    if (reason == NULL && request->flavor->usage_null && request->include_usage)
        (void)buf_add_text(into, ",\"usage\":null");
}

static void add_open(const struct sim_request *request, struct buf *into)
{
    enum flavor_role role = request->flavor->role;

    if (role != ROLE_OWN_EMPTY && role != ROLE_OWN_NULL)
        return;
    start_delta(request, true, into);
    (void)buf_add_text(into, role == ROLE_OWN_NULL ? ",\"content\":null"
                                                   : ",\"content\":\"\"");
    if (request->flavor->refusal)
        (void)buf_add_text(into, ",\"refusal\":null");
    end_delta(request, NULL, into);
    end_chunk(request, into);
}

static void add_token(const struct sim_request *request, const struct sim_bit *bit,
                      struct buf *into)
{
    const struct flavor *flavor = request->flavor;
    bool role =
        flavor->role == ROLE_EVERY || (flavor->role == ROLE_FIRST_TEXT && bit->first);
    const char *field = bit->thought ? flavor->reasoning : "content";

    if (field == NULL)
        return; /* thoughts are not shown */
    start_delta(request, role, into);
    (void)buf_printf(into, "%s\"%s\":", role ? "," : "", field);
    (void)json_write_string(into, bit->text);
    end_delta(request, NULL, into);
    end_chunk(request, into);
}

static void add_tool(const struct sim_request *request, struct buf *into)
{
    start_delta(request, true, into);
    (void)buf_add_text(
        into, ",\"content\":null,\"tool_calls\":[{\"index\":0,\"id\":\"call_0\","
              "\"type\":\"function\",\"function\":{\"name\":\"look_up\","
              "\"arguments\":\"{\\\"what\\\":\\\"the tide\\\"}\"}}]");
    end_delta(request, NULL, into);
    end_chunk(request, into);
}

static void add_blank(const struct sim_request *request, struct buf *into)
{
    start_chunk(request, into);
    (void)buf_add_text(into, ",\"choices\":[]");
    end_chunk(request, into);
}

/* ---- the end ---- */

static void add_usage(const struct sim_request *request,
                      const struct sim_figures *figures, struct buf *into)
{
    (void)buf_printf(into,
                     ",\"usage\":{\"prompt_tokens\":%zu,\"completion_tokens\":%zu,"
                     "\"total_tokens\":%zu,\"prompt_tokens_details\":{"
                     "\"cached_tokens\":%zu}",
                     figures->prompt_tokens, figures->tokens,
                     figures->prompt_tokens + figures->tokens, figures->cached_tokens);
    if (request->flavor->reasoning_tokens)
        (void)buf_printf(into,
                         ",\"completion_tokens_details\":{\"reasoning_tokens\":%zu}",
                         figures->thoughts);
    (void)buf_add_char(into, '}');
}

static double per_second(size_t count, int64_t us)
{
    return us > 0 ? (double)count * 1e6 / (double)us : 0;
}

/* As llama-server's: the cached part of the prompt is not in prompt_n. */
static void add_timings(const struct sim_figures *figures, struct buf *into)
{
    size_t fresh = figures->prompt_tokens - figures->cached_tokens;

    (void)buf_printf(
        into,
        ",\"timings\":{\"cache_n\":%zu,\"prompt_n\":%zu,\"prompt_ms\":%.3f,"
        "\"prompt_per_second\":%.3f,\"predicted_n\":%zu,"
        "\"predicted_ms\":%.3f,\"predicted_per_second\":%.3f}",
        figures->cached_tokens, fresh, (double)figures->prompt_us / 1e3,
        per_second(fresh, figures->prompt_us), figures->tokens,
        (double)figures->eval_us / 1e3, per_second(figures->tokens, figures->eval_us));
}

static void add_finish(const struct sim_request *request,
                       const struct sim_figures *figures, struct buf *into)
{
    const struct flavor *flavor = request->flavor;

    start_delta(request, false, into);
    end_delta(request, figures->done_reason, into);
    if (flavor->usage == USAGE_IN_FINISH)
        add_usage(request, figures, into);
    if (flavor->timings)
        add_timings(figures, into);
    end_chunk(request, into);
}

static void add_usage_chunk(const struct sim_request *request,
                            const struct sim_figures *figures, struct buf *into)
{
    start_chunk(request, into);
    (void)buf_add_text(into, ",\"choices\":[]");
    add_usage(request, figures, into);
    end_chunk(request, into);
}

static void add_close(const struct sim_request *request,
                      const struct sim_figures *figures, int parts, struct buf *into)
{
    enum flavor_usage usage = request->flavor->usage;
    bool wanted =
        usage == USAGE_ALWAYS || (usage == USAGE_ASKED && request->include_usage);

    if (parts & SIM_END_REASON)
        add_finish(request, figures, into);
    /* Alone it is what a fault wants, whatever was asked. */
    if (parts == SIM_END_USAGE || (parts & SIM_END_USAGE && wanted))
        add_usage_chunk(request, figures, into);
    if (parts & SIM_END_MARK)
        (void)buf_add_text(into, "data: [DONE]\n\n");
}

static void add_whole(const struct sim_request *request, const struct sim_words *words,
                      const struct sim_figures *figures, struct buf *into)
{
    const struct flavor *flavor = request->flavor;

    add_start(request, "chat.completion", into);
    (void)buf_add_text(into, ",\"choices\":[{\"index\":0,\"message\":{\"role\":"
                             "\"assistant\",\"content\":");
    (void)json_write_string(into, words->text);
    if (flavor->refusal)
        (void)buf_add_text(into, ",\"refusal\":null,\"annotations\":[]");
    if (flavor->reasoning && words->thinking.len > 0) {
        (void)buf_printf(into, ",\"%s\":", flavor->reasoning);
        (void)json_write_string(into, words->thinking);
    }
    if (words->tool)
        (void)buf_add_text(into, ",\"tool_calls\":[{\"id\":\"call_0\",\"type\":"
                                 "\"function\",\"function\":{\"name\":\"look_up\","
                                 "\"arguments\":\"{}\"}}]");
    (void)buf_add_text(into, "},\"logprobs\":null");
    add_text("finish_reason", figures->done_reason, into);
    if (flavor->native_reason)
        add_text("native_finish_reason", figures->done_reason, into);
    (void)buf_add_text(into, "}]");
    add_usage(request, figures, into);
    if (flavor->timings)
        add_timings(figures, into);
    (void)buf_add_char(into, '}');
}

/* ---- what goes wrong ---- */

/* What a status is called: by OpenAI, by Ollama and most, by servers written in Python.
 */
static const struct {
    int status;
    const char *openai;
    const char *code; /* OpenAI's */
    const char *type;
    const char *class;
} names[] = {
    {400, "invalid_request_error", NULL, "invalid_request_error", "BadRequestError"},
    {401, "invalid_request_error", "invalid_api_key", "authentication_error",
     "AuthenticationError"},
    {402, "insufficient_quota", "insufficient_quota", "invalid_request_error",
     "BadRequestError"},
    {404, "invalid_request_error", NULL, "not_found_error", "NotFoundError"},
    {429, "requests", "rate_limit_exceeded", "rate_limit_error", "RateLimitError"},
    {503, "server_error", NULL, "unavailable_error", "ServiceUnavailableError"},
    {499, "invalid_request_error", NULL, "invalid_request_error", "BadRequestError"},
    {INT_MAX, "server_error", NULL, "server_error", "InternalServerError"},
};

static size_t name_of(int status)
{
    size_t i = 0;

    while (names[i].status != status && i + 2 < sizeof names / sizeof *names)
        i++;
    /* Others are called as the rest of their hundred. */
    if (names[i].status != status && status >= 500)
        i++;
    return i;
}

static void add_details(const struct sim_request *request, int status, const char *text,
                        struct buf *into)
{
    const struct flavor *flavor = request->flavor;
    bool python = strcmp(flavor->name, "vllm") == 0 || flavor->error == ERROR_OBJECT;
    bool coded = flavor->error == ERROR_CODED;
    size_t at = name_of(status);

    (void)buf_add_text(into, "\"message\":");
    (void)json_write_text(into, text);
    add_text("type",
             python  ? names[at].class
             : coded ? names[at].openai
                     : names[at].type,
             into);
    add_text("param", coded ? request->refused_param : NULL, into);
    if (coded)
        add_text("code", request->refused_code ? request->refused_code : names[at].code,
                 into);
    else if (flavor->error == ERROR_UNCODED)
        (void)buf_add_text(into, ",\"code\":null");
    else
        (void)buf_printf(into, ",\"code\":%d", status);
}

static void add_error(const struct sim_request *request, int status, const char *text,
                      struct buf *into)
{
    enum flavor_error form = request->flavor->error;

    if (form == ERROR_TEXT || (status == 401 && request->flavor->no_key_plain)) {
        (void)buf_add_text(into, "{\"error\":");
        (void)json_write_text(into, text);
        (void)buf_add_char(into, '}');
        return;
    }
    (void)buf_add_text(into, form == ERROR_OBJECT ? "{\"object\":\"error\","
                                                  : "{\"error\":{");
    add_details(request, status, text, into);
    (void)buf_add_text(into, form == ERROR_OBJECT ? "}" : "}}");
}

/* OpenRouter's: a chunk that ends with an error, and says why beside it. */
static void add_broken_finish(const struct sim_request *request, struct buf *into)
{
    start_chunk(request, into);
    (void)buf_add_text(into, ",\"error\":{\"code\":502,\"message\":\"" BROKEN "\"},"
                             "\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},"
                             "\"finish_reason\":\"error\"}]}\n\n");
}

static void add_own_broken(const struct sim_request *request, struct buf *into)
{
    switch (request->flavor->broken) {
    case BROKEN_SILENT:
        add_token(request, &(struct sim_bit){0}, into);
        break;
    case BROKEN_FINISH:
        add_broken_finish(request, into);
        break;
    case BROKEN_FIELD:
        (void)buf_add_text(into, "error: {\"code\":500,\"message\":\"" BROKEN
                                 "\",\"type\":\"server_error\"}\n\ndata: [DONE]\n\n");
        break;
    case BROKEN_EVENT:
    case BROKEN_DATA:
    case BROKEN_DATA_DONE:
        if (request->flavor->broken == BROKEN_EVENT)
            (void)buf_add_text(into, "event: error\n");
        (void)buf_add_text(into, "data: {\"error\":{");
        add_details(request, 500, BROKEN, into);
        (void)buf_add_text(into, "}}\n\n");
        if (request->flavor->broken == BROKEN_DATA_DONE)
            (void)buf_add_text(into, "data: [DONE]\n\n");
        break;
    }
}

static void add_broken(const struct sim_request *request, const struct fault *fault,
                       struct buf *into)
{
    if (fault_is(fault, "own"))
        add_own_broken(request, into);
    else if (fault_is(fault, "line"))
        (void)buf_add_text(into, "{\"error\":\"" BROKEN "\"}\n");
    else if (!fault_is(fault, "eof"))
        sim_wire_broken_sse(fault, BROKEN, into);
}

static void add_comment(const struct fault *fault, struct buf *into)
{
    (void)buf_add_text(into, fault_is(fault, "blank") ? "\n" : ": still here\n\n");
}

const struct sim_wire wire_openai = {
    .type = "text/event-stream",
    .open = add_open,
    .token = add_token,
    .tool = add_tool,
    .close = add_close,
    .whole = add_whole,
    .error = add_error,
    .broken = add_broken,
    .comment = add_comment,
    .blank = add_blank,
};

/* sim_call.c - see sim_call.h.
 *
 * Flow: sim_call_start -> take_head -> take_request [-> refuse] -> note_request ->
 * faults_meet
 *       -> unload | load | act: drop | answer_fault [after a delay] | speak
 *       -> sim_call_gone -> end_of -> the ledger
 */
#include "simulator/sim_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/loop.h"
#include "net/serve.h"
#include "simulator/fault_answer.h"
#include "simulator/flavor.h"
#include "simulator/sim_openai.h"
#include "simulator/sim_out.h"
#include "simulator/sim_reply.h"
#include "simulator/sim_wire.h"

#define JSON             "application/json; charset=utf-8"
#define ANSWER_MAX_BYTES ((size_t)4 << 20)

struct sim_call {
    struct sim_world *world; /* borrowed */
    struct serve_request *http;
    struct sim_request request; /* owned until it is spoken to */
    struct ledger_line line;
    struct fault fault;
    struct sim_out *out;
    struct sim_speech *speech; /* NULL: none */
    struct loop_timer timer;   /* until a fault's answer is due */
    int64_t arrived_us;        /* monotonic */
    bool refused;
};

/* ---- who asks, and how ---- */

bool sim_call_flavor(const struct sim_world *world, const struct serve_request *http,
                     const struct flavor **ret_flavor)
{
    const char *name = serve_header(http, "X-Sim-Flavor");

    if (sim_endpoint_of(serve_path(http)) != SIM_COMPLETIONS) {
        *ret_flavor = flavor_ollama; /* its own API has no dialects */
        return true;
    }
    if (name)
        return flavor_parse(name, ret_flavor);
    *ret_flavor = world->flavor;
    return true;
}

bool sim_call_lacks_key(const struct sim_world *world, const struct serve_request *http)
{
    const char *given = serve_header(http, "Authorization");
    const char *key = world->options->key;

    if (key == NULL)
        return false;
    return given == NULL || !str_starts(str_of(given), "Bearer ")
           || strcmp(given + strlen("Bearer "), key) != 0;
}

const char *sim_call_no_key(const struct sim_world *world,
                            const struct serve_request *http)
{
    const struct flavor *flavor = NULL;
    bool came = serve_header(http, "Authorization") != NULL;

    if (sim_endpoint_of(serve_path(http)) != SIM_COMPLETIONS)
        return "unauthorized";
    if (!sim_call_flavor(world, http, &flavor))
        flavor = world->flavor;
    return came || flavor->no_key_came == NULL ? flavor->no_key : flavor->no_key_came;
}

/* ---- what the ledger tells ---- */

static char *copy(const char *text)
{
    return text ? x_strdup(text) : NULL;
}

static void note_head(struct sim_call *call, struct serve_request *http)
{
    struct sim_world *world = call->world;

    call->line = (struct ledger_line){
        .id = copy(serve_header(http, "X-Parley-Turn")),
        .seq = ++world->calls,
        .path = x_strdup(serve_path(http)),
        .flavor = call->request.flavor->name,
        .started_us = clock_wall_us(),
        .prompt_tokens = -1,
        .num_ctx = -1,
        .in_flight = ++world->in_flight,
        .key = serve_header(http, "Authorization") != NULL,
    };
}

static void note_hash(const json_t *value, char ret_text[SHA256_TEXT_SIZE])
{
    char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

    if (text)
        sha256_text(str_of(text), ret_text);
    free(text);
}

/* Before the prompt is fitted to the window. */
static void note_request(struct sim_call *call)
{
    const struct sim_request *request = &call->request;
    const struct sim_prompt *prompt = &request->prompt;
    const json_t *document = request->document;
    struct ledger_line *line = &call->line;
    const json_t *said = json_object_get(document, "messages");

    line->model = copy(json_string_value(json_object_get(document, "model")));
    line->load = request->empty;
    line->num_ctx = request->num_ctx;
    note_hash(said ? said : json_object_get(document, "prompt"), line->prompt_sha256);
    if (prompt->count > 0 && sim_prompt_is(&prompt->messages[0], "system"))
        sha256_text(prompt->messages[0].text, line->system_sha256);
}

/* Also of a request that was refused, as far as it is JSON. */
static void note_body(struct sim_call *call)
{
    struct str body = serve_body(call->http);
    json_t *document = json_loadb(body.at, body.len, JSON_DECODE_ANY, NULL);

    if (call->world->options->ledger_bodies && document)
        call->line.body = json_dumps(document, JSON_COMPACT | JSON_ENCODE_ANY);
    if (call->line.model == NULL)
        call->line.model = copy(json_string_value(json_object_get(document, "model")));
    json_decref(document);
}

static bool was_refused(const struct sim_call *call)
{
    return call->refused || (call->speech && sim_speech_refused(call->speech));
}

/* What the model needed first; NULL: nothing. */
static const char *loading_of(const struct sim_call *call)
{
    static const char *const names[] = {[SIM_LOAD_NONE] = NULL,
                                        [SIM_LOAD_COLD] = "cold",
                                        [SIM_LOAD_CHANGED] = "changed"};

    return call->speech ? names[sim_speech_load(call->speech)] : NULL;
}

static enum ledger_end end_of(const struct sim_call *call, bool done)
{
    struct sim_out_figures figures = sim_out_count(call->out);

    if (figures.cut)
        return LEDGER_FAULT;
    if (done || figures.sent)
        return was_refused(call) ? LEDGER_REFUSED : LEDGER_WHOLE;
    return call->world->closing ? LEDGER_SHUTDOWN : LEDGER_CLIENT;
}

static void note_end(struct sim_call *call, bool done)
{
    struct sim_out_figures figures = sim_out_count(call->out);
    struct ledger_line *line = &call->line;

    line->ended_us = clock_wall_us();
    line->first_byte_us = figures.first_byte_us;
    line->status = figures.status;
    line->bytes = figures.bytes;
    line->loading = loading_of(call);
    line->tokens = call->speech ? sim_speech_tokens(call->speech) : 0;
    line->fault =
        call->fault.kind == FAULT_NONE ? NULL : fault_kind_name(call->fault.kind);
    line->ended = end_of(call, done);
    call->world->clients_gone += line->ended == LEDGER_CLIENT;
}

/* ---- answers ---- */

static void refuse(struct sim_call *call, int status, const char *text)
{
    struct buf answer = {0};

    log_debug("simulator", "refused path=%s status=%d why=%s",
              log_safe(str_of(call->line.path)), status, log_safe(str_of(text)));
    call->refused = true;
    buf_init(&answer, ANSWER_MAX_BYTES);
    sim_wire_of(&call->request)->error(&call->request, status, text, &answer);
    sim_out_reply(call->out, status, JSON, buf_str(&answer));
    buf_done(&answer);
}

/* Unloads it, at once or after those that use it. */
static void unload(struct sim_call *call)
{
    struct sim_request *request = &call->request;
    struct sim_figures figures = {.done_reason = "unload"};
    struct buf answer = {0};

    sim_model_unload(request->model);
    buf_init(&answer, ANSWER_MAX_BYTES);
    request->now_us = clock_wall_us();
    sim_wire_of(request)->whole(request, &(struct sim_words){0}, &figures, &answer);
    sim_out_reply(call->out, 200, JSON, buf_str(&answer));
    buf_done(&answer);
}

/* Nothing is asked but that. */
static void load(struct sim_call *call)
{
    const struct sim_ask ask = {call->out, &call->fault, call->arrived_us};
    struct sim_reply reply = {0};

    call->speech =
        sim_stream_start_take(call->world->stream, &ask, &call->request, &reply);
}

static void speak(struct sim_call *call)
{
    const struct sim_ask ask = {call->out, &call->fault, call->arrived_us};
    struct sim_reply reply = {0};
    struct err err = {0};

    if (!sim_reply_make(call->world->options, &call->fault, &call->request, &reply,
                        &err)) {
        log_debug("simulator", "no reply: %s", err.msg);
        if (err.code == ERR_LIMIT)
            refuse(call, 400, err.msg);
        else
            refuse(call, call->request.endpoint == SIM_COMPLETIONS ? 400 : 500,
                   "invalid JSON schema in format");
        return;
    }
    call->line.prompt_tokens = (int64_t)reply.prompt_tokens;
    call->line.num_ctx = call->request.num_ctx;
    sha256_text(buf_str(&reply.text), call->line.reply_sha256);
    call->speech =
        sim_stream_start_take(call->world->stream, &ask, &call->request, &reply);
}

/* ---- a fault ---- */

static void on_fault_due(struct loop_timer *timer, void *owner)
{
    struct sim_call *call = owner;

    (void)timer;
    fault_answer(&call->fault, &call->request, call->out);
}

static void meet_fault(struct sim_call *call)
{
    const struct fault_case what = {
        .path = call->line.path,
        .model = call->request.model->name,
        .reused = serve_reused(call->http),
    };

    call->fault =
        faults_meet(&call->world->faults, &what, clock_mono_us(), &call->world->dice);
    if (call->fault.kind != FAULT_NONE)
        log_info("simulator", "fault kind=%s seq=%llu turn=%s",
                 fault_kind_name(call->fault.kind), (unsigned long long)call->line.seq,
                 call->line.id ? log_safe(str_of(call->line.id)) : "-");
}

static void act(struct sim_call *call)
{
    switch (call->fault.kind) {
    case FAULT_REFUSE:
    case FAULT_CLOSE_IDLE:
        sim_out_drop(call->out);
        break;
    case FAULT_STATUS:
    case FAULT_REDIRECT:
        loop_timer_start(&call->timer, fault_or(call->fault.delay_ms, 0));
        break;
    default:
        speak(call);
        break;
    }
}

/* ---- begin and end ---- */

/* Reads the request; false when it was refused. */
static bool take_request(struct sim_call *call)
{
    struct sim_world *world = call->world;
    struct sim_request *request = &call->request;
    struct str body = serve_body(call->http);
    const struct sim_request before = *request;
    struct sim_refusal refusal = {0};
    bool ok = false;

    if (sim_call_lacks_key(world, call->http)) {
        refuse(call, 401, sim_call_no_key(world, call->http));
        return false;
    }
    if (request->endpoint == SIM_COMPLETIONS)
        ok = sim_openai_parse(body, &world->models, request, &refusal);
    else
        ok = sim_request_parse(request->endpoint, body, &world->models, request,
                               &refusal);
    request->flavor = before.flavor;
    request->number = before.number;
    request->arrived_wall_us = before.arrived_wall_us;
    if (!ok)
        refuse(call, refusal.status, refusal.text);
    return ok;
}

/* Who calls, and in which dialect; false when it was refused. */
static bool take_head(struct sim_call *call)
{
    struct sim_request *request = &call->request;
    const struct flavor *flavor = NULL;
    bool known = sim_call_flavor(call->world, call->http, &flavor);

    request->endpoint = sim_endpoint_of(serve_path(call->http));
    request->flavor = known ? flavor : call->world->flavor;
    note_head(call, call->http);
    request->number = call->line.seq;
    request->arrived_wall_us = call->line.started_us;
    if (!known)
        refuse(call, 400, "X-Sim-Flavor names no flavor");
    return known;
}

/* What OpenAI tells beside each answer, also beside an error. */
static void add_headers(struct sim_call *call)
{
    char id[40] = "";

    if (strcmp(call->request.flavor->name, "openai") != 0)
        return;
    fmt_into(id, sizeof id, "req_%032llx", (unsigned long long)call->line.seq);
    sim_out_header(call->out, "x-request-id", id);
    sim_out_header(call->out, "openai-version", "2020-10-01");
    sim_out_header(call->out, "openai-organization", "simulated");
}

struct sim_call *sim_call_start(struct sim_world *world, struct serve_request *http)
{
    struct sim_call *call = x_calloc(1, sizeof(*call));

    call->world = world;
    call->http = http;
    call->arrived_us = clock_mono_us();
    call->out = sim_out_new(world->loop, http, &call->fault, &world->dice);
    loop_timer_init(&call->timer, world->loop, on_fault_due, call);
    if (!take_head(call))
        return call;
    add_headers(call);
    if (!take_request(call))
        return call;
    note_request(call);
    if (call->request.unload) {
        unload(call);
    } else if (call->request.empty) {
        load(call);
    } else {
        meet_fault(call);
        act(call);
    }
    return call;
}

void sim_call_gone(struct sim_call *call, bool done)
{
    struct sim_world *world = call->world;
    struct err err = {0};

    note_end(call, done);
    if (world->ledger) {
        note_body(call);
        if (!ledger_add(world->ledger, &call->line, &err))
            log_error("simulator", "a call is not in the ledger: %s", err.msg);
    }
    world->in_flight--;
    loop_timer_stop(&call->timer);
    if (call->speech)
        sim_speech_free(call->speech);
    sim_out_free(call->out);
    sim_request_done(&call->request);
    fault_done(&call->fault);
    ledger_line_done(&call->line);
    free(call);
}

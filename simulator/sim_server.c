/* sim_server.c - see sim_server.h.
 *
 * Flow: on_request -> the route -> a call of a model (sim_call), or a fault, or
 *       answered at once; on_gone -> the call, if it was one, is booked
 */
#include "simulator/sim_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/serve.h"
#include "simulator/fault_answer.h"
#include "simulator/flavor.h"
#include "simulator/sim_answer.h"
#include "simulator/sim_call.h"
#include "simulator/sim_control.h"
#include "simulator/sim_host.h"
#include "simulator/sim_lost.h"
#include "simulator/sim_pull.h"
#include "simulator/sim_store.h"

#define JSON      "application/json; charset=utf-8"
#define TEXT      "text/plain; charset=utf-8"
#define ONE_MODEL "/v1/models/"
#define ONE_BLOB  "/api/blobs/"
#define VERSION   "0.13.3" /* of the API that is spoken, not ours */
enum { MAX_CLIENTS = 20000 };

struct sim_server {
    struct sim_world world;
    struct serve *serve;
};

/* ---- what needs no model ---- */

static void on_root(struct sim_world *world, struct serve_request *http)
{
    (void)world;
    serve_reply(http, 200, TEXT, str_of("Ollama is running"));
}

static void on_version(struct sim_world *world, struct serve_request *http)
{
    (void)world;
    serve_reply(http, 200, JSON, str_of("{\"version\":\"" VERSION "\"}"));
}

static void on_status(struct sim_world *world, struct serve_request *http)
{
    (void)world;
    serve_reply(http, 200, JSON,
                str_of("{\"cloud\":{\"disabled\":true,\"source\":\"env\"}}"));
}

static void on_tags(struct sim_world *world, struct serve_request *http)
{
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    sim_models_tags(&world->models, &answer);
    sim_answer_json(http, 200, &answer);
    buf_done(&answer);
}

static void on_ps(struct sim_world *world, struct serve_request *http)
{
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    sim_models_ps(&world->models, clock_wall_us(), &answer);
    sim_answer_json(http, 200, &answer);
    buf_done(&answer);
}

/* ---- of the other API ---- */

/* The header chooses for one request, as on /v1. */
static const struct flavor *flavor_of(const struct sim_world *world,
                                      const struct serve_request *http)
{
    const char *name = serve_header(http, "X-Sim-Flavor");
    const struct flavor *flavor = world->flavor;

    if (name && !flavor_parse(name, &flavor))
        flavor = world->flavor;
    return flavor;
}

static void on_health(struct sim_world *world, struct serve_request *http)
{
    bool says = strcmp(flavor_of(world, http)->name, "llamacpp") == 0;

    serve_reply(http, 200, JSON, str_of(says ? "{\"status\":\"ok\"}" : ""));
}

/* llama-server's: how many it answers at once. */
static void on_props(struct sim_world *world, struct serve_request *http)
{
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    (void)buf_printf(&answer,
                     "{\"default_generation_settings\":{\"n_ctx\":%d},"
                     "\"total_slots\":%lld,\"build_info\":\"b9999-0123456\"}",
                     SIM_NUM_CTX, (long long)world->options->parallel);
    sim_answer_json(http, 200, &answer);
    buf_done(&answer);
}

/* vLLM's. */
static void on_own_version(struct sim_world *world, struct serve_request *http)
{
    (void)world;
    serve_reply(http, 200, JSON, str_of("{\"version\":\"0.11.0\"}"));
}

static void list_models(const struct sim_world *world, struct serve_request *http,
                        const struct sim_model *only)
{
    struct sim_request form = sim_answer_form(world, http);
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    sim_models_list(&world->models, form.flavor, only, &answer);
    sim_answer_json(http, 200, &answer);
    buf_done(&answer);
}

static void on_models(struct sim_world *world, struct serve_request *http)
{
    list_models(world, http, NULL);
}

static void on_model(struct sim_world *world, struct serve_request *http)
{
    const char *name = serve_path(http) + strlen(ONE_MODEL);
    const struct sim_model *model = sim_models_find(&world->models, str_of(name));
    struct sim_request form = sim_answer_form(world, http);
    struct sim_refusal refusal = {0};

    if (model) {
        list_models(world, http, model);
        return;
    }
    flavor_refuse_model(form.flavor, name, &refusal);
    sim_answer_error(world, http, 404, refusal.text);
}

/* ---- what a model answers ---- */

static void on_call(struct sim_world *world, struct serve_request *http)
{
    serve_set_data(http, sim_call_start(world, http));
}

/* ---- routes ---- */

static const struct route {
    const char *method; /* GET also for HEAD */
    const char *path;   /* what ends in / stands for all that begin so */
    void (*answer)(struct sim_world *world, struct serve_request *http);
    const char *whose; /* flavors, with | around each; NULL: all */
} routes[] = {
    {"GET", "/", on_root, "|ollama|"},
    {"GET", "/health", on_health, "|llamacpp|vllm|sglang|"},
    {"GET", "/api/version", on_version, "|ollama|"},
    {"GET", "/api/status", on_status, "|ollama|"},
    {"GET", "/api/tags", on_tags, "|ollama|"},
    {"GET", "/api/ps", on_ps, "|ollama|"},
    {"POST", "/api/show", sim_store_show, "|ollama|"},
    {"POST", "/api/chat", on_call, "|ollama|"},
    {"POST", "/api/generate", on_call, "|ollama|"},
    {"POST", SIM_PULL_PATH, sim_pull_start, "|ollama|"},
    {"POST", "/api/copy", sim_store_copy, "|ollama|"},
    {"DELETE", "/api/delete", sim_store_delete, "|ollama|"},
    {"POST", "/api/embed", sim_store_embed, "|ollama|"},
    {"POST", "/api/embeddings", sim_store_refuse, "|ollama|"},
    {"POST", "/api/create", sim_store_refuse, "|ollama|"},
    {"POST", "/api/push", sim_store_refuse, "|ollama|"},
    {"POST", "/api/me", sim_store_me, "|ollama|"},
    {"POST", "/api/signout", sim_store_me, "|ollama|"},
    {"GET", ONE_BLOB, sim_store_blob, "|ollama|"},
    {"POST", ONE_BLOB, sim_store_refuse, "|ollama|"},
    {"POST", "/v1/chat/completions", on_call, NULL},
    {"GET", "/v1/models", on_models, NULL},
    {"GET", ONE_MODEL, on_model, NULL},
    {"POST", "/v1/embeddings", sim_store_embed, NULL},
    {"POST", "/v1/completions", sim_store_refuse, NULL},
    {"POST", "/v1/responses", sim_store_refuse, NULL},
    {"POST", "/v1/messages", sim_store_refuse, NULL},
    {"GET", "/props", on_props, "|llamacpp|"},
    {"GET", "/version", on_own_version, "|vllm|"},
};

/* A fault that was set for this path, or for all there are. */
static bool meets_fault(struct sim_server *server, struct serve_request *http)
{
    const struct fault_case what = {.path = serve_path(http),
                                    .reused = serve_reused(http)};
    struct sim_world *world = &server->world;
    struct sim_request request = sim_answer_form(world, http);
    struct fault fault =
        faults_meet(&world->faults, &what, clock_mono_us(), &world->dice);
    struct sim_out *out = NULL;

    if (fault.kind == FAULT_NONE)
        return false;
    log_info("simulator", "fault kind=%s path=%s", fault_kind_name(fault.kind),
             log_safe(str_of(what.path)));
    out = sim_out_new(world->loop, http, &fault, &world->dice);
    if (fault.kind == FAULT_STATUS || fault.kind == FAULT_REDIRECT)
        fault_answer(&fault, &request, out);
    else
        sim_out_drop(out);
    sim_out_free(out);
    fault_done(&fault);
    return true;
}

static bool is_path(const struct route *route, const char *path)
{
    size_t len = strlen(route->path);

    if (len > 1 && route->path[len - 1] == '/')
        return str_starts(str_of(path), route->path) && path[len];
    return strcmp(route->path, path) == 0;
}

static bool is_whose(const struct route *route, const struct flavor *flavor)
{
    char name[32] = "";

    fmt_into(name, sizeof name, "|%s|", flavor->name);
    return route->whose == NULL || strstr(route->whose, name);
}

/* *ret_other is set where there is one, but by another method. */
static const struct route *route_of(const struct flavor *flavor, const char *path,
                                    const char *method, const struct route **ret_other)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_path(&routes[i], path) || !is_whose(&routes[i], flavor))
            continue;
        if (strcmp(routes[i].method, method) == 0)
            return &routes[i];
        *ret_other = &routes[i];
    }
    return NULL;
}

/* A path with a slash too many is sent to the one without. */
static bool is_slash_away(const char *path, const char *method)
{
    size_t len = strlen(path);
    const struct route *other = NULL;
    char *path_without = NULL;
    bool found = false;

    if (len < 2 || path[len - 1] != '/')
        return false;
    path_without = x_memdup(path, len - 1);
    found = route_of(flavor_ollama, path_without, method, &other) != NULL;
    free(path_without);
    return found;
}

static void send_to(struct serve_request *http)
{
    const char *path = serve_path(http);
    bool get = strcmp(serve_method(http), "GET") == 0;
    char *place = x_printf("%.*s", (int)(strlen(path) - 1), path);

    serve_add_header(http, "Location", place);
    serve_reply(http, get ? 301 : 307, TEXT, str_of(""));
    free(place);
}

/* That it runs and is well is told to all. */
static bool is_closed(const struct sim_server *server, const struct serve_request *http)
{
    const char *path = serve_path(http);

    return strcmp(path, "/") != 0 && strcmp(path, "/health") != 0
           && sim_call_lacks_key(&server->world, http);
}

static void answer_none(const struct flavor *flavor, struct serve_request *http,
                        const struct route *other)
{
    if (flavor != flavor_ollama) {
        sim_lost_answer(flavor, http);
    } else if (other) {
        serve_add_header(http, "Allow", other->method);
        serve_reply(http, 405, TEXT, str_of("405 method not allowed"));
    } else if (is_slash_away(serve_path(http), serve_method(http))) {
        send_to(http);
    } else {
        sim_lost_answer(flavor, http);
    }
}

/* Other servers do not look at it. */
static bool is_stranger(const struct sim_world *world, const struct serve_request *http)
{
    struct sim_request request = sim_answer_form(world, http);

    return request.flavor == flavor_ollama
           && !sim_host_fits(world->options->listen, serve_header(http, "Host"));
}

static void answer(struct sim_server *server, struct serve_request *http)
{
    struct sim_world *world = &server->world;
    const struct route *other = NULL; /* of this path, but by another method */
    const struct flavor *flavor = flavor_of(world, http);
    const struct route *route =
        route_of(flavor, serve_path(http), serve_method(http), &other);

    if (is_stranger(world, http)) {
        serve_reply(http, 403, TEXT, str_of(""));
    } else if (route && route->answer == on_call) {
        on_call(world, http); /* looks after faults and keys itself */
    } else if (meets_fault(server, http)) {
        return;
    } else if (route && is_closed(server, http)) {
        sim_answer_error(world, http, 401, sim_call_no_key(world, http));
    } else if (route) {
        route->answer(world, http);
    } else {
        answer_none(flavor, http, other);
    }
}

static void on_request(void *owner, struct serve_request *http)
{
    struct sim_server *server = owner;
    const char *turn = serve_header(http, "X-Parley-Turn");

    if (turn)
        log_debug("simulator", "asked path=%s turn=%s",
                  log_safe(str_of(serve_path(http))), log_safe(str_of(turn)));
    if (str_starts(str_of(serve_path(http)), SIM_CONTROL))
        sim_control_answer(&server->world, http);
    else
        answer(server, http);
}

static void on_gone(void *owner, struct serve_request *http, bool done)
{
    void *data = serve_data(http);

    (void)owner;
    if (strcmp(serve_path(http), SIM_PULL_PATH) == 0)
        sim_pull_gone(data);
    else if (data)
        sim_call_gone(data, done);
}

/* ---- life ---- */

static bool open_world(struct sim_world *world, struct loop *loop,
                       const struct sim_options *options, struct err *err)
{
    world->options = options;
    world->loop = loop;
    world->flavor = flavor_ollama;
    rng_init(&world->dice, options->seed);
    sim_models_init(&world->models, options->models);
    world->stream = sim_stream_new(loop, options);
    if (options->flavor && !flavor_parse(options->flavor, &world->flavor))
        return err_set(err, ERR_USAGE, "there is no flavor '%s'", options->flavor);
    if (options->faults
        && !faults_add(&world->faults, str_of(options->faults), clock_mono_us(), err))
        return false;
    if (world->faults.count > 0)
        log_warn("simulator", "faults are on, as was asked: rules=%zu",
                 world->faults.count);
    return options->ledger == NULL || ledger_open(options->ledger, &world->ledger, err);
}

static void close_world(struct sim_world *world)
{
    sim_stream_free(world->stream);
    sim_models_done(&world->models);
    faults_done(&world->faults);
    ledger_free(world->ledger);
}

bool sim_server_new(struct loop *loop, const struct sim_options *options,
                    struct sim_server **ret_server, struct err *err)
{
    struct sim_server *server = x_calloc(1, sizeof(*server));
    struct serve_options serve = {
        .listen = options->listen,
        .max_clients = MAX_CLIENTS,
        .on_request = on_request,
        .on_gone = on_gone,
        .owner = server,
    };

    if (!open_world(&server->world, loop, options, err)
        || !serve_new(loop, &serve, &server->serve, err)) {
        sim_server_free(server);
        return false;
    }
    *ret_server = server;
    return true;
}

void sim_server_free(struct sim_server *server)
{
    if (server == NULL)
        return;
    server->world.closing = true;
    serve_free(server->serve); /* first: it ends the calls */
    close_world(&server->world);
    free(server);
}

char *sim_server_url(const struct sim_server *server)
{
    struct str listen = str_of(server->world.options->listen);
    size_t host = listen.len;

    if (str_starts(listen, "unix:"))
        return x_strdup(listen.at);
    while (host > 0 && listen.at[host - 1] != ':')
        host--;
    return x_printf("http://%.*s:%d", (int)(host > 0 ? host - 1 : 0), listen.at,
                    serve_port(server->serve));
}

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
#include "simulator/sim_call.h"
#include "simulator/sim_control.h"
#include "simulator/sim_wire.h"

#define JSON      "application/json; charset=utf-8"
#define TEXT      "text/plain; charset=utf-8"
#define ONE_MODEL "/v1/models/"
#define VERSION   "0.13.3" /* of the API that is spoken, not ours */
enum { ANSWER_MAX_BYTES = 4 << 20, MAX_CLIENTS = 20000 };

struct sim_server {
    struct sim_world world;
    struct serve *serve;
    struct buf answer; /* for those given at once */
};

/* ---- answers ---- */

static void reply_json(struct sim_server *server, struct serve_request *http,
                       int status)
{
    serve_reply(http, status, JSON, buf_str(&server->answer));
}

/* What tells the form of an error. */
static struct sim_request request_of(const struct sim_server *server,
                                     const struct serve_request *http)
{
    struct sim_request request = {.endpoint = sim_endpoint_of(serve_path(http))};

    if (!sim_call_flavor(&server->world, http, &request.flavor))
        request.flavor = server->world.flavor;
    return request;
}

static void reply_error(struct sim_server *server, struct serve_request *http,
                        int status, const char *text)
{
    struct sim_request request = request_of(server, http);

    log_debug("simulator", "refused path=%s status=%d why=%s",
              log_safe(str_of(serve_path(http))), status, log_safe(str_of(text)));
    sim_wire_of(&request)->error(&request, status, text, &server->answer);
    reply_json(server, http, status);
}

/* ---- what needs no model ---- */

static void on_root(struct sim_server *server, struct serve_request *http)
{
    (void)server;
    serve_reply(http, 200, TEXT, str_of("Ollama is running"));
}

static void on_version(struct sim_server *server, struct serve_request *http)
{
    (void)buf_add_text(&server->answer, "{\"version\":\"" VERSION "\"}");
    reply_json(server, http, 200);
}

static void on_tags(struct sim_server *server, struct serve_request *http)
{
    sim_models_tags(&server->world.models, &server->answer);
    reply_json(server, http, 200);
}

static void on_ps(struct sim_server *server, struct serve_request *http)
{
    sim_models_ps(&server->world.models, clock_wall_us(), &server->answer);
    reply_json(server, http, 200);
}

/* The model's name was once called `name`; both are understood. */
static void on_show(struct sim_server *server, struct serve_request *http)
{
    struct str body = serve_body(http);
    json_t *document = json_loadb(body.at, body.len, 0, NULL);
    const char *name = json_string_value(json_object_get(document, "model"));
    const struct sim_model *model = NULL;

    if (name == NULL)
        name = json_string_value(json_object_get(document, "name"));
    model = name ? sim_models_find(&server->world.models, str_of(name)) : NULL;
    if (model) {
        sim_model_show(model, &server->answer);
        reply_json(server, http, 200);
    } else if (str_trim(body).len == 0) {
        reply_error(server, http, 400, "missing request body");
    } else if (document == NULL) {
        reply_error(server, http, 400, "invalid JSON");
    } else if (name == NULL || name[0] == '\0') {
        reply_error(server, http, 400, "model is required");
    } else {
        char *text = x_printf("model '%.128s' not found", name);

        reply_error(server, http, 404, text);
        free(text);
    }
    json_decref(document);
}

/* ---- of the other API ---- */

static void on_health(struct sim_server *server, struct serve_request *http)
{
    (void)buf_add_text(&server->answer, "{\"status\":\"ok\"}");
    reply_json(server, http, 200);
}

/* llama-server's: how many it answers at once. */
static void on_props(struct sim_server *server, struct serve_request *http)
{
    (void)buf_printf(&server->answer,
                     "{\"total_slots\":%lld,\"default_generation_settings\":{"
                     "\"n_ctx\":%d}}",
                     (long long)server->world.options->parallel, SIM_NUM_CTX);
    reply_json(server, http, 200);
}

static void on_models(struct sim_server *server, struct serve_request *http)
{
    sim_models_list(&server->world.models, NULL, &server->answer);
    reply_json(server, http, 200);
}

static void on_model(struct sim_server *server, struct serve_request *http)
{
    const char *name = serve_path(http) + strlen(ONE_MODEL);
    const struct sim_model *model =
        sim_models_find(&server->world.models, str_of(name));

    if (model) {
        sim_models_list(&server->world.models, model, &server->answer);
        reply_json(server, http, 200);
    } else {
        char *text = x_printf("model '%.128s' not found", name);

        reply_error(server, http, 404, text);
        free(text);
    }
}

/* ---- what a model answers ---- */

static void on_call(struct sim_server *server, struct serve_request *http)
{
    serve_set_data(http, sim_call_start(&server->world, http));
}

/* ---- routes ---- */

static const struct route {
    const char *method; /* GET also for HEAD */
    const char *path;
    void (*answer)(struct sim_server *server, struct serve_request *http);
} routes[] = {
    {"GET", "/", on_root},
    {"GET", "/health", on_health},
    {"GET", "/api/version", on_version},
    {"GET", "/api/tags", on_tags},
    {"GET", "/api/ps", on_ps},
    {"POST", "/api/show", on_show},
    {"POST", "/api/chat", on_call},
    {"POST", "/api/generate", on_call},
    {"POST", "/v1/chat/completions", on_call},
    {"GET", "/v1/models", on_models},
    {"GET", ONE_MODEL, on_model}, /* all paths that begin so */
    {"GET", "/props", on_props},
};

/* A fault that was set for this path, or for all there are. */
static bool meets_fault(struct sim_server *server, struct serve_request *http)
{
    const struct fault_case what = {.path = serve_path(http),
                                    .reused = serve_reused(http)};
    struct sim_world *world = &server->world;
    struct sim_request request = request_of(server, http);
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
    if (route->answer == on_model)
        return str_starts(str_of(path), route->path) && path[strlen(route->path)];
    return strcmp(route->path, path) == 0;
}

static const struct route *route_of(struct serve_request *http,
                                    const struct route **ret_other)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (!is_path(&routes[i], serve_path(http)))
            continue;
        if (strcmp(routes[i].method, serve_method(http)) == 0)
            return &routes[i];
        *ret_other = &routes[i];
    }
    return NULL;
}

/* That it runs and is well is told to all. */
static bool is_closed(const struct sim_server *server, const struct serve_request *http)
{
    const char *path = serve_path(http);

    return strcmp(path, "/") != 0 && strcmp(path, "/health") != 0
           && sim_call_lacks_key(&server->world, http);
}

static void on_request(void *owner, struct serve_request *http)
{
    struct sim_server *server = owner;
    const struct route *other = NULL; /* of this path, but by another method */
    const struct route *route = route_of(http, &other);
    const char *turn = serve_header(http, "X-Parley-Turn");

    if (turn)
        log_debug("simulator", "asked path=%s turn=%s",
                  log_safe(str_of(serve_path(http))), log_safe(str_of(turn)));
    buf_clear(&server->answer);
    if (str_starts(str_of(serve_path(http)), SIM_CONTROL)) {
        sim_control_answer(&server->world, http);
    } else if (route && route->answer == on_call) {
        on_call(server, http); /* looks after faults and keys itself */
    } else if (meets_fault(server, http)) {
        return;
    } else if (route && is_closed(server, http)) {
        reply_error(server, http, 401, "Incorrect API key provided.");
    } else if (route) {
        route->answer(server, http);
    } else if (other) {
        serve_add_header(http, "Allow", other->method);
        serve_reply(http, 405, TEXT, str_of("405 method not allowed"));
    } else {
        serve_reply(http, 404, TEXT, str_of("404 page not found"));
    }
}

static void on_gone(void *owner, struct serve_request *http, bool done)
{
    struct sim_call *call = serve_data(http);

    (void)owner;
    if (call)
        sim_call_gone(call, done);
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

    buf_init(&server->answer, ANSWER_MAX_BYTES);
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
    buf_done(&server->answer);
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

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
#include "simulator/sim_call.h"
#include "simulator/sim_control.h"
#include "simulator/sim_wire.h"

#define JSON    "application/json; charset=utf-8"
#define TEXT    "text/plain; charset=utf-8"
#define VERSION "0.13.3" /* of the API that is spoken, not ours */
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

static void reply_error(struct sim_server *server, struct serve_request *http,
                        int status, const char *text)
{
    log_debug("simulator", "refused path=%s status=%d why=%s",
              log_safe(str_of(serve_path(http))), status, log_safe(str_of(text)));
    wire_ollama.error(NULL, status, text, &server->answer);
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

/* ---- routes ---- */

static const struct route {
    const char *method; /* GET also for HEAD */
    const char *path;
    void (*answer)(struct sim_server *server, struct serve_request *http);
    bool call; /* a model answers, as this endpoint */
    enum sim_endpoint endpoint;
} routes[] = {
    {"GET", "/", on_root, false, 0},
    {"GET", "/api/version", on_version, false, 0},
    {"GET", "/api/tags", on_tags, false, 0},
    {"GET", "/api/ps", on_ps, false, 0},
    {"POST", "/api/show", on_show, false, 0},
    {"POST", "/api/chat", NULL, true, SIM_CHAT},
    {"POST", "/api/generate", NULL, true, SIM_GENERATE},
};

/* A fault that was set for this path, or for all there are. */
static bool meets_fault(struct sim_server *server, struct serve_request *http)
{
    const struct fault_case what = {.path = serve_path(http),
                                    .reused = serve_reused(http)};
    struct sim_world *world = &server->world;
    struct sim_request request = {.endpoint = sim_endpoint_of(serve_path(http))};
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

static const struct route *route_of(struct serve_request *http,
                                    const struct route **ret_other)
{
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].path, serve_path(http)) != 0)
            continue;
        if (strcmp(routes[i].method, serve_method(http)) == 0)
            return &routes[i];
        *ret_other = &routes[i];
    }
    return NULL;
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
    } else if (route && route->call) {
        serve_set_data(http, sim_call_start(&server->world, http, route->endpoint));
    } else if (meets_fault(server, http)) {
        return;
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
    rng_init(&world->dice, options->seed);
    sim_models_init(&world->models, options->models);
    world->stream = sim_stream_new(loop, options);
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

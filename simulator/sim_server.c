/* sim_server.c - see sim_server.h.
 *
 * Flow: on_request -> the route -> answered at once, or answer_model -> sim_stream
 *       on_gone -> the speech, if there is one, is dropped
 */
#include "simulator/sim_server.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/serve.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_models.h"
#include "simulator/sim_reply.h"
#include "simulator/sim_stream.h"
#include "simulator/sim_wire.h"

#define JSON    "application/json; charset=utf-8"
#define TEXT    "text/plain; charset=utf-8"
#define VERSION "0.13.3" /* of the API that is spoken, not ours */
enum { ANSWER_MAX_BYTES = 4 << 20, MAX_CLIENTS = 20000 };

struct sim_server {
    const struct sim_options *options;
    struct sim_models models;
    struct sim_stream *stream;
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
    sim_wire_error(text, &server->answer);
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
    sim_models_tags(&server->models, &server->answer);
    reply_json(server, http, 200);
}

static void on_ps(struct sim_server *server, struct serve_request *http)
{
    sim_models_ps(&server->models, clock_wall_us(), &server->answer);
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
    model = name ? sim_models_find(&server->models, str_of(name)) : NULL;
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

/* ---- what a model answers ---- */

/* Nothing was asked: the model is loaded, or unloaded when it is not to be kept. */
static void answer_empty(struct sim_server *server, struct serve_request *http,
                         struct sim_request *request)
{
    bool unload = request->keep_alive_ms == 0;
    struct sim_figures figures = {.done_reason = unload ? "unload" : "load"};
    int64_t now_us = clock_wall_us();

    request->model->num_ctx = request->num_ctx;
    request->model->expires_us = request->keep_alive_ms < 0
                                     ? SIM_FOREVER
                                     : now_us + request->keep_alive_ms * 1000;
    sim_wire_end(request, str_make("", 0), now_us, &figures, &server->answer);
    reply_json(server, http, 200);
}

static void answer_model(struct sim_server *server, struct serve_request *http,
                         enum sim_endpoint endpoint)
{
    int64_t arrived_us = clock_mono_us();
    struct sim_request request = {0};
    struct sim_refusal refusal = {0};
    struct sim_reply reply = {0};
    struct err err = {0};

    if (!sim_request_parse(endpoint, serve_body(http), &server->models, &request,
                           &refusal)) {
        reply_error(server, http, refusal.status, refusal.text);
        return;
    }
    if (request.empty) {
        answer_empty(server, http, &request);
    } else if (!sim_reply_make(server->options, &request, &reply, &err)) {
        log_debug("simulator", "no instance of the format: %s", err.msg);
        reply_error(server, http, 500, "invalid JSON schema in format");
    } else {
        serve_set_data(http, sim_stream_start_take(server->stream, http, &request,
                                                   &reply, arrived_us));
    }
    sim_reply_done(&reply);
    sim_request_done(&request);
}

static void on_chat(struct sim_server *server, struct serve_request *http)
{
    answer_model(server, http, SIM_CHAT);
}

static void on_generate(struct sim_server *server, struct serve_request *http)
{
    answer_model(server, http, SIM_GENERATE);
}

/* ---- routes ---- */

static const struct route {
    const char *method; /* GET also for HEAD */
    const char *path;
    void (*answer)(struct sim_server *server, struct serve_request *http);
} routes[] = {
    {"GET", "/", on_root},
    {"GET", "/api/version", on_version},
    {"GET", "/api/tags", on_tags},
    {"GET", "/api/ps", on_ps},
    {"POST", "/api/show", on_show},
    {"POST", "/api/chat", on_chat},
    {"POST", "/api/generate", on_generate},
};

static void on_request(void *owner, struct serve_request *http)
{
    struct sim_server *server = owner;
    const struct route *other = NULL; /* of this path, but by another method */
    const char *turn = serve_header(http, "X-Parley-Turn");

    if (turn)
        log_debug("simulator", "asked path=%s turn=%s",
                  log_safe(str_of(serve_path(http))), log_safe(str_of(turn)));
    buf_clear(&server->answer);
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        if (strcmp(routes[i].path, serve_path(http)) != 0)
            continue;
        if (strcmp(routes[i].method, serve_method(http)) == 0) {
            routes[i].answer(server, http);
            return;
        }
        other = &routes[i];
    }
    if (other) {
        serve_add_header(http, "Allow", other->method);
        serve_reply(http, 405, TEXT, str_of("405 method not allowed"));
    } else {
        serve_reply(http, 404, TEXT, str_of("404 page not found"));
    }
}

static void on_gone(void *owner, struct serve_request *http, bool done)
{
    struct sim_speech *speech = serve_data(http);

    (void)owner;
    (void)done;
    if (speech)
        sim_speech_free(speech);
}

/* ---- life ---- */

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

    server->options = options;
    buf_init(&server->answer, ANSWER_MAX_BYTES);
    sim_models_init(&server->models, options->models);
    server->stream = sim_stream_new(loop, options);
    if (!serve_new(loop, &serve, &server->serve, err)) {
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
    serve_free(server->serve); /* first: it ends the speeches */
    sim_stream_free(server->stream);
    sim_models_done(&server->models);
    buf_done(&server->answer);
    free(server);
}

char *sim_server_url(const struct sim_server *server)
{
    struct str listen = str_of(server->options->listen);
    size_t host = listen.len;

    if (str_starts(listen, "unix:"))
        return x_strdup(listen.at);
    while (host > 0 && listen.at[host - 1] != ':')
        host--;
    return x_printf("http://%.*s:%d", (int)(host > 0 ? host - 1 : 0), listen.at,
                    serve_port(server->serve));
}

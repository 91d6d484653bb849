/* sim_pull.c - see sim_pull.h.
 *
 * Flow: sim_pull_start [-> refused] -> "pulling manifest" -> on_due: so much of it
 *       -> ... -> "success" [or: the manifest is not there] -> sim_pull_gone
 *
 * The lines are those of ollama/ollama (server/images.go of 2026); as much time lies
 * between two of them as between two tokens.
 */
#include "simulator/sim_pull.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "net/loop.h"
#include "net/serve.h"
#include "simulator/sim_answer.h"
#include "simulator/sim_call.h"
#include "simulator/sim_models.h"
#include "simulator/sim_store.h"

#define NO_MANIFEST "pull model manifest: file does not exist"
#define NO_SPACE    "write blob: no space left on device"
enum { PARTS = 20, BAD = 400, SERVER_ERROR = 500 };

struct sim_pull {
    struct sim_world *world; /* borrowed */
    struct serve_request *http;
    char *name; /* owned */
    bool stream;
    struct loop_timer timer; /* until the next line */
    int part;                /* of the PARTS it comes in, that are there */
    struct sim_models whole; /* what it will be: one model */
};

static void say(struct sim_pull *pull, const struct buf *line)
{
    if (pull->stream)
        (void)serve_write(pull->http, buf_str(line)); /* a slow reader misses some */
}

static void say_status(struct sim_pull *pull, const char *status)
{
    struct buf line = {0};

    buf_init(&line, SIM_ANSWER_MAX_BYTES);
    (void)buf_printf(&line, "{\"status\":\"%s\"}\n", status);
    say(pull, &line);
    buf_done(&line);
}

static void say_part(struct sim_pull *pull)
{
    const struct sim_model *model = pull->whole.list[0];
    int64_t total = sim_model_bytes(model);
    int64_t there = pull->part == PARTS ? total : total / PARTS * pull->part;
    struct buf line = {0};

    buf_init(&line, SIM_ANSWER_MAX_BYTES);
    (void)buf_printf(&line,
                     "{\"status\":\"pulling %.12s\",\"digest\":\"sha256:%s\","
                     "\"total\":%lld",
                     model->digest, model->digest, (long long)total);
    if (there > 0) /* a zero is left out */
        (void)buf_printf(&line, ",\"completed\":%lld", (long long)there);
    (void)buf_add_text(&line, "}\n");
    say(pull, &line);
    buf_done(&line);
}

/* After the first line an error is a line as well. */
static void fail(struct sim_pull *pull, const char *text)
{
    struct buf line = {0};

    if (!pull->stream) {
        sim_answer_error(pull->world, pull->http, SERVER_ERROR, text);
        return;
    }
    buf_init(&line, SIM_ANSWER_MAX_BYTES);
    (void)buf_printf(&line, "{\"error\":\"%s\"}\n", text);
    say(pull, &line);
    serve_end(pull->http);
    buf_done(&line);
}

static void finish(struct sim_pull *pull)
{
    struct buf answer = {0};

    if (sim_models_add(&pull->world->models, str_of(pull->name), clock_wall_us())
        == NULL) {
        fail(pull, NO_SPACE);
        return;
    }
    log_info("simulator", "pulled model=%s", log_safe(str_of(pull->name)));
    if (pull->stream) {
        say_status(pull, "verifying sha256 digest");
        say_status(pull, "writing manifest");
        say_status(pull, "success");
        serve_end(pull->http);
        return;
    }
    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    (void)buf_add_text(&answer, "{\"status\":\"success\"}");
    sim_answer_json(pull->http, 200, &answer);
    buf_done(&answer);
}

static int64_t pause_us(const struct sim_pull *pull)
{
    double rate = pull->world->options->tokens_per_second;

    return rate > 0 ? (int64_t)(1e6 / rate) : 0;
}

static void on_due(struct loop_timer *timer, void *owner)
{
    struct sim_pull *pull = owner;

    if (pull->whole.count == 0) {
        fail(pull, NO_MANIFEST);
    } else if (pull->part > PARTS) {
        finish(pull);
    } else {
        say_part(pull);
        pull->part++;
        loop_timer_start_us(timer, pause_us(pull));
    }
}

static bool is_there(const struct sim_world *world, struct str name)
{
    return sim_models_find(&world->models, name) || sim_models_in_library(name);
}

static void begin(struct sim_world *world, struct serve_request *http,
                  const json_t *document)
{
    struct sim_pull *pull = x_calloc(1, sizeof(*pull));

    pull->world = world;
    pull->http = http;
    pull->name = x_strdup(sim_store_name(document));
    pull->stream = !json_is_false(json_object_get(document, "stream"));
    if (is_there(world, str_of(pull->name)))
        (void)sim_models_add(&pull->whole, str_of(pull->name), 0); /* the first */
    loop_timer_init(&pull->timer, world->loop, on_due, pull);
    loop_timer_start_us(&pull->timer, pause_us(pull));
    serve_set_data(http, pull);
    if (pull->stream)
        serve_begin(http, 200, "application/x-ndjson");
    say_status(pull, "pulling manifest");
}

void sim_pull_start(struct sim_world *world, struct serve_request *http)
{
    json_t *document = sim_store_read(world, http);

    if (document && !sim_models_is_name(str_of(sim_store_name(document))))
        sim_answer_error(world, http, BAD, "invalid model name");
    else if (document)
        begin(world, http, document);
    json_decref(document);
}

void sim_pull_gone(struct sim_pull *pull)
{
    if (pull == NULL)
        return;
    loop_timer_stop(&pull->timer);
    sim_models_done(&pull->whole);
    free(pull->name);
    free(pull);
}

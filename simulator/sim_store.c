/* sim_store.c - see sim_store.h. */
#include "simulator/sim_store.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "net/serve.h"
#include "proto/json_write.h"
#include "simulator/sim_answer.h"
#include "simulator/sim_call.h"
#include "simulator/sim_models.h"

#define NAME_MAX_TOLD 128
enum { OK = 200, BAD = 400, UNAUTHORIZED = 401, NOT_FOUND = 404, NOT_SIMULATED = 501 };

json_t *sim_store_read(struct sim_world *world, struct serve_request *http)
{
    struct str body = serve_body(http);
    json_error_t error = {0};
    json_t *document = NULL;

    if (str_trim(body).len == 0) {
        sim_answer_error(world, http, BAD, "missing request body");
        return NULL;
    }
    document = json_loadb(body.at, body.len, 0, &error);
    if (document == NULL
        && json_error_code(&error) == json_error_premature_end_of_input)
        sim_answer_error(world, http, BAD, "unexpected EOF");
    else if (!json_is_object(document))
        sim_answer_error(world, http, BAD, "invalid JSON");
    if (json_is_object(document))
        return document;
    json_decref(document);
    return NULL;
}

/* The field was once called `name`; both are understood. */
const char *sim_store_name(const json_t *document)
{
    const char *name = json_string_value(json_object_get(document, "model"));

    if (name == NULL || name[0] == '\0')
        name = json_string_value(json_object_get(document, "name"));
    return name ? name : "";
}

static void refuse_name(struct sim_world *world, struct serve_request *http, int status,
                        const char *before, const char *name, const char *after)
{
    char *text = x_printf("%s%.*s%s", before, NAME_MAX_TOLD, name, after);

    sim_answer_error(world, http, status, text);
    free(text);
}

/* NULL: it was answered that there is none. */
static struct sim_model *find(struct sim_world *world, struct serve_request *http,
                              const char *name)
{
    struct sim_model *model = sim_models_find(&world->models, str_of(name));

    if (model == NULL)
        refuse_name(world, http, NOT_FOUND, "model '", name, "' not found");
    return model;
}

/* ---- what it can do ---- */

void sim_store_show(struct sim_world *world, struct serve_request *http)
{
    json_t *document = sim_store_read(world, http);
    const char *name = sim_store_name(document);
    const struct sim_model *model = NULL;
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    if (document && name[0] == '\0') {
        sim_answer_error(world, http, BAD, "model is required");
    } else if (document && (model = find(world, http, name))) {
        sim_model_show(model, &answer);
        sim_answer_json(http, OK, &answer);
    }
    buf_done(&answer);
    json_decref(document);
}

void sim_store_delete(struct sim_world *world, struct serve_request *http)
{
    json_t *document = sim_store_read(world, http);
    const char *name = sim_store_name(document);
    struct sim_model *model = NULL;

    if (document && !sim_models_is_name(str_of(name))) {
        refuse_name(world, http, BAD, "name \"", name, "\" is invalid");
    } else if (document && (model = find(world, http, name))) {
        sim_model_delete(model);
        serve_reply(http, OK, "text/plain", str_of(""));
    }
    json_decref(document);
}

static void copy_model(struct sim_world *world, struct serve_request *http,
                       const char *source, const char *target)
{
    if (!sim_models_is_name(str_of(source)))
        refuse_name(world, http, BAD, "source \"", source, "\" is invalid");
    else if (!sim_models_is_name(str_of(target)))
        refuse_name(world, http, BAD, "destination \"", target, "\" is invalid");
    else if (sim_models_find(&world->models, str_of(source)) == NULL)
        refuse_name(world, http, NOT_FOUND, "model \"", source, "\" not found");
    else if (!sim_models_copy(&world->models, str_of(source), str_of(target),
                              clock_wall_us()))
        sim_answer_error(world, http, 500, "no space left on device");
    else
        serve_reply(http, OK, "text/plain", str_of(""));
}

void sim_store_copy(struct sim_world *world, struct serve_request *http)
{
    json_t *document = sim_store_read(world, http);
    const char *source = json_string_value(json_object_get(document, "source"));
    const char *target = json_string_value(json_object_get(document, "destination"));

    if (document)
        copy_model(world, http, source ? source : "", target ? target : "");
    json_decref(document);
}

/* ---- what it cannot ---- */

static bool is_input(const json_t *input)
{
    if (input == NULL || json_is_null(input) || json_is_string(input))
        return true;
    if (!json_is_array(input))
        return false;
    for (size_t i = 0; i < json_array_size(input); i++)
        if (!json_is_string(json_array_get(input, i)))
            return false;
    return true;
}

/* Nothing to embed is no error there. */
static void answer_no_input(struct serve_request *http, const char *name)
{
    struct buf answer = {0};

    buf_init(&answer, SIM_ANSWER_MAX_BYTES);
    (void)buf_add_text(&answer, "{\"model\":"); /* a name, far from the bound */
    (void)json_write_text(&answer, name);
    (void)buf_add_text(&answer, ",\"embeddings\":[]}");
    sim_answer_json(http, OK, &answer);
    buf_done(&answer);
}

static void embed(struct sim_world *world, struct serve_request *http,
                  const json_t *input, const char *name)
{
    if (json_string_length(input) == 0 && json_array_size(input) == 0)
        answer_no_input(http, name);
    else
        sim_answer_error(world, http, NOT_SIMULATED,
                         "this model does not support embeddings");
}

void sim_store_embed(struct sim_world *world, struct serve_request *http)
{
    json_t *document = sim_store_read(world, http);
    const json_t *input = json_object_get(document, "input");
    const char *name = sim_store_name(document);

    if (document && !is_input(input))
        sim_answer_error(world, http, BAD, "invalid input type");
    else if (document && find(world, http, name))
        embed(world, http, input, name);
    json_decref(document);
}

void sim_store_me(struct sim_world *world, struct serve_request *http)
{
    sim_answer_error(world, http, UNAUTHORIZED, "unauthorized");
}

void sim_store_blob(struct sim_world *world, struct serve_request *http)
{
    const char *digest = strrchr(serve_path(http), '/') + 1;

    refuse_name(world, http, NOT_FOUND, "blob \"", digest, "\" not found");
}

void sim_store_refuse(struct sim_world *world, struct serve_request *http)
{
    refuse_name(world, http, NOT_SIMULATED, "", serve_path(http), " is not simulated");
}

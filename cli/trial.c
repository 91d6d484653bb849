/* trial.c - see trial.h. */
#include "cli/trial.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/advice.h"
#include "llm/request.h"
#include "llm/wire.h"

enum { LIST_MS = 5000, REPLY_TOKENS = 32 };

static void note_failure(struct trial *trial, enum llm_error error, const char *reason,
                         int http_status)
{
    const struct advice_case seen = {error, reason, http_status};

    trial->error = error;
    advice_make(trial->endpoint, &seen, &trial->reason);
}

static void finish(struct trial *trial)
{
    trial->over = true;
    trial->on_over(trial);
    servers_answered(trial->servers);
}

/* ---- after a good call ---- */

static void on_version(void *owner)
{
    finish(owner);
}

/* A server in the cloud has no version that concerns its users. */
static void ask_version(struct trial *trial)
{
    if (trial->endpoint->tier == TIER_CLOUD) {
        finish(trial);
        return;
    }
    trial->root = wire_root(trial->server.url, "/v1");
    trial->version.http = trial->servers->http;
    trial->version.root = trial->root;
    trial->version.key = trial->server.key;
    trial->version.is_ollama = trial->server.provider != LLM_OPENAI;
    trial->version.on_over = on_version;
    trial->version.owner = trial;
    server_version_ask(&trial->version);
}

static void on_slots(void *owner, int64_t slots)
{
    struct trial *trial = owner;

    trial->window = slots > 0 ? slots : WINDOW_ASK; /* still not known */
    ask_version(trial);
}

/* ---- after a bad one ---- */

/* What there is instead of the model that is missing. */
static void on_others(void *owner, const struct llm_models *models)
{
    struct trial *trial = owner;

    if (models->ok)
        advice_no_model(trial->endpoint, trial->model, models, &trial->reason);
    finish(trial);
}

static void on_elsewhere(void *owner, const struct elsewhere_place *found)
{
    struct trial *trial = owner;

    if (found != NULL)
        advice_elsewhere(trial->endpoint, found, &trial->reason);
    finish(trial);
}

/* Somebody answers, and not as that API does: LM Studio tells a wrong path as an error
 * under status 200. */
static bool is_other_place(enum llm_error error, const char *reason, int http_status)
{
    if (error == LLM_ERROR_REQUEST)
        return http_status == 404 || http_status == 405;
    if (error == LLM_ERROR_STREAM)
        return strstr(reason, "nexpected endpoint") != NULL;
    return error == LLM_ERROR_PROTOCOL && http_status != 0;
}

static void take_failure(struct trial *trial, enum llm_error error, const char *reason,
                         int http_status)
{
    struct elsewhere *elsewhere = &trial->elsewhere;

    note_failure(trial, error, reason, http_status);
    elsewhere->llm = trial->servers->llm;
    elsewhere->key = trial->server.key;
    elsewhere->on_over = on_elsewhere;
    elsewhere->owner = trial;
    if (!is_other_place(error, reason, http_status)
        || !elsewhere_start(elsewhere, &trial->server))
        finish(trial);
}

/* ---- the call ---- */

static void take_figures(struct trial *trial, const struct llm_result *result)
{
    free(trial->model);
    trial->model = x_strdup(result->model);
    fmt_into(trial->finish, sizeof trial->finish, "%.31s", result->finish_reason);
    trial->connect_us = result->connect_us;
    trial->first_us = result->first_token_us;
    trial->total_us = result->duration_us;
    trial->prompt_tokens = result->prompt_tokens;
    trial->cached_tokens = result->prompt_cached_tokens;
    trial->tokens = result->tokens_generated;
    trial->generation_ns = result->generation_ns;
}

/* A model that thinks, seen or unseen, may not have come to its words in so few tokens:
 * it answered. */
static bool answered(const struct llm_result *result)
{
    return result->outcome == LLM_DONE
           || (result->error == LLM_ERROR_EMPTY
               && (result->thinking.len > 0
                   || strcmp(result->finish_reason, "length") == 0));
}

static void call(struct trial *trial);

/* The client has learned it and sends it no more, so this cannot go on for ever. It is
 * part of what there is to see of a model. */
static void call_without(struct trial *trial, const char *param)
{
    trial->not_taken[trial->not_taken_count++] = param;
    call(trial);
}

static void on_result(void *owner, const struct llm_result *result)
{
    struct trial *trial = owner;

    if (answered(result)) {
        take_figures(trial, result);
        trial->window = trial->endpoint->window;
        if (trial->window == WINDOW_ASK)
            llm_ask_slots(trial->servers->llm, &trial->server, LIST_MS, on_slots,
                          trial);
        else
            ask_version(trial);
    } else if (result->error == LLM_ERROR_UNSUPPORTED
               && trial->not_taken_count < PARAM_COUNT) {
        call_without(trial, result->untaken);
    } else if (result->error == LLM_ERROR_MODEL_NOT_FOUND) {
        note_failure(trial, result->error, result->reason, result->http_status);
        llm_list_models(trial->servers->llm, &trial->server, LIST_MS, on_others, trial);
    } else {
        take_failure(trial, result->error, result->reason, result->http_status);
    }
}

static void call(struct trial *trial)
{
    static const struct llm_handlers handlers_of_none;
    struct llm_handlers handlers = handlers_of_none;
    const struct llm_message message = {
        "user", str_of("Say in one short sentence that you are there.")};
    /* As a turn would send it, so that what a model does not take shows here. */
    static const char *const stops[] = {"\nNobody:"};
    const struct config *config = trial->config;
    const struct endpoint *endpoint = trial->endpoint;
    struct llm_request request = {
        .provider = trial->server.provider,
        .url = trial->server.url,
        .endpoint = endpoint->name,
        .key = trial->server.key,
        .model = trial->model,
        .messages = &message,
        .message_count = 1,
        .options = config->options,
        .think = config->think,
        .num_ctx = config->num_ctx,
        .num_predict = REPLY_TOKENS,
        .stops = stops,
        .stop_count = 1,
        .temperature = config->temperature,
        .seed = -1,
        .keep_alive = config->keep_alive,
    };

    request_set_clocks(&request, config, endpoint);
    handlers.on_result = on_result;
    handlers.owner = trial;
    (void)llm_start(trial->servers->llm, &request, &handlers); /* it frees itself */
}

/* No model was named for it: its first one will do. */
static void on_models(void *owner, const struct llm_models *models)
{
    struct trial *trial = owner;

    if (models->ok && models->count > 0) {
        trial->model = x_strdup(models->names[0]);
        call(trial);
        return;
    }
    if (models->ok)
        take_failure(trial, LLM_ERROR_MODEL_NOT_FOUND, "it has no model", 0);
    else
        take_failure(trial, models->error, models->reason, models->http_status);
}

/* The model it is asked for by those options; NULL: they name none for it. */
static const char *wanted_model(const struct config_loaded *loaded,
                                const struct endpoint *endpoint)
{
    const struct config *config = &loaded->values;
    const char *general = NULL;

    for (int seat = 0; seat <= OPT_SEATS; seat++) {
        const char *model = NULL;
        const struct endpoint *at;

        if (config->models[seat] == NULL)
            continue;
        at = endpoint_of_model(&config->endpoints, config->models[seat], &model);
        if (at == endpoint && model != NULL)
            return model;
        if (at == NULL && general == NULL)
            general = model;
    }
    if (endpoint->model_count > 0)
        return endpoint->models[0];
    return opt_given(&loaded->set, "model") || strcmp(endpoint->provider, "openai") != 0
               ? general
               : NULL;
}

void trial_start(struct trial *trial, struct servers *servers,
                 const struct config_loaded *loaded, const struct endpoint *endpoint,
                 void (*on_over)(struct trial *trial))
{
    const char *model = wanted_model(loaded, endpoint);

    *trial = (struct trial){.servers = servers,
                            .config = &loaded->values,
                            .endpoint = endpoint,
                            .on_over = on_over,
                            .connect_us = -1,
                            .first_us = -1,
                            .total_us = -1,
                            .prompt_tokens = -1,
                            .cached_tokens = -1,
                            .tokens = -1,
                            .generation_ns = -1,
                            .window = -1};
    if (!servers_reach(endpoint, &trial->server, &trial->key, &trial->reason)) {
        trial->error = LLM_ERROR_AUTH;
        trial->over = true;
        on_over(trial);
        return;
    }
    servers->open++;
    if (model == NULL) {
        llm_list_models(servers->llm, &trial->server, LIST_MS, on_models, trial);
        return;
    }
    trial->model = x_strdup(model);
    call(trial);
}

void trial_done(struct trial *trial)
{
    elsewhere_done(&trial->elsewhere);
    free(trial->root);
    free(trial->key);
    free(trial->model);
}

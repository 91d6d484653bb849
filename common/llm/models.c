/* models.c - asks a server which models it has and how many calls it works on at once,
 * and looks a model up in its list.
 *
 * A query is one GET whose whole body is wanted. Who cannot be asked is answered from
 * the loop all the same, so that nobody is called back too early.
 *
 * Flow: query_start -> on_data ... -> on_done | on_nothing -> on_models | on_slots
 *       -> freed
 */
#include "llm/models.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "llm/ollama.h"
#include "llm/openai.h"
#include "llm/provider.h"
#include "llm/reader.h"
#include "llm/verdict.h"
#include "llm/wire.h"
#include "net/http.h"
#include "proto/endpoint.h"
#include "proto/json_get.h"
#include "proto/schema.h"

enum { BODY_BYTES_MAX = 8 * 1024 * 1024, SLOTS_MAX = 1000000 };

struct models_query {
    TAILQ_ENTRY(models_query) link;
    struct llm *llm;
    struct http_call *http;   /* NULL once it has ended, or none is needed */
    struct loop_timer answer; /* when nothing is asked */
    struct buf body;
    enum llm_provider provider;
    char *url;        /* owned; as it may be shown */
    const char *path; /* behind it */
    char *key;        /* owned; NULL none */
    /* One of the two. */
    void (*on_models)(void *owner, const struct llm_models *models);
    void (*on_slots)(void *owner, int64_t slots);
    void *owner;
};

static void query_free(struct models_query *query)
{
    TAILQ_REMOVE(&query->llm->queries, query, link);
    loop_timer_stop(&query->answer);
    buf_done(&query->body);
    free(query->url);
    free(query->key);
    free(query);
}

/* ---- the answer ---- */

static bool on_data(void *owner, int status, const char *content_type, struct str bytes)
{
    struct models_query *query = owner;

    (void)status;
    (void)content_type;
    return buf_add_str(&query->body, bytes);
}

static bool is_json(const char *content_type)
{
    return wire_type_is(content_type, "application/json");
}

static const struct dialect *query_dialect(const struct models_query *query)
{
    return query->provider == LLM_OPENAI ? openai_dialect() : ollama_dialect();
}

static enum llm_error judge(const struct models_query *query,
                            const struct http_result *http, struct err *ret_reason)
{
    const struct verdict_ask ask = {
        .dialect = query_dialect(query),
        .type_fits = is_json,
        .url = query->url,
        .path = query->path,
        .with_key = query->key != NULL,
        .now_us = clock_wall_us(),
    };
    struct verdict verdict;

    verdict_of(&ask, http, buf_str(&query->body), &verdict);
    *ret_reason = verdict.reason;
    if (verdict.error != LLM_ERROR_NONE || http->outcome == HTTP_DONE)
        return verdict.error;
    err_set(ret_reason, ERR_MODEL, "%s", http->reason);
    return LLM_ERROR_TRUNCATED;
}

static void tell_models(struct models_query *query, const struct http_result *http)
{
    bool openai = query->provider == LLM_OPENAI;
    struct llm_models models = {0};
    struct err reason = {0};
    char **names = NULL;

    models.error = judge(query, http, &reason);
    if (models.error == LLM_ERROR_NONE
        && !wire_read_models(buf_str(&query->body), openai ? "data" : "models",
                             openai ? "id" : "name", &names, &models.count, &reason)) {
        err_wrap(&reason, "the list of models");
        models.error = LLM_ERROR_PROTOCOL;
    }
    models.ok = models.error == LLM_ERROR_NONE;
    models.http_status = http->status;
    wire_hide_key(reason.msg, query->key);
    models.reason = reason.msg;
    models.names = (const char *const *)names;
    query->on_models(query->owner, &models);
    for (size_t i = 0; names != NULL && i < models.count; i++)
        free(names[i]);
    free(names);
}

/* llama.cpp's GET /props; whoever else answers there says nothing of slots. */
static int64_t read_slots(struct str body)
{
    json_t *document = NULL;
    int64_t slots = 0;

    if (!json_read(body, &document, NULL))
        return 0;
    if (!json_is_whole(json_object_get(document, "total_slots"), &slots) || slots < 1
        || slots > SLOTS_MAX)
        slots = 0;
    json_decref(document);
    return slots;
}

static int64_t slots_of(const struct models_query *query,
                        const struct http_result *http)
{
    struct err reason = {0};

    switch (judge(query, http, &reason)) {
    case LLM_ERROR_NONE:
        return read_slots(buf_str(&query->body));
    case LLM_ERROR_REFUSED:
    case LLM_ERROR_TIMEOUT:
    case LLM_ERROR_TRUNCATED:
    case LLM_ERROR_BUSY:
    case LLM_ERROR_SERVER:
        return -1;
    default:
        return 0;
    }
}

static void on_done(void *owner, const struct http_result *http)
{
    struct models_query *query = owner;

    query->http = NULL;
    if (query->on_models != NULL)
        tell_models(query, http);
    else
        query->on_slots(query->owner, slots_of(query, http));
    query_free(query);
}

static void on_nothing(struct loop_timer *timer, void *owner)
{
    static const struct llm_models untold = {.error = LLM_ERROR_REQUEST,
                                             .reason = "it does not tell"};
    struct models_query *query = owner;

    (void)timer;
    if (query->on_models != NULL)
        query->on_models(query->owner, &untold);
    else
        query->on_slots(query->owner, 0);
    query_free(query);
}

/* ---- the question ---- */

static struct models_query *query_new(struct llm *llm, const struct llm_server *server,
                                      void *owner)
{
    struct models_query *query = x_calloc(1, sizeof(*query));

    query->llm = llm;
    query->owner = owner;
    query->provider = server->provider;
    query->url = wire_shown(server->url);
    query->key = server->key == NULL ? NULL : x_strdup(server->key);
    buf_init(&query->body, BODY_BYTES_MAX);
    loop_timer_init(&query->answer, llm->loop, on_nothing, query);
    TAILQ_INSERT_TAIL(&llm->queries, query, link);
    return query;
}

static void query_ask(struct models_query *query, const char *url, const char *key,
                      int64_t timeout_ms)
{
    const struct http_handlers handlers = {on_data, on_done, query};
    char *bearer = wire_header("Authorization: Bearer ", key);
    const char *headers[] = {bearer, NULL};
    const struct http_request request = {
        .method = "GET",
        .url = url,
        .headers = headers,
        .max_bytes = BODY_BYTES_MAX,
        .connect_ms = timeout_ms,
        .total_ms = timeout_ms,
    };

    assert(timeout_ms > 0);
    query->http = http_start(query->llm->http, &request, &handlers);
    free(bearer);
}

void llm_list_models(struct llm *llm, const struct llm_server *server,
                     int64_t timeout_ms,
                     void (*on_models)(void *owner, const struct llm_models *models),
                     void *owner)
{
    struct models_query *query = query_new(llm, server, owner);
    char *url;

    assert(server->provider != LLM_ECHO);
    query->on_models = on_models;
    query->path = query_dialect(query)->list_path;
    url = wire_join(server->url, query->path);
    query_ask(query, url, server->key, timeout_ms);
    free(url);
}

void llm_list_loaded(struct llm *llm, const struct llm_server *server,
                     int64_t timeout_ms,
                     void (*on_models)(void *owner, const struct llm_models *models),
                     void *owner)
{
    struct models_query *query = query_new(llm, server, owner);
    char *url;

    assert(server->provider != LLM_ECHO);
    query->on_models = on_models;
    query->path = query_dialect(query)->loaded_path;
    if (query->path == NULL) {
        loop_timer_start(&query->answer, 0);
        return;
    }
    url = wire_join(server->url, query->path);
    query_ask(query, url, server->key, timeout_ms);
    free(url);
}

void llm_ask_slots(struct llm *llm, const struct llm_server *server, int64_t timeout_ms,
                   void (*on_slots)(void *owner, int64_t slots), void *owner)
{
    struct models_query *query = query_new(llm, server, owner);
    char *root = wire_root(server->url, openai_dialect()->usual_path);
    char *url = wire_join(root, "/props");

    query->on_slots = on_slots;
    query->path = "/props";
    if (server->provider == LLM_OPENAI)
        query_ask(query, url, server->key, timeout_ms);
    else
        loop_timer_start(&query->answer, 0); /* Ollama does not tell */
    free(url);
    free(root);
}

void models_drop(struct llm *llm)
{
    struct models_query *query = TAILQ_FIRST(&llm->queries);

    while (query != NULL) {
        struct models_query *next = TAILQ_NEXT(query, link);

        if (query->http != NULL)
            http_drop(query->http);
        query_free(query);
        query = next;
    }
}

bool llm_models_have(const struct llm_models *models, const char *model)
{
    for (size_t i = 0; i < models->count; i++)
        if (endpoint_lists_as(models->names[i], model))
            return true;
    return false;
}

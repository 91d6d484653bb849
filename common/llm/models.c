/* models.c - asks a server which models it has, and looks one up in its list.
 *
 * Flow: llm_list_models -> on_data ... -> on_done -> on_models -> freed
 */
#include "llm/models.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "llm/ollama_wire.h"
#include "llm/provider.h"
#include "net/http.h"

enum { LIST_BYTES_MAX = 8 * 1024 * 1024 };

struct models_query {
    TAILQ_ENTRY(models_query) link;
    struct llm *llm;
    struct http_call *http;
    struct buf body;
    void (*on_models)(void *owner, const struct llm_models *models);
    void *owner;
};

static void models_free(struct models_query *query)
{
    TAILQ_REMOVE(&query->llm->queries, query, link);
    buf_done(&query->body);
    free(query);
}

static bool on_data(void *owner, int status, const char *content_type, struct str bytes)
{
    struct models_query *query = owner;

    (void)status;
    (void)content_type;
    return buf_add_str(&query->body, bytes);
}

/* What is wrong with the answer, if anything is. */
static enum llm_error judge(struct models_query *query, const struct http_result *http,
                            struct err *ret_reason)
{
    static const enum llm_error errors[HTTP_OUTCOME_COUNT] = {
        [HTTP_REFUSED] = LLM_ERROR_REFUSED,     [HTTP_TIMEOUT] = LLM_ERROR_TIMEOUT,
        [HTTP_BROKEN] = LLM_ERROR_TRUNCATED,    [HTTP_TOO_LARGE] = LLM_ERROR_TOO_LARGE,
        [HTTP_CANCELLED] = LLM_ERROR_TRUNCATED, /* the HTTP client goes away */
    };

    if (http->outcome != HTTP_DONE) {
        err_set(ret_reason, ERR_MODEL, "%s", http->reason);
        return errors[http->outcome];
    }
    if (http->status != 200) {
        ollama_describe_error(http->status, buf_str(&query->body), ret_reason);
        return ollama_status_error(http->status);
    }
    if (!ollama_type_fits(http->content_type)) {
        err_set(ret_reason, ERR_MODEL,
                "the answer is \"%s\", not JSON: no Ollama server?",
                log_safe(str_of(http->content_type)));
        return LLM_ERROR_PROTOCOL;
    }
    return LLM_ERROR_NONE;
}

static void on_done(void *owner, const struct http_result *http)
{
    struct models_query *query = owner;
    struct llm_models models = {.reason = ""};
    struct err reason = {0};
    char **names = NULL;

    query->http = NULL;
    models.error = judge(query, http, &reason);
    if (models.error == LLM_ERROR_NONE
        && !ollama_read_models(buf_str(&query->body), &names, &models.count, &reason)) {
        err_wrap(&reason, "the list of models");
        models.error = LLM_ERROR_PROTOCOL;
    }
    models.ok = models.error == LLM_ERROR_NONE;
    models.reason = reason.msg;
    models.names = (const char *const *)names;
    query->on_models(query->owner, &models);
    for (size_t i = 0; names != NULL && i < models.count; i++)
        free(names[i]);
    free(names);
    models_free(query);
}

void llm_list_models(struct llm *llm, const struct llm_server *server,
                     int64_t timeout_ms,
                     void (*on_models)(void *owner, const struct llm_models *models),
                     void *owner)
{
    struct models_query *query = x_calloc(1, sizeof(*query));
    const struct http_handlers handlers = {on_data, on_done, query};
    char *tags = ollama_join(server->url, "/api/tags");
    const struct http_request request = {
        .method = "GET",
        .url = tags,
        .max_bytes = LIST_BYTES_MAX,
        .connect_ms = timeout_ms,
        .total_ms = timeout_ms,
    };

    assert(timeout_ms > 0);
    query->llm = llm;
    query->on_models = on_models;
    query->owner = owner;
    buf_init(&query->body, LIST_BYTES_MAX);
    TAILQ_INSERT_TAIL(&llm->queries, query, link);
    query->http = http_start(llm->http, &request, &handlers);
    free(tags);
}

void models_drop(struct llm *llm)
{
    struct models_query *query = TAILQ_FIRST(&llm->queries);

    while (query != NULL) {
        struct models_query *next = TAILQ_NEXT(query, link);

        if (query->http != NULL)
            http_drop(query->http);
        models_free(query);
        query = next;
    }
}

bool llm_models_have(const struct llm_models *models, const char *model)
{
    size_t len = strlen(model);

    for (size_t i = 0; i < models->count; i++) {
        const char *name = models->names[i];

        if (strcmp(name, model) == 0)
            return true;
        if (strncmp(name, model, len) == 0 && strcmp(name + len, ":latest") == 0)
            return true;
    }
    return false;
}

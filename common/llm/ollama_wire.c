/* ollama_wire.c - see ollama_wire.h. The API is that of docs/api.md in the Ollama
 * project.
 */
#include "llm/ollama_wire.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/json_get.h"
#include "proto/json_write.h"
#include "proto/schema.h"

enum { TEMPERATURE_DECIMALS = 4 };

/* ---- out ---- */

static bool write_messages(const struct llm_request *request, struct buf *into)
{
    bool ok = buf_add_text(into, ",\"messages\":[");

    for (size_t i = 0; ok && i < request->message_count; i++) {
        const struct llm_message *message = &request->messages[i];

        ok = buf_add_text(into, i > 0 ? ",{\"role\":" : "{\"role\":")
             && json_write_text(into, message->role)
             && buf_add_text(into, ",\"content\":")
             && json_write_string(into, message->text) && buf_add_char(into, '}');
    }
    return ok && buf_add_char(into, ']');
}

static bool write_keep_alive(const char *keep_alive, struct buf *into)
{
    int64_t seconds;

    if (keep_alive == NULL)
        return true;
    return buf_add_text(into, ",\"keep_alive\":")
           && (str_to_i64(str_of(keep_alive), INT32_MIN, INT32_MAX, &seconds)
                   ? json_write_i64(into, seconds)
                   : json_write_text(into, keep_alive));
}

static bool write_options(const struct llm_request *request, struct buf *into)
{
    return buf_add_text(into, ",\"options\":{\"num_ctx\":")
           && json_write_i64(into, request->num_ctx)
           && buf_add_text(into, ",\"num_predict\":")
           && json_write_i64(into, request->num_predict)
           && buf_add_text(into, ",\"temperature\":")
           && json_write_number(into, request->temperature, TEMPERATURE_DECIMALS)
           && (request->seed < 0
               || (buf_add_text(into, ",\"seed\":")
                   && json_write_i64(into, request->seed)))
           && buf_add_char(into, '}');
}

bool ollama_write_request(const struct llm_request *request, struct buf *into)
{
    assert(request->model != NULL && isfinite(request->temperature));
    return buf_add_text(into, "{\"model\":") && json_write_text(into, request->model)
           && write_messages(request, into) && buf_add_text(into, ",\"stream\":true")
           && (request->schema == NULL
               || (buf_add_text(into, ",\"format\":")
                   && buf_add_str(into, str_trim(str_of(request->schema)))))
           && write_keep_alive(request->keep_alive, into)
           && write_options(request, into) && buf_add_char(into, '}');
}

static struct str without_slashes(const char *url)
{
    struct str bare = str_of(url);

    while (bare.len > 0 && bare.at[bare.len - 1] == '/')
        bare.len--;
    return bare;
}

char *ollama_join(const char *url, const char *path)
{
    struct str bare = without_slashes(url);

    return x_printf("%.*s%s", (int)bare.len, bare.at, path);
}

char *ollama_endpoint(const char *url)
{
    struct str bare = without_slashes(url);
    const char *host = strstr(bare.at, "://");
    size_t from = host == NULL ? 0 : (size_t)(host - bare.at) + 3;
    size_t at = from;

    /* A password may hold an '@': the last one before the path counts (RFC 3986, 3.2).
     */
    for (size_t i = from; i < bare.len && strchr("/?#", bare.at[i]) == NULL; i++) {
        if (bare.at[i] == '@')
            at = i + 1;
    }
    return x_printf("%.*s%.*s", (int)from, bare.at, (int)(bare.len - at), bare.at + at);
}

/* ---- in: what came instead of a stream ---- */

bool ollama_type_fits(const char *content_type)
{
    struct str rest;
    struct str type = str_trim(str_cut(str_of(content_type), ';', &rest));
    static const char *const fitting[] = {"application/x-ndjson", "application/json"};

    for (size_t i = 0; i < sizeof fitting / sizeof *fitting; i++) {
        if (type.len == strlen(fitting[i])
            && strncasecmp(type.at, fitting[i], type.len) == 0)
            return true;
    }
    return false;
}

enum llm_error ollama_status_error(int status)
{
    if (status == 404)
        return LLM_ERROR_MODEL_NOT_FOUND;
    if (status == 429 || status == 503)
        return LLM_ERROR_BUSY;
    if (status >= 500)
        return LLM_ERROR_SERVER;
    return status >= 400 ? LLM_ERROR_REQUEST : LLM_ERROR_PROTOCOL;
}

/* {"error": "..."}, or as other servers write it {"error": {"message": "..."}}; empty
 * when there is neither. A view into the document. */
static struct str error_text(const json_t *document)
{
    const json_t *error = json_object_get(document, "error");

    if (json_is_object(error))
        error = json_object_get(error, "message");
    return str_make(json_string_value(error), json_string_length(error));
}

void ollama_describe_error(int status, struct str body, struct err *ret_reason)
{
    json_t *document = NULL;
    struct str text = str_trim(body);

    if (json_read(body, &document, NULL))
        text = error_text(document);
    else if (text.len > 0 && (text.at[0] == '<' || text.at[0] == '{'))
        text = str_of(""); /* HTML, or JSON that was cut */
    err_set(ret_reason, ERR_MODEL, "the server answered %d%s%s", status,
            text.len > 0 ? ": " : "", log_safe(text));
    json_decref(document);
}

/* ---- in: the list of models ---- */

static bool read_names(const struct json_place *models, char **names, struct err *err)
{
    for (size_t i = 0; i < json_array_size(models->value); i++) {
        struct json_place item = json_item(models, i);

        if (!json_get_text(json_member(&item, "name"), &names[i], err))
            return false;
    }
    return true;
}

static void free_names(char **names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(names[i]);
    free(names);
}

bool ollama_read_models(struct str body, char ***ret_names, size_t *ret_count,
                        struct err *err)
{
    json_t *document = NULL;
    char **names = NULL;
    size_t count = 0;
    struct json_place root;
    struct json_place models;
    bool ok = false;

    if (!json_read(body, &document, err))
        goto out;
    root = json_root(document);
    models = json_member(&root, "models");
    /* A server without models says null: an empty slice in Go. */
    if (!json_is_array(models.value) && !json_is_null(models.value)) {
        (void)json_fail(&models, "an array", err);
        goto out;
    }
    count = json_array_size(models.value);
    if (count > 0)
        names = x_calloc(count, sizeof(*names));
    if (!read_names(&models, names, err))
        goto out;
    *ret_names = names;
    *ret_count = count;
    names = NULL;
    ok = true;
out:
    if (names != NULL)
        free_names(names, count);
    json_decref(document);
    return ok;
}

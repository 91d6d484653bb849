/* wire.c - see wire.h. */
#include "llm/wire.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "llm/param.h"
#include "proto/json_get.h"
#include "proto/json_write.h"
#include "proto/model_options.h"
#include "proto/schema.h"

enum { TEMPERATURE_DECIMALS = 4, OPTION_DIGITS = 15, KEY_BYTES_MIN = 8 };

/* ---- URLs and types ---- */

static struct str without_slashes(const char *url)
{
    struct str bare = str_of(url);

    while (bare.len > 0 && bare.at[bare.len - 1] == '/')
        bare.len--;
    return bare;
}

char *wire_join(const char *url, const char *path)
{
    struct str bare = without_slashes(url);

    return x_printf("%.*s%s", (int)bare.len, bare.at, path);
}

char *wire_shown(const char *url)
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

char *wire_root(const char *url, const char *path)
{
    struct str bare = without_slashes(url);
    size_t len = strlen(path);

    if (bare.len >= len && memcmp(bare.at + bare.len - len, path, len) == 0)
        bare.len -= len;
    return x_memdup(bare.at, bare.len);
}

char *wire_header(const char *name, const char *value)
{
    return value == NULL ? NULL : x_printf("%s%s", name, value);
}

void wire_hide_key(char *text, const char *key)
{
    size_t len = key == NULL ? 0 : strlen(key);
    char *at = text;
    size_t left;

    if (len < KEY_BYTES_MIN)
        return;
    while ((at = strstr(at, key)) != NULL) {
        memcpy(at, "***", 3);
        memmove(at + 3, at + len, strlen(at + len) + 1);
        at += 3;
    }
    for (at = text; (left = strlen(at)) >= KEY_BYTES_MIN; at++) {
        if (left < len && memcmp(at, key, left) == 0) {
            memcpy(at, "***", 4);
            return;
        }
    }
}

bool wire_type_is(const char *content_type, const char *media_type)
{
    struct str rest;
    struct str type = str_trim(str_cut(str_of(content_type), ';', &rest));

    return type.len == strlen(media_type)
           && strncasecmp(type.at, media_type, type.len) == 0;
}

/* ---- out ---- */

bool wire_write_messages(const struct llm_request *request, struct buf *into)
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

bool wire_write_temperature(const struct llm_request *request, struct buf *into)
{
    assert(isfinite(request->temperature));
    if (param_is_out(request, PARAM_TEMPERATURE))
        return true;
    return buf_add_text(into, ",\"temperature\":")
           && json_write_number(into, request->temperature, TEMPERATURE_DECIMALS);
}

bool wire_write_seed(const struct llm_request *request, struct buf *into)
{
    return request->seed < 0 || param_is_out(request, PARAM_SEED)
           || (buf_add_text(into, ",\"seed\":") && json_write_i64(into, request->seed));
}

bool wire_write_stops(const struct llm_request *request, struct buf *into)
{
    bool ok = true;

    if (param_is_out(request, PARAM_STOP))
        return true;
    for (size_t i = 0; ok && i < request->stop_count; i++)
        ok = buf_add_text(into, i > 0 ? "," : ",\"stop\":[")
             && json_write_text(into, request->stops[i]);
    return ok && (request->stop_count == 0 || buf_add_char(into, ']'));
}

static int add_json(const char *at, size_t len, void *owner)
{
    return buf_add(owner, at, len) ? 0 : -1;
}

static bool write_option(const char *key, const json_t *value, struct buf *into)
{
    size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(OPTION_DIGITS);

    return buf_add_char(into, ',') && json_write_text(into, key)
           && buf_add_char(into, ':')
           && json_dump_callback(value, add_json, into, flags) == 0;
}

bool wire_write_options(const struct llm_request *request,
                        const char *(*name_of)(const struct llm_request *request,
                                               const struct model_option *option),
                        struct buf *into)
{
    json_t *options = NULL;
    const char *key;
    json_t *value;
    bool ok = true;

    if (request->options == NULL)
        return true;
    if (!json_read(str_of(request->options), &options, NULL))
        assert(!"options nobody has checked");
    json_object_foreach(options, key, value)
    {
        const struct model_option *option = model_option_find(str_of(key));
        const char *name = option == NULL ? NULL : name_of(request, option);

        if (ok && name != NULL && !param_is_out(request, param_of_option(option)))
            ok = write_option(name, value, into);
    }
    json_decref(options);
    return ok;
}

unsigned wire_params(const struct llm_request *request)
{
    unsigned params = 1U << PARAM_TEMPERATURE;

    if (request->seed >= 0)
        params |= 1U << PARAM_SEED;
    if (request->stop_count > 0)
        params |= 1U << PARAM_STOP;
    for (size_t i = 0; request->options != NULL && model_option(i) != NULL; i++) {
        char key[64];

        /* They stand there without blanks, and their values are no texts. */
        fmt_into(key, sizeof key, "\"%s\":", model_option(i)->name);
        if (strstr(request->options, key) != NULL)
            params |= 1U << param_of_option(model_option(i));
    }
    return params & ~(1U << PARAM_NONE | request->without);
}

/* ---- in: the list of models ---- */

static bool read_names(const struct json_place *models, const char *name, char **names,
                       struct err *err)
{
    for (size_t i = 0; i < json_array_size(models->value); i++) {
        struct json_place item = json_item(models, i);

        if (!json_get_text(json_member(&item, name), &names[i], err))
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

bool wire_read_models(struct str body, const char *list, const char *name,
                      char ***ret_names, size_t *ret_count, struct err *err)
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
    /* Together's server of the OpenAI API answers with the array alone. */
    models = json_is_array(document) && strcmp(list, "data") == 0
                 ? root
                 : json_member(&root, list);
    /* A server without models says null: an empty slice in Go. */
    if (!json_is_array(models.value) && !json_is_null(models.value)) {
        (void)json_fail(&models, "an array", err);
        goto out;
    }
    count = json_array_size(models.value);
    if (count > 0)
        names = x_calloc(count, sizeof(*names));
    if (!read_names(&models, name, names, err))
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

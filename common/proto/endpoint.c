/* endpoint.c - see endpoint.h: the list and what is asked of it. Members are read
 * from the config file, and shown, in endpoint_field.c. */
#include "proto/endpoint.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/file.h"
#include "proto/config.h"
#include "proto/config_url.h"

enum { KEY_MAX_BYTES = 4096 };

const char *endpoint_tier_name(enum endpoint_tier tier)
{
    static const char *const names[TIER_COUNT] = {
        [TIER_LOCAL] = "local", [TIER_CLOUD] = "cloud"};

    return names[tier];
}

static void endpoint_done(struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->model_count; i++)
        free(endpoint->models[i]);
    free(endpoint->models);
    free(endpoint->provider);
    free(endpoint->url);
    free(endpoint->key_env);
    free(endpoint->key_file);
    *endpoint = (struct endpoint){0};
}

void endpoints_done(struct endpoint_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        endpoint_done(&list->items[i]);
    free(list->items);
    *list = (struct endpoint_list){0};
}

const struct endpoint *endpoint_find(const struct endpoint_list *list, struct str name)
{
    for (size_t i = 0; i < list->count; i++)
        if (str_is(name, list->items[i].name))
            return &list->items[i];
    return NULL;
}

bool endpoint_lists_as(const char *listed, const char *model)
{
    size_t len = strlen(model);

    return strncmp(listed, model, len) == 0
           && (listed[len] == '\0' || strcmp(listed + len, ":latest") == 0);
}

bool endpoint_same_model(const char *a, const char *b)
{
    return endpoint_lists_as(a, b) || endpoint_lists_as(b, a);
}

bool endpoint_serves(const struct endpoint *endpoint, const char *model)
{
    for (size_t i = 0; i < endpoint->model_count; i++)
        if (endpoint_same_model(endpoint->models[i], model))
            return true;
    return endpoint->model_count == 0;
}

const struct endpoint *endpoint_of_model(const struct endpoint_list *list,
                                         const char *text, const char **ret_model)
{
    struct str model;
    struct str name = str_cut(str_of(text), ':', &model);
    const struct endpoint *endpoint = endpoint_find(list, name);

    if (endpoint == NULL)
        *ret_model = text;
    else if (model.len > 0)
        *ret_model = model.at;
    else
        *ret_model = endpoint->model_count > 0 ? endpoint->models[0] : NULL;
    return endpoint;
}

/* ---- the built-in ones ---- */

static bool is_openais_own(const char *url)
{
    static const char own[] = "https://api.openai.com";
    size_t len = sizeof own - 1;

    return strncmp(url, own, len) == 0 && (url[len] == '/' || url[len] == '\0');
}

static bool has_openai_key(const char *url)
{
    const char *key = getenv("OPENAI_API_KEY");

    return is_openais_own(url) || (key != NULL && *key != '\0');
}

static struct endpoint built_in(const char *provider, const char *url)
{
    struct endpoint endpoint = {.provider = x_strdup(provider),
                                .url = x_strdup(url),
                                .tier = TIER_LOCAL,
                                .built_in = true,
                                .prompt_price = (double)NAN,
                                .cached_price = (double)NAN,
                                .generated_price = (double)NAN};

    fmt_into(endpoint.name, sizeof endpoint.name, "%s", provider);
    if (strcmp(provider, "ollama") == 0)
        endpoint.window = 1;
    if (strcmp(provider, "openai") != 0)
        return endpoint;
    endpoint.tier = config_url_is_private(url) ? TIER_LOCAL : TIER_CLOUD;
    endpoint.window = endpoint.tier == TIER_LOCAL ? WINDOW_ASK : WINDOW_NONE;
    if (has_openai_key(url))
        endpoint.key_env = x_strdup("OPENAI_API_KEY");
    return endpoint;
}

void endpoints_add_built_in(struct endpoint_list *list, const struct config *config)
{
    const struct {
        const char *provider;
        const char *url;
    } all[] = {{"ollama", config->ollama_url},
               {"openai", config->openai_url},
               {"simulator", config->ollama_url},
               {"echo", ""}};
    enum { ALL = sizeof all / sizeof *all };

    list->items = x_realloc(list->items, (list->count + ALL) * sizeof *list->items);
    assert(list->items != NULL); /* for the analyzer, which does not know x_realloc */
    for (size_t i = 0; i < ALL; i++)
        if (endpoint_find(list, str_of(all[i].provider)) == NULL)
            list->items[list->count++] =
                built_in(all[i].provider, all[i].url == NULL ? "" : all[i].url);
}

/* ---- keys ---- */

/* The slips of those who copy a key; "" when it is none of them. A bearer token holds
 * no quotes, and '=' only at its end (RFC 6750, 2.1). */
static const char *key_slip(struct str key)
{
    const char *equals = memchr(key.at, '=', key.len);
    size_t name = equals == NULL ? 0 : (size_t)(equals - key.at);

    if (key.at[0] == '"' || key.at[0] == '\'')
        return " stands in quotes: leave them off";
    if (str_starts(key, "Bearer ") || str_starts(key, "bearer "))
        return " begins with \"Bearer\": leave that off";
    if (str_starts(key, "export ")
        || (name > 0 && strspn(key.at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789") == name
            && name + 1 < key.len && equals[1] != '='))
        return " stands behind NAME=: leave that off";
    return str_starts(key, "\xEF\xBB\xBF") ? " begins with a byte order mark" : "";
}

/* Takes what a header can carry: one word of visible ASCII. */
static bool take_key(struct str text, const char *where, char **ret_key,
                     struct err *err)
{
    struct str key = str_trim(text);

    if (key.len == 0)
        return err_set(err, ERR_USAGE, "%s holds no key", where);
    if (key_slip(key)[0] != '\0')
        return err_set(err, ERR_USAGE, "%s: the key%s", where, key_slip(key));
    for (size_t i = 0; i < key.len; i++)
        if (key.at[i] <= ' ' || key.at[i] > '~')
            return err_set(err, ERR_USAGE,
                           "%s: a key is one word of visible ASCII letters", where);
    *ret_key = x_memdup(key.at, key.len);
    return true;
}

/* "~/x" as a shell would have it, since no shell reads a config file; NULL: another. */
static char *home_path(const char *path)
{
    const char *home = getenv("HOME");

    return str_starts(str_of(path), "~/") && home != NULL
               ? x_printf("%s%s", home, path + 1)
               : NULL;
}

static bool key_from_file(const char *path, char **ret_key, struct err *err)
{
    char *at_home = home_path(path);
    struct buf text;
    struct str rest;
    struct str line;
    bool ok;

    buf_init(&text, KEY_MAX_BYTES);
    ok = file_slurp(at_home == NULL ? path : at_home, &text, err);
    line = str_cut(buf_str(&text), '\n', &rest);
    if (ok && str_trim(line).len == 0 && str_trim(rest).len > 0)
        ok = err_set(err, ERR_USAGE, "the first line of %s is blank", path);
    ok = ok && take_key(line, path, ret_key, err);
    buf_done(&text);
    free(at_home);
    return ok;
}

static bool key_from_variable(const char *name, char **ret_key, struct err *err)
{
    const char *value = getenv(name);

    if (value == NULL || *value == '\0')
        return err_set(err, ERR_USAGE, "the variable %s is %s", name,
                       value == NULL ? "not set" : "empty");
    return take_key(str_of(value), name, ret_key, err);
}

bool endpoint_key(const struct endpoint *endpoint, char **ret_key, struct err *err)
{
    char *key = NULL;
    bool ok = true;

    if (endpoint->key_env != NULL) {
        ok = key_from_variable(endpoint->key_env, &key, err);
    } else if (endpoint->key_file != NULL) {
        ok = key_from_file(endpoint->key_file, &key, err);
    }
    if (ok) {
        *ret_key = key;
        return true;
    }
    if (err != NULL)
        err->code = ERR_USAGE;
    return err_wrap(err, "the key of endpoint %s", endpoint->name);
}

void endpoints_warn(const struct endpoint_list *list, struct buf *into)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct endpoint *endpoint = &list->items[i];
        bool has_key = endpoint->key_env != NULL || endpoint->key_file != NULL;

        if (has_key && str_starts(str_of(endpoint->url), "http://")
            && !config_url_is_private(endpoint->url))
            buf_printf(into,
                       "the key of endpoint %s goes over the net unencrypted: its url "
                       "should begin with https://\n",
                       endpoint->name);
    }
}

/* endpoint_field.c - the members of an endpoint as one table: read from the section of
 * the config file (endpoints_parse), shown to people (endpoint_member).
 *
 * Flow: endpoints_parse -> read_endpoint -> read_member, once a member -> settle
 */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "proto/config_url.h"
#include "proto/endpoint.h"
#include "proto/json_get.h"

enum {
    BUILT_IN_COUNT = 4,
    OWN_MAX = ENDPOINTS_MAX - BUILT_IN_COUNT,
    MODELS_MAX = 256,
    WINDOW_MAX = 100000,
    OLLAMA_PORT = 11434,
    WHERE_SIZE = 128
};
#define HOUR_S    3600.0
#define PRICE_MAX 1e9

enum kind { PROVIDER, URL, VARIABLE, PATH, MODELS, TIER, WINDOW, SECONDS, PRICE };
struct field {
    const char *key;
    enum kind kind;
    size_t offset;
    double max; /* of numbers */
};
#define FIELD(key, kind, member, max)                     \
    {                                                     \
        key, kind, offsetof(struct endpoint, member), max \
    }
static const struct field fields[] = {
    FIELD("provider", PROVIDER, provider, 0),
    FIELD("url", URL, url, 0),
    FIELD("key_env", VARIABLE, key_env, 0),
    FIELD("key_file", PATH, key_file, 0),
    FIELD("models", MODELS, models, 0),
    FIELD("tier", TIER, tier, 0),
    FIELD("window", WINDOW, window, WINDOW_MAX),
    FIELD("connect_seconds", SECONDS, connect_ms, HOUR_S),
    FIELD("first_token_seconds", SECONDS, first_token_ms, HOUR_S),
    FIELD("between_tokens_seconds", SECONDS, between_tokens_ms, HOUR_S),
    FIELD("total_seconds", SECONDS, total_ms, 24 * HOUR_S),
    FIELD("price.prompt", PRICE, prompt_price, PRICE_MAX),
    FIELD("price.cached", PRICE, cached_price, PRICE_MAX),
    FIELD("price.generated", PRICE, generated_price, PRICE_MAX),
};
enum { FIELDS = sizeof fields / sizeof *fields };

static void *in(struct endpoint *endpoint, const struct field *field)
{
    return (char *)endpoint + field->offset;
}

/* ---- complaints ---- */

/* "endpoints.cloud.tier: 'space' is not local or cloud". */
static bool wrong(const char *where, const json_t *value, const char *allowed,
                  struct err *err)
{
    if (json_is_string(value))
        return err_set(err, ERR_USAGE, "%s: '%s' is not %s", where,
                       log_safe(str_of(json_string_value(value))), allowed);
    if (json_is_number(value))
        return err_set(err, ERR_USAGE, "%s: %.9g is not %s", where,
                       json_number_value(value), allowed);
    return err_set(err, ERR_USAGE, "%s is %s, not %s", where, json_type_name(value),
                   allowed);
}

static bool unknown(const char *where, const char *key, struct err *err)
{
    struct nearest nearest = nearest_to(str_of(key));

    if (strcmp(key, "key") == 0)
        return err_set(err, ERR_USAGE,
                       "%s: keys come from the environment or a file: key_env, "
                       "key_file",
                       where);
    for (size_t i = 0; i < FIELDS; i++)
        nearest_try(&nearest, fields[i].key);
    nearest_try(&nearest, "price");
    return err_set(err, ERR_USAGE, "%s: unknown key%s%s%s", where,
                   nearest.name == NULL ? "" : ", did you mean ",
                   nearest.name == NULL ? "" : nearest.name,
                   nearest.name == NULL ? "" : "?");
}

/* ---- one function a kind ---- */

typedef bool read_function(const struct field *field, const char *where,
                           const json_t *value, void *slot, struct err *err);

static bool put_text(char **slot, const char *text)
{
    free(*slot);
    *slot = x_strdup(text);
    return true;
}

static bool read_provider(const struct field *field, const char *where,
                          const json_t *value, void *slot, struct err *err)
{
    static const char *const known[] = {"ollama", "openai", "simulator", "echo"};
    const char *text = json_string_value(value);

    (void)field;
    for (size_t i = 0; text != NULL && i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i]) == 0)
            return put_text(slot, text);
    return wrong(where, value, "one of ollama, openai, simulator, echo", err);
}

/* Looked at in settle, when the provider is known. */
static bool read_url(const struct field *field, const char *where, const json_t *value,
                     void *slot, struct err *err)
{
    (void)field;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return wrong(where, value, "a URL", err);
    return put_text(slot, json_string_value(value));
}

static bool read_variable(const struct field *field, const char *where,
                          const json_t *value, void *slot, struct err *err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_0123456789";
    const char *text = json_string_value(value);

    (void)field;
    if (text == NULL || *text == '\0' || isdigit((unsigned char)*text)
        || strspn(text, letters) != strlen(text))
        /* Not shown: it may be the key itself, put into the wrong place. */
        return err_set(err, ERR_USAGE, "%s is not the name of a variable", where);
    return put_text(slot, text);
}

static bool read_path(const struct field *field, const char *where, const json_t *value,
                      void *slot, struct err *err)
{
    (void)field;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return err_set(err, ERR_USAGE, "%s is not the path of a file", where);
    return put_text(slot, json_string_value(value));
}

/* `slot` is the endpoint's `models`; read_member sets their count. */
static bool read_models(const struct field *field, const char *where,
                        const json_t *value, void *slot, struct err *err)
{
    static const char allowed[] = "a list of model names";
    size_t count = json_array_size(value);
    char ***models = slot;

    (void)field;
    if (count == 0 || count > MODELS_MAX)
        return wrong(where, value,
                     json_is_array(value) ? "a list of 1 to 256 model names" : allowed,
                     err);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(value, i);

        if (!json_is_string(name) || json_string_length(name) == 0)
            return wrong(where, name, "the name of a model", err);
    }
    *models = x_calloc(count, sizeof **models);
    for (size_t i = 0; i < count; i++)
        (*models)[i] = x_strdup(json_string_value(json_array_get(value, i)));
    return true;
}

static bool read_tier(const struct field *field, const char *where, const json_t *value,
                      void *slot, struct err *err)
{
    const char *text = json_string_value(value);
    enum endpoint_tier *tier = slot;

    (void)field;
    for (int i = 0; text != NULL && i < TIER_COUNT; i++) {
        if (strcmp(text, endpoint_tier_name((enum endpoint_tier)i)) == 0) {
            *tier = (enum endpoint_tier)i;
            return true;
        }
    }
    return wrong(where, value, "local or cloud", err);
}

static bool read_window(const struct field *field, const char *where,
                        const json_t *value, void *slot, struct err *err)
{
    struct str text = str_of(json_string_value(value));
    int64_t *window = slot;
    int64_t calls;

    if (json_is_null(value) || str_is(text, "none"))
        *window = WINDOW_NONE;
    else if (str_is(text, "ask"))
        *window = WINDOW_ASK;
    else if (json_is_whole(value, &calls) && calls >= 1 && calls <= (int64_t)field->max)
        *window = calls;
    else
        return wrong(where, value, "a whole number from 1 to 100000, none or ask", err);
    return true;
}

static bool read_seconds(const struct field *field, const char *where,
                         const json_t *value, void *slot, struct err *err)
{
    double seconds = json_number_value(value);
    int64_t *ms = slot;
    char allowed[64];

    fmt_into(allowed, sizeof allowed, "a number of seconds from 0.1 to %.15g",
             field->max);
    if (!json_is_number(value) || seconds < 0.1 || seconds > field->max)
        return wrong(where, value, allowed, err);
    *ms = llround(seconds * 1e3);
    return true;
}

static bool read_price(const struct field *field, const char *where,
                       const json_t *value, void *slot, struct err *err)
{
    double price = json_number_value(value);

    if (!json_is_number(value) || price < 0 || price > field->max)
        return wrong(where, value, "a price per million tokens, from 0 on", err);
    *(double *)slot = price;
    return true;
}

static read_function *const readers[] = {
    [PROVIDER] = read_provider, [URL] = read_url,         [VARIABLE] = read_variable,
    [PATH] = read_path,         [MODELS] = read_models,   [TIER] = read_tier,
    [WINDOW] = read_window,     [SECONDS] = read_seconds, [PRICE] = read_price,
};

/* ---- an endpoint ---- */

struct reading {
    struct endpoint endpoint;
    bool given[FIELDS];
};

static bool was_given(const struct reading *reading, enum kind kind)
{
    for (size_t i = 0; i < FIELDS; i++)
        if (fields[i].kind == kind && reading->given[i])
            return true;
    return false;
}

static bool read_price_list(struct reading *reading, const json_t *prices,
                            struct err *err);

/* key: "tier", "price.cached". */
static bool read_member(struct reading *reading, const char *key, const json_t *value,
                        struct err *err)
{
    char where[WHERE_SIZE];

    /* What does not fit is too long to be a key of ours; it is shown cut. */
    (void)snprintf(where, sizeof where, "endpoints.%s.%s", reading->endpoint.name,
                   log_safe(str_of(key)));
    for (size_t i = 0; i < FIELDS; i++) {
        const struct field *field = &fields[i];

        if (strcmp(field->key, key) != 0)
            continue;
        if (!readers[field->kind](field, where, value, in(&reading->endpoint, field),
                                  err))
            return false;
        if (field->kind == MODELS)
            reading->endpoint.model_count = json_array_size(value);
        reading->given[i] = true;
        return true;
    }
    if (strcmp(key, "price") == 0)
        return json_is_object(value)
                   ? read_price_list(reading, value, err)
                   : wrong(where, value, "an object: prompt, cached, generated", err);
    return unknown(where, key, err);
}

static bool read_price_list(struct reading *reading, const json_t *prices,
                            struct err *err)
{
    const char *name;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)prices, name, value)
    {
        char *key = x_printf("price.%s", name);
        bool ok = read_member(reading, key, value, err);

        free(key);
        if (!ok)
            return false;
    }
    return true;
}

static bool settle_url(struct endpoint *endpoint, struct err *err)
{
    bool is_api = strcmp(endpoint->provider, "openai") == 0;
    char *url;

    if (strcmp(endpoint->provider, "echo") == 0) {
        if (endpoint->url != NULL)
            return err_set(err, ERR_USAGE, "endpoints.%s.url: echo has none",
                           endpoint->name);
        return put_text(&endpoint->url, "");
    }
    if (endpoint->url == NULL)
        return err_set(err, ERR_USAGE, "endpoints.%s.url is missing", endpoint->name);
    url = is_api ? config_api_url(endpoint->url)
                 : config_http_url(endpoint->url, OLLAMA_PORT);
    if (url == NULL)
        return err_set(err, ERR_USAGE, "endpoints.%s.url: '%s' is not a URL like %s",
                       endpoint->name,
                       strchr(endpoint->url, '@') == NULL
                           ? log_safe(str_of(endpoint->url))
                           : "...@...", /* it may hold a password */
                       is_api ? "https://host/v1, without user and password"
                              : "http://host:11434");
    free(endpoint->url);
    endpoint->url = url;
    return true;
}

/* What was not said, and what members say together. */
static bool settle(struct reading *reading, struct err *err)
{
    struct endpoint *endpoint = &reading->endpoint;
    bool is_api;

    if (endpoint->provider == NULL)
        return err_set(err, ERR_USAGE,
                       "endpoints.%s.provider is missing: one of ollama, openai, "
                       "simulator, echo",
                       endpoint->name);
    if (endpoint->key_env != NULL && endpoint->key_file != NULL)
        return err_set(err, ERR_USAGE,
                       "endpoints.%s: key_env and key_file are both given",
                       endpoint->name);
    if (!settle_url(endpoint, err))
        return false;
    is_api = strcmp(endpoint->provider, "openai") == 0;
    if (!was_given(reading, TIER))
        endpoint->tier =
            is_api && !config_url_is_private(endpoint->url) ? TIER_CLOUD : TIER_LOCAL;
    if (was_given(reading, WINDOW))
        return true;
    if (is_api)
        endpoint->window = endpoint->tier == TIER_LOCAL ? WINDOW_ASK : WINDOW_NONE;
    else
        endpoint->window = strcmp(endpoint->provider, "ollama") == 0 ? 1 : WINDOW_NONE;
    return true;
}

static bool take_name(const char *name, struct endpoint *endpoint, struct err *err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-";
    size_t len = strlen(name);

    if (len == 0 || len >= ENDPOINT_NAME_SIZE || !isalpha((unsigned char)name[0])
        || strspn(name, letters) != len)
        return err_set(err, ERR_USAGE,
                       "endpoints: '%s' is not a name: a letter, then letters, digits, "
                       "- and _, at most %d",
                       log_safe(str_of(name)), ENDPOINT_NAME_SIZE - 1);
    fmt_into(endpoint->name, sizeof endpoint->name, "%s", name);
    return true;
}

/* Into an endpoint that endpoints_done can free, however far it came. */
static bool read_endpoint(const char *name, const json_t *members,
                          struct endpoint *endpoint, struct err *err)
{
    struct reading reading = {.endpoint = {.prompt_price = (double)NAN,
                                           .cached_price = (double)NAN,
                                           .generated_price = (double)NAN}};
    const char *key;
    json_t *value;
    bool ok = take_name(name, &reading.endpoint, err);

    if (ok && !json_is_object(members))
        ok = err_set(err, ERR_USAGE, "endpoints.%s is %s, not an object", name,
                     json_type_name(members));
    if (ok) {
        json_object_foreach((json_t *)(uintptr_t)members, key, value)
        {
            ok = ok && read_member(&reading, key, value, err);
        }
    }
    ok = ok && settle(&reading, err);
    *endpoint = reading.endpoint;
    return ok;
}

bool endpoints_parse(const json_t *section, struct endpoint_list *list, struct err *err)
{
    size_t count = json_object_size(section);
    const char *name;
    json_t *members;

    if (!json_is_object(section))
        return err_set(err, ERR_USAGE, "endpoints is %s, not an object",
                       json_type_name(section));
    if (list->count + count > OWN_MAX)
        return err_set(err, ERR_USAGE, "endpoints: %zu of them, at most %d are allowed",
                       list->count + count, OWN_MAX);
    list->items = x_realloc(list->items, ENDPOINTS_MAX * sizeof *list->items);
    json_object_foreach((json_t *)(uintptr_t)section, name, members)
    {
        struct endpoint *endpoint = &list->items[list->count++];

        list->own = list->count;
        if (!read_endpoint(name, members, endpoint, err))
            return false;
    }
    return true;
}

/* ---- for people ---- */

static void show_url(struct buf *into, const char *url)
{
    char *bare = config_url_bare(url);

    buf_add_text(into, bare);
    free(bare);
}

static void show_models(struct buf *into, const struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->model_count; i++)
        buf_printf(into, "%s%s", i == 0 ? "" : ",", endpoint->models[i]);
}

static void show_window(struct buf *into, int64_t window)
{
    if (window > 0)
        buf_printf(into, "%lld", (long long)window);
    else
        buf_add_text(into, window == WINDOW_NONE ? "none" : "ask");
}

static void show_time(struct buf *into, int64_t ms)
{
    char text[32];

    if (ms == 0)
        return;
    duration_format(ms, text, sizeof text);
    buf_add_text(into, text);
}

const char *endpoint_member(const struct endpoint *endpoint, size_t index,
                            struct buf *value)
{
    const struct field *field = index < FIELDS ? &fields[index] : NULL;
    const void *slot = field == NULL ? NULL : (const char *)endpoint + field->offset;

    if (field == NULL)
        return NULL;
    switch (field->kind) {
    case URL:
        show_url(value, endpoint->url);
        break;
    case MODELS:
        show_models(value, endpoint);
        break;
    case TIER:
        buf_add_text(value, endpoint_tier_name(endpoint->tier));
        break;
    case WINDOW:
        show_window(value, endpoint->window);
        break;
    case SECONDS:
        show_time(value, *(const int64_t *)slot);
        break;
    case PRICE:
        if (!isnan(*(const double *)slot))
            buf_printf(value, "%.15g", *(const double *)slot);
        break;
    default:
        buf_add_str(value, str_of(*(char *const *)slot));
        break;
    }
    return field->key;
}

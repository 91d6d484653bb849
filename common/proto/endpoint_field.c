/* endpoint_field.c - see endpoint_field.h. */
#include "proto/endpoint_field.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "proto/config_url.h"
#include "proto/endpoint.h"
#include "proto/json_get.h"

enum { MODELS_MAX = 256, WINDOW_MAX = 100000 };
#define HOUR_S    3600.0
#define PRICE_MAX 1e9

#define FIELD(key, kind, member, max)                             \
    {                                                             \
        key, FIELD_##kind, offsetof(struct endpoint, member), max \
    }
static const struct endpoint_field fields[] = {
    FIELD("provider", PROVIDER, provider, 0),
    FIELD("url", URL, url, 0),
    FIELD("key_env", VARIABLE, key_env, 0),
    FIELD("key_file", PATH, key_file, 0),
    FIELD("models", MODELS, models, 0),
    FIELD("tier", TIER, tier, 0),
    FIELD("window", WINDOW, window, WINDOW_MAX),
    FIELD("connect_seconds", SECONDS, clocks.connect_ms, HOUR_S),
    FIELD("first_token_seconds", SECONDS, clocks.first_token_ms, HOUR_S),
    FIELD("between_tokens_seconds", SECONDS, clocks.between_tokens_ms, HOUR_S),
    FIELD("total_seconds", SECONDS, clocks.total_ms, 24 * HOUR_S),
    FIELD("price.prompt", PRICE, prompt_price, PRICE_MAX),
    FIELD("price.cached", PRICE, cached_price, PRICE_MAX),
    FIELD("price.generated", PRICE, generated_price, PRICE_MAX),
};

const struct endpoint_field *endpoint_field(size_t index)
{
    return index < sizeof fields / sizeof *fields ? &fields[index] : NULL;
}

const struct endpoint_field *endpoint_clock(size_t index)
{
    size_t first = 0;

    while (fields[first].kind != FIELD_SECONDS)
        first++;
    return fields[first + index].kind == FIELD_SECONDS ? &fields[first + index] : NULL;
}

/* ---- complaints ---- */

/* "endpoints.cloud.tier: 'space' is not local or cloud". */
bool endpoint_field_wrong(const char *where, const json_t *value, const char *allowed,
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

/* ---- one function a kind ---- */

typedef bool read_function(const struct endpoint_field *field, const char *where,
                           const json_t *value, void *slot, struct err *err);

static bool put_text(char **slot, const char *text)
{
    free(*slot);
    *slot = x_strdup(text);
    return true;
}

static bool read_provider(const struct endpoint_field *field, const char *where,
                          const json_t *value, void *slot, struct err *err)
{
    static const char *const known[] = {"ollama", "openai", "simulator", "echo"};
    const char *text = json_string_value(value);

    (void)field;
    for (size_t i = 0; text != NULL && i < sizeof known / sizeof *known; i++)
        if (strcmp(text, known[i]) == 0)
            return put_text(slot, text);
    return endpoint_field_wrong(where, value, "one of ollama, openai, simulator, echo",
                                err);
}

/* Looked at in settle, when the provider is known. */
static bool read_url(const struct endpoint_field *field, const char *where,
                     const json_t *value, void *slot, struct err *err)
{
    (void)field;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return endpoint_field_wrong(where, value, "a URL", err);
    return put_text(slot, json_string_value(value));
}

static bool read_variable(const struct endpoint_field *field, const char *where,
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

static bool read_path(const struct endpoint_field *field, const char *where,
                      const json_t *value, void *slot, struct err *err)
{
    (void)field;
    if (!json_is_string(value) || json_string_length(value) == 0)
        return err_set(err, ERR_USAGE, "%s is not the path of a file", where);
    return put_text(slot, json_string_value(value));
}

/* `slot` is the endpoint's `models`; read_member sets their count. */
static bool read_models(const struct endpoint_field *field, const char *where,
                        const json_t *value, void *slot, struct err *err)
{
    static const char allowed[] = "a list of model names";
    size_t count = json_array_size(value);
    char ***models = slot;

    (void)field;
    if (count == 0 || count > MODELS_MAX)
        return endpoint_field_wrong(
            where, value,
            json_is_array(value) ? "a list of 1 to 256 model names" : allowed, err);
    for (size_t i = 0; i < count; i++) {
        const json_t *name = json_array_get(value, i);

        if (!json_is_string(name) || json_string_length(name) == 0)
            return endpoint_field_wrong(where, name, "the name of a model", err);
    }
    *models = x_calloc(count, sizeof **models);
    for (size_t i = 0; i < count; i++)
        (*models)[i] = x_strdup(json_string_value(json_array_get(value, i)));
    return true;
}

static bool read_tier(const struct endpoint_field *field, const char *where,
                      const json_t *value, void *slot, struct err *err)
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
    return endpoint_field_wrong(where, value, "local or cloud", err);
}

static bool read_window(const struct endpoint_field *field, const char *where,
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
        return endpoint_field_wrong(
            where, value, "a whole number from 1 to 100000, none or ask", err);
    return true;
}

static bool read_seconds(const struct endpoint_field *field, const char *where,
                         const json_t *value, void *slot, struct err *err)
{
    double seconds = json_number_value(value);
    int64_t *ms = slot;
    char allowed[64];

    fmt_into(allowed, sizeof allowed, "a number of seconds from 0.1 to %.15g",
             field->max);
    if (!json_is_number(value) || seconds < 0.1 || seconds > field->max)
        return endpoint_field_wrong(where, value, allowed, err);
    *ms = llround(seconds * 1e3);
    return true;
}

static bool read_price(const struct endpoint_field *field, const char *where,
                       const json_t *value, void *slot, struct err *err)
{
    double price = json_number_value(value);

    if (!json_is_number(value) || price < 0 || price > field->max)
        return endpoint_field_wrong(where, value,
                                    "a price per million tokens, from 0 on", err);
    *(double *)slot = price;
    return true;
}

static read_function *const readers[] = {
    [FIELD_PROVIDER] = read_provider, [FIELD_URL] = read_url,
    [FIELD_VARIABLE] = read_variable, [FIELD_PATH] = read_path,
    [FIELD_MODELS] = read_models,     [FIELD_TIER] = read_tier,
    [FIELD_WINDOW] = read_window,     [FIELD_SECONDS] = read_seconds,
    [FIELD_PRICE] = read_price,
};

bool endpoint_field_read(const struct endpoint_field *field, const char *where,
                         const json_t *value, struct endpoint *endpoint,
                         struct err *err)
{
    void *slot = (char *)endpoint + field->offset;

    if (!readers[field->kind](field, where, value, slot, err))
        return false;
    if (field->kind == FIELD_MODELS)
        endpoint->model_count = json_array_size(value);
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
    const struct endpoint_field *field = endpoint_field(index);
    const void *slot = field == NULL ? NULL : (const char *)endpoint + field->offset;

    if (field == NULL)
        return NULL;
    switch (field->kind) {
    case FIELD_URL:
        show_url(value, endpoint->url);
        break;
    case FIELD_MODELS:
        show_models(value, endpoint);
        break;
    case FIELD_TIER:
        buf_add_text(value, endpoint_tier_name(endpoint->tier));
        break;
    case FIELD_WINDOW:
        show_window(value, endpoint->window);
        break;
    case FIELD_SECONDS:
        show_time(value, *(const int64_t *)slot);
        break;
    case FIELD_PRICE:
        if (!isnan(*(const double *)slot))
            buf_printf(value, "%.15g", *(const double *)slot);
        break;
    default:
        buf_add_str(value, str_of(*(char *const *)slot));
        break;
    }
    return field->key;
}

const char *endpoint_tier_member(const struct endpoint_list *list,
                                 enum endpoint_tier tier, size_t index,
                                 struct buf *value)
{
    const struct endpoint_field *field = endpoint_clock(index);
    const struct endpoint any = {.clocks = list->tiers[tier]};

    if (field == NULL)
        return NULL;
    show_time(value,
              *(const int64_t *)(const void *)((const char *)&any + field->offset));
    return field->key;
}

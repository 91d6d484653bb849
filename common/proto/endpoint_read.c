/* endpoint_read.c - the sections `endpoints` and `tiers` of the config file:
 * endpoints_parse and tiers_parse of endpoint.h.
 *
 * Flow: endpoints_parse -> read_endpoint -> read_member, once a member -> settle
 */
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "proto/config_url.h"
#include "proto/endpoint.h"
#include "proto/endpoint_field.h"
#include "proto/json_get.h"

enum {
    BUILT_IN_COUNT = 4,
    OWN_MAX = ENDPOINTS_MAX - BUILT_IN_COUNT,
    OLLAMA_PORT = 11434,
    WHERE_SIZE = 128
};

static bool unknown_key(const char *where, const struct nearest *nearest,
                        struct err *err)
{
    return err_set(err, ERR_USAGE, "%s: unknown key%s%s%s", where,
                   nearest->name == NULL ? "" : ", did you mean ",
                   nearest->name == NULL ? "" : nearest->name,
                   nearest->name == NULL ? "" : "?");
}

static bool unknown(const char *where, const char *key, struct err *err)
{
    struct nearest nearest = nearest_to(str_of(key));

    if (strcmp(key, "key") == 0)
        return err_set(err, ERR_USAGE,
                       "%s: keys come from the environment or a file: key_env, "
                       "key_file",
                       where);
    for (size_t i = 0; endpoint_field(i) != NULL; i++)
        nearest_try(&nearest, endpoint_field(i)->key);
    nearest_try(&nearest, "price");
    return unknown_key(where, &nearest, err);
}

struct reading {
    struct endpoint endpoint;
    bool given[ENDPOINT_FIELD_KINDS]; /* whether there was one of that kind */
};

static bool read_price_list(struct reading *reading, const json_t *prices,
                            struct err *err);

/* key: "tier", "price.cached". */
static bool read_member(struct reading *reading, const char *key, const json_t *value,
                        struct err *err)
{
    const struct endpoint_field *field;
    char where[WHERE_SIZE];

    /* What does not fit is too long to be a key of ours; it is shown cut. */
    (void)snprintf(where, sizeof where, "endpoints.%s.%s", reading->endpoint.name,
                   log_safe(str_of(key)));
    for (size_t i = 0; (field = endpoint_field(i)) != NULL; i++) {
        if (strcmp(field->key, key) != 0)
            continue;
        reading->given[field->kind] = true;
        return endpoint_field_read(field, where, value, &reading->endpoint, err);
    }
    if (strcmp(key, "price") == 0)
        return json_is_object(value)
                   ? read_price_list(reading, value, err)
                   : endpoint_field_wrong(where, value,
                                          "an object: prompt, cached, generated", err);
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
        endpoint->url = x_strdup("");
        return true;
    }
    if (endpoint->url == NULL)
        return err_set(err, ERR_USAGE, "endpoints.%s.url is missing", endpoint->name);
    url = is_api ? config_api_url(endpoint->url)
                 : config_http_url(endpoint->url, OLLAMA_PORT);
    if (url == NULL)
        return err_set(
            err, ERR_USAGE, "endpoints.%s.url: '%s' is not a URL like %s%s",
            endpoint->name,
            strchr(endpoint->url, '@') == NULL ? log_safe(str_of(endpoint->url))
                                               : "...@...", /* it may hold a password */
            is_api ? "https://host/v1, without user and password" : "http://host:11434",
            config_url_fault(endpoint->url, is_api));
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
    if (!reading->given[FIELD_TIER])
        endpoint->tier =
            is_api && !config_url_is_private(endpoint->url) ? TIER_CLOUD : TIER_LOCAL;
    if (reading->given[FIELD_WINDOW])
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

/* ---- tiers ---- */

static bool read_clock(enum endpoint_tier tier, const char *key, const json_t *value,
                       struct endpoint *any, struct err *err)
{
    struct nearest nearest = nearest_to(str_of(key));
    const struct endpoint_field *field;
    char where[WHERE_SIZE];

    (void)snprintf(where, sizeof where, "tiers.%s.%s", endpoint_tier_name(tier),
                   log_safe(str_of(key))); /* as in read_member */
    for (size_t i = 0; (field = endpoint_clock(i)) != NULL; i++) {
        if (strcmp(field->key, key) == 0)
            return endpoint_field_read(field, where, value, any, err);
        nearest_try(&nearest, field->key);
    }
    return unknown_key(where, &nearest, err);
}

static bool read_clocks(enum endpoint_tier tier, const json_t *members,
                        struct endpoint_clocks *clocks, struct err *err)
{
    struct endpoint any = {.clocks = *clocks};
    const char *key;
    json_t *value;

    if (!json_is_object(members))
        return err_set(err, ERR_USAGE, "tiers.%s is %s, not an object",
                       endpoint_tier_name(tier), json_type_name(members));
    json_object_foreach((json_t *)(uintptr_t)members, key, value)
    {
        if (!read_clock(tier, key, value, &any, err))
            return false;
    }
    *clocks = any.clocks;
    return true;
}

bool tiers_parse(const json_t *section, struct endpoint_list *list, struct err *err)
{
    const char *name;
    json_t *members;

    if (!json_is_object(section))
        return err_set(err, ERR_USAGE, "tiers is %s, not an object",
                       json_type_name(section));
    json_object_foreach((json_t *)(uintptr_t)section, name, members)
    {
        enum endpoint_tier tier = TIER_LOCAL;

        while (tier < TIER_COUNT && strcmp(endpoint_tier_name(tier), name) != 0)
            tier++;
        if (tier == TIER_COUNT)
            return err_set(err, ERR_USAGE, "tiers: '%s' is not local or cloud",
                           log_safe(str_of(name)));
        if (!read_clocks(tier, members, &list->tiers[tier], err))
            return false;
    }
    return true;
}

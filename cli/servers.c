/* servers.c - see servers.h. */
#include "cli/servers.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "net/http.h"
#include "net/loop.h"

enum { NAMES_MAX_BYTES = 512 };

/* ---- which ---- */

static bool named_by_a_model(const struct config *config,
                             const struct endpoint *endpoint)
{
    for (int seat = 0; seat <= OPT_SEATS; seat++) {
        const char *model;

        if (config->models[seat] != NULL
            && endpoint_of_model(&config->endpoints, config->models[seat], &model)
                   == endpoint)
            return true;
    }
    return false;
}

static bool is_chosen(const struct config_loaded *loaded,
                      const struct endpoint *endpoint)
{
    const char *provider = endpoint->provider;

    if (strcmp(provider, "echo") == 0)
        return false;
    if (!endpoint->built_in || named_by_a_model(&loaded->values, endpoint))
        return true;
    if (strcmp(provider, loaded->values.provider) == 0
        && opt_given(&loaded->set, "provider"))
        return true;
    return strcmp(provider, "simulator") != 0 && opt_given(&loaded->set, provider);
}

static bool no_such(const struct config *config, const char *name, struct err *err)
{
    struct nearest nearest = nearest_to(str_of(name));
    struct buf names;

    buf_init(&names, NAMES_MAX_BYTES);
    for (size_t i = 0; i < config->endpoints.count; i++) {
        nearest_try(&nearest, config->endpoints.items[i].name);
        buf_printf(&names, "%s%s", i == 0 ? "" : ", ", config->endpoints.items[i].name);
    }
    err_set(err, ERR_USAGE, "there is no endpoint '%.60s'%s%s%s there are %s",
            log_safe(str_of(name)), nearest.name == NULL ? ":" : ", did you mean ",
            nearest.name == NULL ? "" : nearest.name, nearest.name == NULL ? "" : "?",
            buf_text(&names));
    buf_done(&names);
    return false;
}

static bool choose(const struct config_loaded *loaded, const char *name,
                   struct servers *servers, struct err *err)
{
    const struct endpoint_list *all = &loaded->values.endpoints;

    servers->list = x_calloc(all->count + 1, sizeof *servers->list);
    if (name != NULL) {
        const struct endpoint *one = endpoint_find(all, str_of(name));

        if (one == NULL)
            return no_such(&loaded->values, name, err);
        if (strcmp(one->provider, "echo") == 0)
            return err_set(err, ERR_USAGE,
                           "'%s' is no server: it answers without a model", name);
        servers->list[servers->count++] = one;
        return true;
    }
    for (size_t i = 0; i < all->count; i++)
        if (is_chosen(loaded, &all->items[i]))
            servers->list[servers->count++] = &all->items[i];
    if (servers->count > 0)
        return true;
    if (strcmp(loaded->values.provider, "echo") == 0)
        return err_set(err, ERR_USAGE, "provider echo needs no model server");
    servers->list[servers->count++] =
        endpoint_find(all, str_of(loaded->values.provider));
    return true;
}

/* ---- asking ---- */

bool servers_open(const struct config_loaded *loaded, const char *name,
                  struct servers *ret_servers, struct err *err)
{
    struct servers servers = {0};

    if (!choose(loaded, name, &servers, err)) {
        free(servers.list);
        return false;
    }
    servers.loop = loop_new();
    servers.http = http_new(servers.loop);
    servers.llm = llm_new(servers.loop, servers.http);
    *ret_servers = servers;
    return true;
}

void servers_close(struct servers *servers)
{
    llm_free(servers->llm);
    http_free(servers->http);
    loop_free(servers->loop);
    free(servers->list);
    *servers = (struct servers){0};
}

static bool no_key(const struct endpoint *endpoint, struct err *err)
{
    char *why;

    if (endpoint->key_env == NULL || getenv(endpoint->key_env) != NULL)
        return false;
    why = x_strdup(err->msg);
    err_set(err, ERR_USAGE, "%s: put it there (export %s=...)", why, endpoint->key_env);
    free(why);
    return false;
}

bool servers_reach(const struct endpoint *endpoint, struct llm_server *ret_server,
                   char **ret_key, struct err *err)
{
    struct llm_server server = {.url = endpoint->url};
    char *key = NULL;
    bool known = llm_provider_parse(endpoint->provider, &server.provider);

    assert(known); /* the config has been checked */
    if (!endpoint_key(endpoint, &key, err))
        return no_key(endpoint, err);
    server.key = key;
    *ret_server = server;
    *ret_key = key;
    return true;
}

void servers_answered(struct servers *servers)
{
    assert(servers->open > 0);
    servers->open--;
    if (servers->open == 0)
        loop_stop(servers->loop);
}

void servers_wait(struct servers *servers)
{
    if (servers->open > 0)
        loop_run(servers->loop);
}

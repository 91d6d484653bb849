/* command_models.c - `parley models`: what each model server has.
 *
 * All are asked at once, and told in the order of the config.
 *
 * Flow: servers_open -> llm_list_models, llm_list_loaded each -> shown
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "cli/advice.h"
#include "cli/commands.h"
#include "cli/servers.h"
#include "llm/models.h"
#include "proto/config_url.h"
#include "proto/json_write.h"

enum { ASK_MS = 5000, OUT_MAX_BYTES = 16 << 20 };

struct name_list {
    char **at; /* owned, as what it points to */
    size_t count;
};
struct menu {
    struct servers *servers;
    const struct endpoint *endpoint;
    char *key;         /* owned, or NULL */
    bool tells_loaded; /* loaded is known */
    struct name_list models;
    struct name_list loaded; /* in the server's memory now */
    struct err reason;       /* why there are none */
    enum llm_error error;
};

/* ---- asking ---- */

static struct name_list copy_names(const struct llm_models *models)
{
    struct name_list list = {.count = models->count};

    list.at = x_calloc(models->count + 1, sizeof *list.at);
    for (size_t i = 0; i < models->count; i++)
        list.at[i] = x_strdup(models->names[i]);
    return list;
}

static void free_names(struct name_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->at[i]);
    free(list->at);
}

static void on_models(void *owner, const struct llm_models *models)
{
    struct menu *menu = owner;

    menu->error = models->error;
    if (models->ok)
        menu->models = copy_names(models);
    else
        advice_make(
            menu->endpoint,
            &(struct advice_case){models->error, models->reason, models->http_status},
            &menu->reason);
    servers_answered(menu->servers);
}

static void on_loaded(void *owner, const struct llm_models *models)
{
    struct menu *menu = owner;

    menu->tells_loaded = models->ok;
    if (models->ok)
        menu->loaded = copy_names(models);
    servers_answered(menu->servers);
}

static void ask(struct menu *menu)
{
    struct llm_server server;

    if (!servers_reach(menu->endpoint, &server, &menu->key, &menu->reason)) {
        menu->error = LLM_ERROR_AUTH;
        return;
    }
    menu->servers->open += 2;
    llm_list_models(menu->servers->llm, &server, ASK_MS, on_models, menu);
    llm_list_loaded(menu->servers->llm, &server, ASK_MS, on_loaded, menu);
}

/* ---- shown ---- */

static bool has(const struct name_list *list, const char *model)
{
    const struct llm_models view = {.names = (const char *const *)list->at,
                                    .count = list->count};

    return llm_models_have(&view, model);
}

static void add_missing(const struct menu *menu, struct buf *out)
{
    for (size_t i = 0; i < menu->endpoint->model_count; i++)
        if (!has(&menu->models, menu->endpoint->models[i]))
            buf_printf(out, "  %-40s in the config, but the server lacks it\n",
                       log_safe(str_of(menu->endpoint->models[i])));
}

static void add_table(const struct menu *menu, struct buf *out)
{
    const struct endpoint *endpoint = menu->endpoint;
    char *url = config_url_bare(endpoint->url);

    if (menu->error != LLM_ERROR_NONE) {
        fprintf(stderr, "parley models: %s\n", menu->reason.msg);
    } else {
        buf_printf(out, "%s: %s, %s, %s, %zu model%s\n", endpoint->name,
                   endpoint->provider, endpoint_tier_name(endpoint->tier), url,
                   menu->models.count, menu->models.count == 1 ? "" : "s");
        for (size_t i = 0; i < menu->models.count; i++) {
            const char *model = menu->models.at[i];

            if (has(&menu->loaded, model))
                buf_printf(out, "  %-40s loaded\n", log_safe(str_of(model)));
            else
                buf_printf(out, "  %s\n", log_safe(str_of(model)));
        }
        add_missing(menu, out);
    }
    free(url);
}

static void write_names(struct buf *out, const char *key, const struct name_list *list)
{
    buf_printf(out, ",\"%s\":[", key);
    for (size_t i = 0; i < list->count; i++) {
        buf_add_text(out, i == 0 ? "" : ",");
        json_write_text(out, list->at[i]);
    }
    buf_add_char(out, ']');
}

static void add_json(const struct menu *menu, struct buf *out)
{
    const struct endpoint *endpoint = menu->endpoint;
    bool ok = menu->error == LLM_ERROR_NONE;
    char *url = config_url_bare(endpoint->url);

    buf_printf(out, "{\"endpoint\":\"%s\",\"provider\":\"%s\",\"tier\":\"%s\",\"url\":",
               endpoint->name, endpoint->provider, endpoint_tier_name(endpoint->tier));
    json_write_text(out, url);
    buf_printf(out, ",\"ok\":%s,\"error\":", ok ? "true" : "false");
    json_write_text(out, ok ? NULL : llm_error_name(menu->error));
    buf_add_text(out, ",\"reason\":");
    json_write_text(out, ok ? NULL : menu->reason.msg);
    write_names(out, "models", &menu->models);
    if (menu->tells_loaded)
        write_names(out, "loaded", &menu->loaded);
    else
        buf_add_text(out, ",\"loaded\":null");
    buf_add_text(out, "}\n");
    free(url);
}

static int show(const struct menu *menus, size_t count, bool json)
{
    enum { EXIT_NO_SERVER = 4 };
    struct buf out;
    size_t good = 0;

    buf_init(&out, OUT_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        good += menus[i].error == LLM_ERROR_NONE;
        if (json)
            add_json(&menus[i], &out);
        else
            add_table(&menus[i], &out);
    }
    (void)fwrite(buf_text(&out), 1, out.len, stdout);
    buf_done(&out);
    return good > 0 ? 0 : EXIT_NO_SERVER;
}

int command_models(const struct config_loaded *loaded, char **words, struct err *err)
{
    struct servers servers;
    struct menu *menus;
    int status;

    if (loaded->rest > 1) {
        err_set(err, ERR_USAGE, "expected one endpoint's name, or none: all");
        return err_exit_status(err);
    }
    if (!servers_open(loaded, loaded->rest == 1 ? words[0] : NULL, &servers, err))
        return err_exit_status(err);
    menus = x_calloc(servers.count, sizeof *menus);
    for (size_t i = 0; i < servers.count; i++) {
        menus[i].servers = &servers;
        menus[i].endpoint = servers.list[i];
        ask(&menus[i]);
    }
    servers_wait(&servers);
    status = show(menus, servers.count, loaded->values.json);
    for (size_t i = 0; i < servers.count; i++) {
        free_names(&menus[i].models);
        free_names(&menus[i].loaded);
        free(menus[i].key);
    }
    free(menus);
    servers_close(&servers);
    return status;
}

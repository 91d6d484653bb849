/* check_models.c - see check_models.h. */
#include "cli/check_models.h"

#include <string.h>

#include "base/buf.h"
#include "base/utf8.h"
#include "llm/llm.h"
#include "llm/models.h"
#include "net/http.h"
#include "net/loop.h"

enum { LIST_TIMEOUT_MS = 5000, LISTED_MAX_BYTES = 300 };

struct checking {
    struct loop *loop;
    const struct config *config;
    const char *url;
    int64_t seats;
    struct err *err;
    bool ok;
    bool answered;
};

static bool no_server(struct checking *checking, const char *reason)
{
    return err_set(
        checking->err, ERR_MODEL,
        "no model server at %s (%s): start one with `ollama serve`, name another "
        "with --ollama URL, or try --simulate",
        checking->url, reason);
}

static bool no_model(struct checking *checking, const struct llm_models *models,
                     const char *model)
{
    struct buf list;

    buf_init(&list, LISTED_MAX_BYTES);
    for (size_t i = 0; i < models->count; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ",
                   log_safe(str_of(models->names[i])));
    err_set(
        checking->err, ERR_MODEL,
        "%s lacks the model %s; it has %s%s: get it with `ollama pull %s`, or choose "
        "another with --model NAME",
        checking->url, model, models->count == 0 ? "none" : buf_text(&list),
        list.overflowed ? ", ..." : "", model);
    buf_done(&list);
    return false;
}

static bool judge(struct checking *checking, const struct llm_models *models)
{
    const struct config *config = checking->config;

    if (!models->ok)
        return no_server(checking, models->reason);
    for (int64_t seat = 1; seat <= checking->seats; seat++) {
        const char *model = config_model(config, seat);

        if (model == NULL)
            return err_set(checking->err, ERR_USAGE, "--model: seat %lld has none",
                           (long long)seat);
        if (!llm_models_have(models, model))
            return no_model(checking, models, model);
    }
    if (config->models[0] != NULL && !llm_models_have(models, config->models[0]))
        return no_model(checking, models, config->models[0]); /* it writes the story */
    return true;
}

static void on_models(void *owner, const struct llm_models *models)
{
    struct checking *checking = owner;

    checking->ok = judge(checking, models);
    checking->answered = true;
    loop_stop(checking->loop);
}

bool check_models(struct loop *loop, const struct config *config, int64_t seats,
                  struct err *err)
{
    struct checking checking = {.loop = loop,
                                .config = config,
                                .url = config->ollama_url,
                                .seats = seats,
                                .err = err};
    struct http *http = http_new(loop);
    struct llm *llm = llm_new(loop, http);

    const struct llm_server server = {.url = checking.url};

    llm_list_models(llm, &server, LIST_TIMEOUT_MS, on_models, &checking);
    loop_run(loop);
    llm_free(llm);
    http_free(http);
    if (!checking.answered)
        return err_set(err, ERR_SYSTEM, "interrupted");
    return checking.ok;
}

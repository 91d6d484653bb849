/* advice.c - see advice.h. */
#include "cli/advice.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/utf8.h"
#include "proto/config_url.h"

enum { LISTED_MAX_BYTES = 160, LINE_MAX_BYTES = 512 };

/* "cloud (https://host/v1)"; a reason that names the URL need not be told it twice. */
static void add_where(struct buf *line, const struct endpoint *endpoint,
                      const char *reason)
{
    char *url = config_url_bare(endpoint->url);

    buf_add_text(line, endpoint->name);
    if (strstr(reason, url) == NULL)
        buf_printf(line, " (%s)", url);
    free(url);
}

static void add_start(struct buf *line, const struct endpoint *endpoint)
{
    bool is_ollama = strcmp(endpoint->provider, "ollama") == 0;

    if (strchr(buf_text(line), '?') != NULL)
        return; /* the reason has its advice */
    buf_add_text(line, ": is that its address, and does it run?");
    if (is_ollama)
        buf_add_text(line, " (`ollama serve` starts it)");
}

static void add_key(struct buf *line, const struct endpoint *endpoint)
{
    if (endpoint->key_env != NULL)
        buf_printf(line, ": its key comes from the variable %s", endpoint->key_env);
    else if (endpoint->key_file != NULL)
        buf_printf(line, ": its key comes from the file %s",
                   log_safe(str_of(endpoint->key_file)));
    else if (endpoint->built_in && strcmp(endpoint->provider, "openai") == 0)
        buf_add_text(line, ": set OPENAI_API_KEY to its key");
    else
        buf_add_text(line, ": give the endpoint a key_env or key_file in the config");
}

void advice_make(const struct endpoint *endpoint, const struct advice_case *seen,
                 struct err *ret_line)
{
    bool is_plain = str_starts(str_of(endpoint->url), "http://");
    struct buf line;

    buf_init(&line, LINE_MAX_BYTES);
    add_where(&line, endpoint, seen->reason);
    buf_printf(&line, ": %s", log_safe(str_of(seen->reason)));
    if (seen->error == LLM_ERROR_REFUSED
        || (seen->error == LLM_ERROR_TIMEOUT && seen->http_status == 0))
        add_start(&line, endpoint);
    else if (seen->error == LLM_ERROR_AUTH)
        add_key(&line, endpoint);
    else if (seen->error == LLM_ERROR_TRUNCATED && seen->http_status == 0 && is_plain)
        buf_add_text(&line, ": does that port want https://?");
    err_set(ret_line, ERR_MODEL, "%s", buf_text(&line));
    buf_done(&line);
}

void advice_no_model(const struct endpoint *endpoint, const char *model,
                     const struct llm_models *has, struct err *ret_line)
{
    bool is_ollama = strcmp(endpoint->provider, "ollama") == 0;
    char *url = config_url_bare(endpoint->url);
    const char *shown;
    struct buf list;

    buf_init(&list, LISTED_MAX_BYTES);
    for (size_t i = 0; i < has->count; i++)
        buf_printf(&list, "%s%s", i == 0 ? "" : ", ", log_safe(str_of(has->names[i])));
    shown = log_safe(str_of(model)); /* behind the others: only the last 8 are kept */
    err_set(ret_line, ERR_MODEL, "%s (%s) lacks the model %s; it has %s%s: %s%s%s%s",
            endpoint->name, url, shown, list.len == 0 ? "none" : buf_text(&list),
            list.overflowed ? ", ..." : "",
            is_ollama ? "get it with `ollama pull " : "", is_ollama ? shown : "",
            is_ollama ? "`, or " : "", "choose another with --model NAME");
    buf_done(&list);
    free(url);
}

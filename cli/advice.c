/* advice.c - see advice.h. */
#include "cli/advice.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "base/width.h"
#include "proto/config_url.h"

enum { LISTED_MAX_BYTES = 160, NAME_COLUMNS = 48, LINE_MAX_BYTES = 512 };

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

static bool is_ollama(const struct endpoint *endpoint)
{
    return strcmp(endpoint->provider, "openai") != 0;
}

/* "http://host:6379/v1" -> 6379; 0: it names none. */
static int64_t port_of(const char *url)
{
    const char *host = strstr(url, "://");
    struct str rest = str_of(host == NULL ? url : host + 3);
    struct str authority = str_cut(rest, '/', &rest);
    int64_t port = 0;

    for (size_t i = authority.len; i > 0; i--)
        if (authority.at[i - 1] == ':') {
            if (!str_to_i64(str_make(authority.at + i, authority.len - i), 1, 65535,
                            &port))
                return 0;
            break;
        }
    return port;
}

/* Who usually listens there, where HTTP is not spoken. */
static void add_other_service(struct buf *line, const struct endpoint *endpoint)
{
    static const struct {
        int64_t port;
        const char *whose;
    } others[] = {{22, "SSH"},
                  {3306, "MySQL"},
                  {5432, "PostgreSQL"},
                  {6379, "Redis"},
                  {27017, "MongoDB"}};

    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (port_of(endpoint->url) == others[i].port)
            buf_printf(line, " (that port is usually %s)", others[i].whose);
}

/* Servers of models listen on their own machine alone until they are told otherwise. */
static const char *start_advice(const struct endpoint *endpoint)
{
    const char *url = endpoint->url;
    bool is_here = strstr(url, "://127.") != NULL || strstr(url, "://localhost") != NULL
                   || strstr(url, "://[::1]") != NULL;

    if (is_here)
        return is_ollama(endpoint) ? ": is that its address, and does it run? "
                                     "(`ollama serve` starts it)"
                                   : ": is that its address, and does it run?";
    if (!config_url_is_private(url))
        return ": is that its address, and can this machine reach it?";
    return is_ollama(endpoint) ? ": does it run there, and for other machines too? "
                                 "(OLLAMA_HOST=0.0.0.0 "
                                 "ollama serve)"
                               : ": does it run there, and for other machines too? "
                                 "(llama-server, vLLM: "
                                 "--host 0.0.0.0)";
}

static const char *refused_advice(const struct endpoint *endpoint, const char *reason)
{
    if (strstr(reason, "another host's") != NULL)
        return ": is that its address?";
    if (strstr(reason, "certificate has expired") != NULL
        || strstr(reason, "certificate is not yet valid") != NULL)
        return ": must it be renewed, or is this machine's clock wrong?";
    if (strstr(reason, "SSL_CERT_FILE") != NULL)
        return ": is the file there?";
    if (strstr(reason, "certificate") != NULL)
        return ": have this machine trust it, or name the file of its certificate in "
               "the variable SSL_CERT_FILE";
    if (strstr(reason, "the proxy ") != NULL)
        return ": https_proxy or http_proxy names it; no_proxy=HOST goes without";
    if (strstr(reason, "resolve host") != NULL)
        return ": is the name written right?";
    /* The reason may have its advice. */
    return strchr(reason, '?') != NULL ? "" : start_advice(endpoint);
}

static const char *timeout_advice(const struct endpoint *endpoint,
                                  const struct advice_case *seen)
{
    if (strstr(seen->reason, "first token") == NULL)
        return seen->http_status == 0 ? start_advice(endpoint) : "";
    return seen->http_status == 0
               ? ": it takes calls and says nothing: does it load the model (then "
                 "--first-token-timeout 10m), or is another service there?"
               : ": is it loading the model, or full? --first-token-timeout 10m waits "
                 "longer";
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
    if (seen->error == LLM_ERROR_REFUSED)
        buf_add_text(&line, refused_advice(endpoint, seen->reason));
    else if (seen->error == LLM_ERROR_TIMEOUT)
        buf_add_text(&line, timeout_advice(endpoint, seen));
    else if (seen->error == LLM_ERROR_AUTH)
        add_key(&line, endpoint);
    else if (seen->error == LLM_ERROR_PROTOCOL && seen->http_status == 0)
        add_other_service(&line, endpoint);
    else if (seen->error == LLM_ERROR_TRUNCATED && seen->http_status == 0 && is_plain
             && strchr(seen->reason, '?') == NULL)
        buf_add_text(&line, ": does that port want https://?");
    else if (seen->error == LLM_ERROR_REQUEST && is_plain
             && strstr(seen->reason, "HTTPS") != NULL)
        buf_add_text(&line, ": write https:// in its url");
    else if (seen->http_status == 502 || seen->http_status == 504)
        buf_add_text(&line, ": so says a proxy whose server is down: does that run?");
    err_set(ret_line, ERR_MODEL, "%s", buf_text(&line));
    buf_done(&line);
}

void advice_elsewhere(const struct endpoint *endpoint,
                      const struct elsewhere_place *found, struct err *line)
{
    bool is_api = found->provider == LLM_OPENAI;
    bool same = is_api != is_ollama(endpoint);
    char *url = config_url_bare(found->url);
    char *before = x_strdup(line->msg);

    if (endpoint->built_in)
        err_set(line, ERR_MODEL, "%s %s answers at %s: say %s--%s %s", before,
                is_api ? "OpenAI's API" : "Ollama", url,
                same     ? ""
                : is_api ? "--provider openai "
                         : "--provider ollama ",
                is_api ? "openai" : "ollama", url);
    else
        err_set(line, ERR_MODEL, "%s %s answers at %s: make that its url%s%s%s", before,
                is_api ? "OpenAI's API" : "Ollama", url, same ? "" : ", and \"",
                same     ? ""
                : is_api ? "openai"
                         : "ollama",
                same ? "" : "\" its provider");
    free(before);
    free(url);
}

static char *family_of(const char *model)
{
    struct str rest;
    struct str family = str_cut(str_of(model), ':', &rest);

    return x_memdup(family.at, family.len);
}

/* The one that was meant: a slip in the name (without a tag where none was asked for),
 * else the same model in another size. NULL: none is near. */
static const char *nearest_model(const char *model, const struct llm_models *has)
{
    struct nearest nearest = nearest_to(str_of(model));
    bool has_tag = strchr(model, ':') != NULL;
    char *wanted = family_of(model);
    const char *slip = NULL;
    const char *relative = NULL;

    for (size_t i = 0; i < has->count; i++) {
        size_t away = nearest.away;
        char *family = family_of(has->names[i]);

        nearest_try(&nearest, has_tag ? has->names[i] : family);
        if (nearest.away < away)
            slip = has->names[i];
        if (relative == NULL && strcmp(family, wanted) == 0)
            relative = has->names[i];
        free(family);
    }
    free(wanted);
    return relative != NULL ? relative : slip;
}

/* As many as fit, each cut to what a name usually has. */
static void list_names(const struct llm_models *has, struct buf *list)
{
    for (size_t i = 0; i < has->count; i++) {
        struct str name = str_of(log_safe(str_of(has->names[i])));
        size_t shown = width_fit(name, NAME_COLUMNS);

        buf_printf(list, "%s%.*s%s", list->len == 0 ? "" : ", ", (int)shown, name.at,
                   shown < name.len ? "..." : "");
    }
}

void advice_no_model(const struct endpoint *endpoint, const char *model,
                     const struct llm_models *has, struct err *ret_line)
{
    const char *meant = nearest_model(model, has);
    char *url = config_url_bare(endpoint->url);
    struct buf list;
    struct buf line;

    buf_init(&list, LISTED_MAX_BYTES);
    buf_init(&line, LINE_MAX_BYTES);
    list_names(has, &list);
    buf_printf(&line, "%s (%s) lacks the model %s", endpoint->name, url,
               log_safe(str_of(model)));
    if (meant != NULL)
        buf_printf(&line, ", did you mean %s?", log_safe(str_of(meant)));
    buf_printf(&line, "%s has %s%s: ", meant == NULL ? "; it" : " It",
               list.len == 0 ? "none" : buf_text(&list),
               list.overflowed ? ", ..." : "");
    if (is_ollama(endpoint))
        buf_printf(&line, "get it with `ollama pull %s`, or ", log_safe(str_of(model)));
    buf_add_text(&line, endpoint->built_in
                            ? "choose another with --model NAME"
                            : "choose another: --model, or its models in "
                              "the config");
    err_set(ret_line, ERR_MODEL, "%s", buf_text(&line));
    buf_done(&line);
    buf_done(&list);
    free(url);
}

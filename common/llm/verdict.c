/* verdict.c - see verdict.h.
 *
 * Flow: how the connection ended -> the status -> the type of the answer
 */
#include "llm/verdict.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"
#include "llm/complaint.h"
#include "llm/overlong.h"
#include "llm/reader.h"
#include "llm/retry_after.h"
#include "llm/wire.h"
#include "net/http.h"
#include "proto/schema.h"

enum llm_error verdict_status_error(int status)
{
    switch (status) {
    case 401:
    case 402:
    case 403:
        return LLM_ERROR_AUTH;
    case 429:
    case 503:
    case 529:
        return LLM_ERROR_BUSY;
    case 408:
    case 409:
    case 425:
        return LLM_ERROR_SERVER;
    default:
        break;
    }
    if (status >= 500)
        return LLM_ERROR_SERVER;
    if (status >= 400)
        return LLM_ERROR_REQUEST;
    return status >= 300 ? LLM_ERROR_REDIRECT : LLM_ERROR_PROTOCOL;
}

/* ---- what the body says ---- */

/* A 404 may mean that the path is wrong, or that the model is not there: then the
 * server speaks of it. */
static bool speaks_of_model(const struct verdict_ask *ask,
                            const struct complaint *complaint)
{
    return str_has_nocase(complaint->text, "model")
           || (ask->model != NULL && str_has_nocase(complaint->text, ask->model));
}

static bool is_model_missing(const struct verdict_ask *ask, int status,
                             const struct complaint *complaint)
{
    if (str_is(complaint->code, "model_not_found"))
        return true;
    if (status == 404)
        return speaks_of_model(ask, complaint);
    return status == 400 && str_has_nocase(complaint->text, "not a valid model");
}

/* OpenAI says 429 also where no waiting helps but money. */
static bool is_out_of_credit(const struct complaint *complaint)
{
    return str_is(complaint->code, "insufficient_quota")
           || str_is(complaint->code, "billing_hard_limit_reached")
           || str_is(complaint->code, "billing_not_active");
}

static enum llm_error kind_of(const struct verdict_ask *ask, int status,
                              const struct complaint *complaint)
{
    if (is_model_missing(ask, status, complaint))
        return LLM_ERROR_MODEL_NOT_FOUND;
    return is_out_of_credit(complaint) ? LLM_ERROR_AUTH : verdict_status_error(status);
}

static enum llm_param refused_param(const struct verdict_ask *ask, int status,
                                    const struct complaint *complaint)
{
    enum llm_param param;

    if (status != 400 && status != 422)
        return PARAM_NONE;
    param = param_refused(complaint);
    return (ask->sent & 1U << param) != 0 ? param : PARAM_NONE;
}

static bool is_overlong(int status, const struct complaint *complaint,
                        int64_t *ret_window)
{
    return (status == 400 || status == 413 || status == 422)
           && overlong_says(complaint, ret_window);
}

/* Of a page of HTML only the title is for people; of JSON that was cut, nothing. */
static struct str plain_text(struct str body)
{
    struct str text = str_trim(body);
    struct str rest;

    if (text.len == 0 || text.at[0] == '{' || text.at[0] == '[')
        return str_of("");
    if (text.at[0] != '<')
        return text;
    for (size_t i = 0; i < text.len; i++) {
        rest = str_make(text.at + i, text.len - i);
        if (str_starts(rest, "<title>"))
            return str_trim(str_cut(str_make(rest.at + 7, rest.len - 7), '<', &rest));
    }
    return str_of("");
}

/* ---- the reason ---- */

/* What a person may do about it, behind the server's own words. */
static const char *advice(const struct verdict_ask *ask, int status,
                          enum llm_error error, bool spoke)
{
    if (error == LLM_ERROR_AUTH && !ask->with_key)
        return " (no key was sent)";
    if (status == 401)
        return " (is the key right?)";
    if (status == 403)
        return " (may this key do that?)";
    if (error == LLM_ERROR_AUTH) /* 402, or a code that says so */
        return " (has the account run out of credit?)";
    if (spoke)
        return "";
    if (error == LLM_ERROR_BUSY)
        return " (it is busy)";
    return error == LLM_ERROR_SERVER ? " (the fault is on its side)" : "";
}

/* Where to look when something else than the API answers. */
static const char *url_advice(const struct verdict_ask *ask)
{
    const char *path = ask->dialect->usual_path;
    size_t len = strlen(path);
    size_t url_len = strlen(ask->url);

    if (len > 0 && (url_len < len || strcmp(ask->url + url_len - len, path) != 0))
        return "is the path right (\xE2\x80\xA6/v1)?";
    return "is the URL right?";
}

static void tell_redirect(const struct verdict_ask *ask, const char *location,
                          int status, struct err *ret_reason)
{
    struct str rest;
    struct str target = str_cut(str_of(location), '?', &rest); /* may hold secrets */
    char *shown = target.len > 0 ? wire_shown(log_safe(target)) : NULL;

    if (shown == NULL) /* 304, or a proxy's */
        err_set(ret_reason, ERR_MODEL,
                "%s answers %d and names no other place: is that its URL?", ask->url,
                status);
    else
        err_set(ret_reason, ERR_MODEL,
                "%s sends us on (%d) to %s, which is not followed: is that its URL?",
                ask->url, status, shown);
    free(shown);
}

static void tell_status(const struct verdict_ask *ask, const struct http_result *http,
                        struct str text, struct verdict *verdict)
{
    int status = http->status;

    if (verdict->error == LLM_ERROR_REDIRECT)
        tell_redirect(ask, http->location, status, &verdict->reason);
    else if (verdict->error == LLM_ERROR_UNSUPPORTED)
        err_set(&verdict->reason, ERR_MODEL,
                "%s is not taken by this model: %s from now on (the server answered "
                "%d: %s)",
                param_name(verdict->param), param_instead(verdict->param), status,
                log_safe(text));
    else if (verdict->error == LLM_ERROR_CONTEXT)
        err_set(&verdict->reason, ERR_MODEL,
                "the prompt is longer than the server's window (it answered %d: %s)",
                status, log_safe(text));
    else if (status == 404 && verdict->error == LLM_ERROR_REQUEST)
        err_set(&verdict->reason, ERR_MODEL, "%s%s: no such path (404): %s", ask->url,
                ask->path, url_advice(ask));
    else
        err_set(&verdict->reason, ERR_MODEL, "the server answered %d%s%s%s", status,
                text.len > 0 ? ": " : "", log_safe(text),
                advice(ask, status, verdict->error, text.len > 0));
}

static int64_t find_retry(const struct http_result *http,
                          const struct complaint *complaint, int64_t now_us)
{
    int64_t wait_ms = retry_after_parse_ms(str_of(http->retry_after_ms));

    if (wait_ms < 0)
        wait_ms = retry_after_parse(str_of(http->retry_after), now_us);
    return wait_ms >= 0 ? wait_ms : complaint->retry_after_ms;
}

static void judge_status(const struct verdict_ask *ask, const struct http_result *http,
                         struct str body, struct verdict *verdict)
{
    struct complaint complaint = {.retry_after_ms = -1, .window = -1};
    json_t *document = NULL;

    if (json_read(body, &document, NULL))
        (void)complaint_read(document, true, &complaint); /* always: it is loose */
    else
        complaint = (struct complaint){.text = plain_text(body),
                                       .window = -1,
                                       .retry_after_ms = retry_after_find(body)};
    verdict->error = kind_of(ask, http->status, &complaint);
    if (verdict->error == LLM_ERROR_REQUEST)
        verdict->param = refused_param(ask, http->status, &complaint);
    if (verdict->param != PARAM_NONE)
        verdict->error = LLM_ERROR_UNSUPPORTED;
    else if (verdict->error == LLM_ERROR_REQUEST
             && is_overlong(http->status, &complaint, &verdict->window))
        verdict->error = LLM_ERROR_CONTEXT;
    verdict->retry_after_ms = find_retry(http, &complaint, ask->now_us);
    tell_status(ask, http, complaint.text, verdict);
    json_decref(document);
}

static void judge_type(const struct verdict_ask *ask, const char *content_type,
                       struct verdict *verdict)
{
    struct str type = str_of(content_type);

    if (ask->type_fits(content_type))
        return;
    verdict->error = LLM_ERROR_PROTOCOL;
    if (wire_type_is(content_type, "text/html"))
        err_set(&verdict->reason, ERR_MODEL, "%s answers with an HTML page, not %s: %s",
                ask->url, ask->dialect->api, url_advice(ask));
    else
        err_set(&verdict->reason, ERR_MODEL, "%s answers with %s%s, not %s: %s",
                ask->url, type.len > 0 ? "the type " : "no type", log_safe(type),
                ask->dialect->api, url_advice(ask));
}

void verdict_of(const struct verdict_ask *ask, const struct http_result *http,
                struct str body, struct verdict *ret_verdict)
{
    static const enum llm_error errors[HTTP_OUTCOME_COUNT] = {
        [HTTP_REFUSED] = LLM_ERROR_REFUSED,     [HTTP_TIMEOUT] = LLM_ERROR_TIMEOUT,
        [HTTP_GARBLED] = LLM_ERROR_PROTOCOL,    [HTTP_TOO_LARGE] = LLM_ERROR_TOO_LARGE,
        [HTTP_CANCELLED] = LLM_ERROR_TRUNCATED, /* the HTTP client goes away */
    };
    struct verdict verdict = {
        .error = errors[http->outcome], .window = -1, .retry_after_ms = -1};

    if (http->outcome == HTTP_CANCELLED && http->status != 0)
        verdict.error = LLM_ERROR_NONE; /* by us, who have seen enough of the body */
    if (http->outcome == HTTP_TIMEOUT && http->status >= 300)
        verdict.error = LLM_ERROR_NONE; /* the status has said what matters */
    if (verdict.error == LLM_ERROR_NONE && http->status == 0)
        verdict.error = LLM_ERROR_TRUNCATED;
    if (verdict.error != LLM_ERROR_NONE)
        err_set(&verdict.reason, ERR_MODEL, "%s", http->reason);
    else if (http->status != 200)
        judge_status(ask, http, body, &verdict);
    else
        judge_type(ask, http->content_type, &verdict);
    *ret_verdict = verdict;
}

/* llm.c - from a request to its provider, and the one end of every call.
 *
 * The names of providers stand here too. What a provider does in between is
 * its own file's affair.
 *
 * Flow: llm_start -> <provider>_start ... llm_call_say* ... llm_call_end -> on_turn
 */
#include "llm/llm.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "llm/echo.h"
#include "llm/exchange.h"
#include "llm/models.h"
#include "llm/ollama.h"
#include "llm/openai.h"
#include "llm/provider.h"

static const char *const provider_names[LLM_PROVIDER_COUNT] = {
    [LLM_OLLAMA] = "ollama",
    [LLM_OPENAI] = "openai",
    [LLM_SIMULATOR] = "simulator",
    [LLM_ECHO] = "echo",
};

const char *llm_provider_name(enum llm_provider provider)
{
    assert((unsigned)provider < LLM_PROVIDER_COUNT);
    return provider_names[provider];
}

bool llm_provider_parse(const char *name, enum llm_provider *ret_provider)
{
    for (unsigned i = 0; i < LLM_PROVIDER_COUNT; i++) {
        if (str_is(str_of(name), provider_names[i])) {
            *ret_provider = (enum llm_provider)i;
            return true;
        }
    }
    return false;
}

/* ---- the client ---- */

static void llm_sweep(struct llm_call_list *calls)
{
    struct llm_call *call = NULL;

    while ((call = TAILQ_FIRST(calls)) != NULL) {
        TAILQ_REMOVE(calls, call, link);
        call->free(call);
    }
}

static void on_turn(struct loop_hook *hook, void *owner)
{
    struct llm *llm = owner;

    (void)hook;
    llm_sweep(&llm->over);
}

struct llm *llm_new(struct loop *loop, struct http *http)
{
    struct llm *llm = x_calloc(1, sizeof(*llm));

    llm->loop = loop;
    llm->http = http;
    TAILQ_INIT(&llm->running);
    TAILQ_INIT(&llm->over);
    TAILQ_INIT(&llm->queries);
    loop_hook_start(&llm->hook, loop, on_turn, llm);
    return llm;
}

void llm_free(struct llm *llm)
{
    if (llm == NULL)
        return;
    llm_sweep(&llm->running);
    llm_sweep(&llm->over);
    models_drop(llm);
    learned_done(&llm->learned);
    loop_hook_stop(&llm->hook);
    free(llm);
}

/* ---- a call ---- */

struct llm_call *llm_start(struct llm *llm, const struct llm_request *request,
                           const struct llm_handlers *handlers)
{
    assert(handlers->on_result != NULL);
    switch (request->provider) {
    case LLM_OLLAMA:
    case LLM_SIMULATOR:
        return exchange_start(llm, ollama_dialect(), request, handlers);
    case LLM_OPENAI:
        return exchange_start(llm, openai_dialect(), request, handlers);
    case LLM_ECHO:
        return echo_start(llm, request, handlers);
    case LLM_PROVIDER_COUNT:
        break;
    }
    assert(!"a provider that does not exist");
    abort();
}

void llm_cancel(struct llm_call *call)
{
    if (call->told || call->cancelled)
        return;
    call->cancelled = true;
    call->cancel(call);
}

void llm_enough(struct llm_call *call)
{
    if (call->told || call->cancelled || call->enough)
        return;
    call->enough = true;
    call->cancel(call);
}

void llm_drop(struct llm_call *call)
{
    assert(!call->told);
    TAILQ_REMOVE(&call->llm->running, call, link);
    call->free(call);
}

void llm_call_init(struct llm_call *call, struct llm *llm,
                   const struct llm_request *request,
                   const struct llm_handlers *handlers)
{
    call->llm = llm;
    call->handlers = *handlers;
    call->provider = request->provider;
    call->started_us = clock_mono_us();
    TAILQ_INSERT_TAIL(&llm->running, call, link);
}

void llm_call_done(struct llm_call *call)
{
    free(call->endpoint);
    free(call->model);
}

void llm_call_say(struct llm_call *call, struct str text)
{
    if (text.len > 0 && !call->cancelled && !call->enough
        && call->handlers.on_delta != NULL)
        call->handlers.on_delta(call->handlers.owner, text);
}

void llm_result_unknown(struct llm_result *ret_result)
{
    *ret_result = (struct llm_result){
        .outcome = LLM_FAILED,
        .reason = "",
        .window = -1,
        .retry_after_ms = -1,
        .text = str_of(""),
        .thinking = str_of(""),
        .finish_reason = "",
        .provider = "",
        .endpoint = "",
        .model = "",
        .prompt_tokens = -1,
        .prompt_cached_tokens = -1,
        .tokens_generated = -1,
        .load_ns = -1,
        .prompt_ns = -1,
        .generation_ns = -1,
        .total_ns = -1,
        .connect_us = -1,
        .first_token_us = -1,
        .longest_gap_us = -1,
    };
}

void llm_result_init(const struct llm_call *call, struct llm_result *ret_result)
{
    llm_result_unknown(ret_result);
    ret_result->provider = llm_provider_name(call->provider);
    ret_result->endpoint = call->endpoint;
    ret_result->model = call->model;
    ret_result->duration_us = clock_mono_us() - call->started_us;
}

void llm_call_end(struct llm_call *call, struct llm_result *result)
{
    assert(!call->told);
    if (call->cancelled) {
        result->outcome = LLM_CANCELLED;
        result->error = LLM_ERROR_NONE;
    } else if (call->enough) {
        result->outcome = LLM_DONE;
        result->error = LLM_ERROR_NONE;
        result->finish_reason = "enough";
    }
    if (result->outcome != LLM_DONE)
        result->text = str_of("");
    if (result->outcome != LLM_FAILED)
        result->reason = "";
    assert((result->outcome == LLM_FAILED) == (result->error != LLM_ERROR_NONE));
    call->told = true;
    TAILQ_REMOVE(&call->llm->running, call, link);
    TAILQ_INSERT_TAIL(&call->llm->over, call, link);
    call->handlers.on_result(call->handlers.owner, result);
}

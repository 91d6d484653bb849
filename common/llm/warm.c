/* warm.c - has a server load a model before the first turn needs it (models.h).
 *
 * Only Ollama loads models on demand; for the others there is nothing to do, and that
 * is told from the loop, as every end of a call.
 *
 * Flow: llm_warm -> (a call without messages | the next turn of the loop) -> on_result
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "llm/models.h"
#include "llm/provider.h"
#include "llm/wire.h"

struct warm_call {
    struct llm_call call;    /* first */
    struct loop_timer timer; /* answers at the next turn of the loop */
};

static struct warm_call *warm_of(struct llm_call *call)
{
    return (struct warm_call *)(void *)call;
}

static void on_answer(struct loop_timer *timer, void *owner)
{
    struct warm_call *warm = owner;
    struct llm_result result;

    (void)timer;
    llm_result_init(&warm->call, &result);
    result.outcome = LLM_DONE;
    llm_call_end(&warm->call, &result);
}

static void warm_cancel(struct llm_call *call)
{
    (void)call; /* the timer is running, and tells */
}

static void warm_free(struct llm_call *call)
{
    struct warm_call *warm = warm_of(call);

    loop_timer_stop(&warm->timer);
    llm_call_done(call);
    free(warm);
}

static struct llm_call *warm_nothing(struct llm *llm, const struct llm_request *request,
                                     const struct llm_handlers *handlers)
{
    struct warm_call *warm = x_calloc(1, sizeof(*warm));

    llm_call_init(&warm->call, llm, request, handlers);
    warm->call.endpoint = request->endpoint != NULL ? x_strdup(request->endpoint)
                          : request->url != NULL    ? wire_shown(request->url)
                                                    : x_strdup("echo");
    warm->call.model = x_strdup(request->model != NULL ? request->model : "");
    warm->call.cancel = warm_cancel;
    warm->call.free = warm_free;
    loop_timer_init(&warm->timer, llm->loop, on_answer, warm);
    loop_timer_start(&warm->timer, 0);
    return &warm->call;
}

struct llm_call *llm_warm(struct llm *llm, const struct llm_request *request,
                          void (*on_result)(void *owner,
                                            const struct llm_result *result),
                          void *owner)
{
    const struct llm_handlers handlers = {.on_result = on_result, .owner = owner};
    struct llm_request load = *request;

    load.messages = NULL;
    load.message_count = 0;
    load.schema = NULL;
    load.think = NULL;
    load.stop_count = 0;
    if (request->provider == LLM_OLLAMA || request->provider == LLM_SIMULATOR)
        return llm_start(llm, &load, &handlers);
    return warm_nothing(llm, request, &handlers);
}

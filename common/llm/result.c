/* result.c - see result.h. */
#include "llm/result.h"

#include <assert.h>

const char *llm_error_name(enum llm_error error)
{
    static const char *const names[LLM_ERROR_COUNT] = {
        [LLM_ERROR_NONE] = "none",
        [LLM_ERROR_REFUSED] = "refused",
        [LLM_ERROR_MODEL_NOT_FOUND] = "model_not_found",
        [LLM_ERROR_AUTH] = "auth",
        [LLM_ERROR_BUSY] = "busy",
        [LLM_ERROR_SERVER] = "server",
        [LLM_ERROR_REQUEST] = "request",
        [LLM_ERROR_UNSUPPORTED] = "unsupported",
        [LLM_ERROR_CONTEXT] = "context",
        [LLM_ERROR_REDIRECT] = "redirect",
        [LLM_ERROR_STREAM] = "stream",
        [LLM_ERROR_TRUNCATED] = "truncated",
        [LLM_ERROR_PROTOCOL] = "protocol",
        [LLM_ERROR_TIMEOUT] = "timeout",
        [LLM_ERROR_EMPTY] = "empty",
        [LLM_ERROR_TOO_LARGE] = "too_large",
    };

    assert((unsigned)error < LLM_ERROR_COUNT);
    return names[error];
}

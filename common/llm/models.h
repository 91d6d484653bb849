/* models.h - what a server offers, asked over HTTP: its models, its places for calls.
 *
 * Ollama: GET /api/tags. OpenAI's API: GET {url}/models; llama.cpp tells its places in
 * GET /props (`total_slots`), the others do not tell.
 *
 * Flow: llm_list_models -> on_models, once
 */
#ifndef PARLEY_LLM_MODELS_H
#define PARLEY_LLM_MODELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "llm/llm.h"

struct llm_server {
    enum llm_provider provider; /* not LLM_ECHO */
    const char *url;
    const char *key; /* NULL none */
};
struct llm_models {
    bool ok;
    enum llm_error error;
    int http_status;          /* 0 none */
    const char *reason;       /* one line a user can act on, "" when ok */
    const char *const *names; /* valid inside the callback; as the server sent them */
    size_t count;
};
/* timeout_ms from 1. Never calls back before it returned. */
void llm_list_models(struct llm *llm, const struct llm_server *server,
                     int64_t timeout_ms,
                     void (*on_models)(void *owner, const struct llm_models *models),
                     void *owner);
/* The same of those that are in the server's memory now (Ollama: GET /api/ps); others
 * do not tell: LLM_ERROR_REQUEST. */
void llm_list_loaded(struct llm *llm, const struct llm_server *server,
                     int64_t timeout_ms,
                     void (*on_models)(void *owner, const struct llm_models *models),
                     void *owner);
/* "llama3.2" is there when the list has it or "llama3.2:latest". */
bool llm_models_have(const struct llm_models *models, const char *model);
/* How many calls the server works on at once; 0: it does not tell; -1: it could not be
 * asked (down, busy, loading its model) and may tell later. */
void llm_ask_slots(struct llm *llm, const struct llm_server *server, int64_t timeout_ms,
                   void (*on_slots)(void *owner, int64_t slots), void *owner);
/* Has a server load a model, without a word said (Ollama: /api/chat with no messages;
 * others: at once, nothing to do). Of the request url, key, model, num_ctx, options,
 * keep_alive, endpoint and the clocks are used. A result without text: done or failed.
 * The call as from llm_start. */
struct llm_call *llm_warm(struct llm *llm, const struct llm_request *request,
                          void (*on_result)(void *owner,
                                            const struct llm_result *result),
                          void *owner);
/* Inside llm/: drops what is still asked. */
void models_drop(struct llm *llm);

#endif

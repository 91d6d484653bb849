/* ollama.h - a provider that asks an Ollama server: POST <url>/api/chat, streaming.
 *
 * The API is described in docs/api.md of the Ollama project; what of it is relied upon
 * stands in ollama_wire.h and ollama_reply.h.
 */
#ifndef PARLEY_LLM_OLLAMA_H
#define PARLEY_LLM_OLLAMA_H

#include "llm/llm.h"

/* As llm_start. */
struct llm_call *ollama_start(struct llm *llm, const struct llm_request *request,
                              const struct llm_handlers *handlers);

#endif

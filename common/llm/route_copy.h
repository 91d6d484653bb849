/* route_copy.h - a request of one's own, for a call that has to wait or be repeated. */
#ifndef PARLEY_LLM_ROUTE_COPY_H
#define PARLEY_LLM_ROUTE_COPY_H

#include "llm/llm.h"

/* Copies all but where the request goes: messages, schema, options, think, stops,
 * keep_alive and the numbers; url, endpoint, key, model and call_id are left out. One
 * block of memory: the caller frees it with free(). */
struct llm_request *route_copy(const struct llm_request *request);

#endif

/* echo.h - a provider without a model: it answers at once with what it was asked. */
#ifndef PARLEY_LLM_ECHO_H
#define PARLEY_LLM_ECHO_H

#include <stdbool.h>

#include "base/buf.h"
#include "llm/llm.h"

/* As llm_start. A request with a schema fails: nothing here can fill one. */
struct llm_call *echo_start(struct llm *llm, const struct llm_request *request,
                            const struct llm_handlers *handlers);

/* Adds the answer to these messages; the same messages give the same answer. It quotes
 * the topic (the first line "Topic: ..." of the system message, else its first line),
 * counts the messages that are not the system's, and quotes the end of the last one.
 * False when `into` is full. */
bool echo_compose(const struct llm_message *messages, size_t count, struct buf *into);

#endif

/* sim_strict.h - what OpenAI's strict mode wants of a schema beyond JSON Schema,
 * refused in its words (platform.openai.com, "Structured outputs", 2025; the texts are
 * as its users have reported them). Pure.
 */
#ifndef PARLEY_SIM_STRICT_H
#define PARLEY_SIM_STRICT_H

#include <stdbool.h>

#include "simulator/sim_chat.h"

/* format: a response_format of the type json_schema, which has a schema. True for every
 * flavor but `openai`. False fills in the refusal, its parameter and code. */
bool sim_strict_check(struct sim_request *request, const json_t *format,
                      struct sim_refusal *refusal);

#endif

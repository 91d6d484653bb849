/* sim_reasoning.h - what OpenAI's reasoning models do not take of a request, refused in
 * its words (as its users have reported them): one parameter a call. Pure.
 */
#ifndef PARLEY_SIM_REASONING_H
#define PARLEY_SIM_REASONING_H

#include <stdbool.h>

#include "simulator/sim_chat.h"

/* For the flavor `openai` and models named o1..., o3..., o4..., gpt-5...; true for all
 * others. False fills in the refusal, its parameter and code. */
bool sim_reasoning_check(struct sim_request *request, struct sim_refusal *refusal);

#endif

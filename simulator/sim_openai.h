/* sim_openai.h - a request to /v1/chat/completions: parsed, checked, and refused as
 * servers of that API do. Pure.
 */
#ifndef PARLEY_SIM_OPENAI_H
#define PARLEY_SIM_OPENAI_H

#include "simulator/sim_chat.h"

struct flavor;

/* As sim_request_parse. request->flavor is set before and stays, also on false. */
MUST_USE bool sim_openai_parse(struct str body, const struct sim_models *models,
                               struct sim_request *request,
                               struct sim_refusal *ret_refusal);

#endif

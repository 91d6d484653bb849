/* exchange.h - one call of a model over HTTP, in whichever dialect: from its sending to
 * its one result. Inside llm/ only.
 */
#ifndef PARLEY_LLM_EXCHANGE_H
#define PARLEY_LLM_EXCHANGE_H

#include "llm/llm.h"

struct dialect;

/* As llm_start. A request without messages has the server load the model: silence is
 * then its good end. */
struct llm_call *exchange_start(struct llm *llm, const struct dialect *dialect,
                                const struct llm_request *request,
                                const struct llm_handlers *handlers);

#endif

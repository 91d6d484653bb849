/* fault_answer.h - the answers that stand in the place of a reply: a status, a
 * redirect.
 */
#ifndef PARLEY_FAULT_ANSWER_H
#define PARLEY_FAULT_ANSWER_H

#include "simulator/fault.h"
#include "simulator/sim_chat.h"
#include "simulator/sim_out.h"

/* Of a fault of the kind `status` or `redirect`. The request may be without a model. */
void fault_answer(const struct fault *fault, const struct sim_request *request,
                  struct sim_out *out);

#endif

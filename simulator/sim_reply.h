/* sim_reply.h - what is answered to a request, all of it at once: the words, where they
 * end and why. Pure: how fast they are said is sim_stream's business.
 */
#ifndef PARLEY_SIM_REPLY_H
#define PARLEY_SIM_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/err.h"
#include "simulator/fault.h"
#include "simulator/sim.h"
#include "simulator/sim_chat.h"

struct sim_reply {
    struct buf thinking; /* owned (sim_reply_done), as the next two; thought first */
    struct buf text;
    struct buf prompt; /* rendered, after it was fitted to the window */
    size_t prompt_tokens;
    size_t tokens; /* of the text and the thinking */
    bool cut;      /* num_predict ended it: done_reason "length" */
    bool load;     /* a fault: done_reason "load" */
    bool tool;     /* a fault: nothing is said, a tool is called */
};

/* Fits the request's prompt to its window. ERR_LIMIT: it does not fit, and is not to be
 * made to; ERR_FORMAT: the schema has no instance. */
MUST_USE bool sim_reply_make(const struct sim_options *options,
                             const struct fault *fault, struct sim_request *request,
                             struct sim_reply *ret_reply, struct err *err);
void sim_reply_done(struct sim_reply *reply);

#endif
